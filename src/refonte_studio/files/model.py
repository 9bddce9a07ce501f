"""Files that tasks are made of, kept in the database in chunks."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from refonte_studio.kit.caller import Mode
from refonte_studio.kit.errors import BadInput, shown

CHUNK_BYTES = 512 * 1024
URL_LENGTH = 4_000
FILES = "studio://files/"  # and an id: how a task's parameters name a file of this server


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded or imported file."""

    id: str
    team_id: str
    mode: Mode
    name: str
    display_name: str | None
    mime_type: str
    size: int
    project_names: tuple[str, ...]
    metadata: str  # JSON object
    created_at: int
    updated_at: int

    @property
    def attachment_url(self) -> str:
        """What stands for the file in a task's parameters."""
        return f"{FILES}{self.id}"


def checked_url(name: str, url: str) -> str:
    """A full http or https URL, as it came in. Raises BadInput naming the parameter for anything else."""
    if len(url) > URL_LENGTH:
        raise BadInput(f"{name} has {len(url):,} characters; a URL has at most {URL_LENGTH:,}")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise BadInput(f"{name} {shown(url)} contains a space or a control character")
    try:
        parts = urlsplit(url)
        bad = parts.scheme.lower() not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:  # a port that is none, an IPv6 address that is none
        bad = True
    if bad:
        raise BadInput(f"{name} must be a full http or https URL, not {shown(url)}")
    return url
