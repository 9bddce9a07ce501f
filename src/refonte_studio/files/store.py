"""The SQL of files and their chunks."""

from collections.abc import Sequence
from typing import Any

import msgspec

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.files.model import File
from refonte_studio.kit.caller import Mode


def _names(text: str) -> tuple[str, ...]:
    """A JSON array of strings."""
    return msgspec.json.decode(text, type=tuple[str, ...])


_FILE = Record(File, project_names=_names)
_COLUMNS = _FILE.select()


async def insert(tx: Tx, **values: Any) -> None:
    """Inserts an incomplete, and therefore invisible, file."""
    await tx.run(
        """INSERT INTO files (id, team_id, mode, name, mime_type, size, project_names, metadata, complete,
             created_at, updated_at)
           VALUES (:id, :team_id, :mode, '', '', 0, '[]', '{}', FALSE, :created_at, :created_at)""",
        **values,
    )


async def insert_chunk(tx: Tx, team_id: str, file_id: str, number: int, data: bytes) -> None:
    await tx.run(
        """INSERT INTO file_chunks (team_id, file_id, number, data) VALUES (:team_id, :file_id, :number, :data)""",
        team_id=team_id,
        file_id=file_id,
        number=number,
        data=data,
    )


async def complete(tx: Tx, **values: Any) -> None:
    """Makes the file visible. Raises Duplicate if another file has its reference_id."""
    await tx.run(
        """UPDATE files SET complete = TRUE, name = :name, display_name = :display_name,
             reference_id = :reference_id,
             mime_type = :mime_type, size = :size,
             project_names = :project_names, metadata = :metadata, updated_at = :updated_at
           WHERE id = :file_id AND team_id = :team_id""",
        **values,
    )


async def by_id(tx: Tx, team_id: str, mode: Mode, file_id: str) -> File | None:
    """Returns the complete file with this id."""
    row = await tx.one(
        f"SELECT {_COLUMNS} FROM files WHERE id = :file_id AND team_id = :team_id AND mode = :mode AND complete",
        file_id=file_id,
        team_id=team_id,
        mode=mode,
    )
    return _FILE.of(row) if row else None


async def newest(
    tx: Tx, team_id: str, mode: Mode, reference_id: str | None, before: str | None, limit: int
) -> list[File]:
    """Returns complete files, newest first, after the one with id `before`."""
    rows = await tx.all(
        f"""SELECT {_COLUMNS} FROM files
            WHERE team_id = :team_id AND mode = :mode AND complete
              AND (CAST(:reference_id AS TEXT) IS NULL OR reference_id = :reference_id)
              AND (CAST(:before AS TEXT) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit""",
        team_id=team_id,
        mode=mode,
        reference_id=reference_id,
        before=before,
        limit=limit,
    )
    return [_FILE.of(row) for row in rows]


async def is_referenced(tx: Tx, team_id: str, mode: Mode, reference_id: str) -> bool:
    """Whether a file has this reference_id."""
    row = await tx.one(
        "SELECT id FROM files WHERE team_id = :team_id AND mode = :mode AND reference_id = :reference_id",
        team_id=team_id,
        mode=mode,
        reference_id=reference_id,
    )
    return row is not None


async def chunk(tx: Tx, team_id: str, file_id: str, number: int) -> bytes | None:
    row = await tx.one(
        "SELECT data FROM file_chunks WHERE file_id = :file_id AND number = :number AND team_id = :team_id",
        team_id=team_id,
        file_id=file_id,
        number=number,
    )
    return bytes(row["data"]) if row else None


async def remove(tx: Tx, team_id: str, file_id: str) -> None:
    await tx.run(
        "DELETE FROM file_chunks WHERE file_id = :file_id AND team_id = :team_id", file_id=file_id, team_id=team_id
    )
    await tx.run("DELETE FROM files WHERE id = :file_id AND team_id = :team_id", file_id=file_id, team_id=team_id)


async def unfinished(tx: Tx, before: int, limit: int) -> Sequence[tuple[str, str]]:
    """Returns the team and id of files of all teams that were started before this time and never completed."""
    rows = await tx.all(
        """SELECT team_id, id FROM files WHERE NOT complete AND created_at < :before
           ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED""",
        before=before,
        limit=limit,
    )
    return [(row["team_id"], row["id"]) for row in rows]
