"""Files that tasks refer to, stored in the database in chunks."""

from dataclasses import dataclass

from refonte_studio.kit.caller import Mode

CHUNK_BYTES = 512 * 1024
FILES = "studio://files/"  # followed by an id: how a task's parameters refer to a file on this server


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded or imported file."""

    id: str
    team_id: str
    mode: Mode
    name: str
    display_name: str | None
    reference_id: str | None  # the client's own id of the file, unique in the team and mode
    mime_type: str
    size: int
    project_names: tuple[str, ...]
    metadata: str  # JSON object
    created_at: int
    updated_at: int

    @property
    def attachment_url(self) -> str:
        """The reference to the file in a task's parameters."""
        return f"{FILES}{self.id}"
