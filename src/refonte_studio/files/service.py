"""Use-cases of files. A file arrives in chunks, each in a transaction of its own, and is visible when it is whole."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.db import Database, Tx
from refonte_studio.files import policy, store
from refonte_studio.files.model import CHUNK_BYTES, File
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.kit.errors import BadInput, NotFound, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.projects import service as projects

SWEEP_AFTER_MS = DAY_MS
SWEEP_FILES = 20  # of one transaction


async def begin(tx: Tx, caller: Caller, now: int) -> str:
    """A new file, invisible as yet; answers its id."""
    file_id = new_id(now)
    await store.insert(tx, id=file_id, team_id=caller.team_id, mode=caller.mode, created_at=now)
    return file_id


async def add_chunk(tx: Tx, caller: Caller, file_id: str, number: int, data: bytes) -> None:
    """Keeps one chunk; all but the last have CHUNK_BYTES."""
    await store.insert_chunk(tx, caller.team_id, file_id, number, data)


async def check_projects(tx: Tx, caller: Caller, names: Sequence[str]) -> None:
    """Raises BadInput naming a project that there is not."""
    for name in names:
        await projects.find_in_body(tx, caller.team_id, caller.mode, name)


async def finish(
    tx: Tx,
    caller: Caller,
    file_id: str,
    *,
    name: str,
    mime_type: str,
    size: int,
    project_names: Sequence[str],
    metadata: Mapping[str, Any],
    now: int,
) -> File:
    """Makes the file visible. Raises BadInput for an unknown project."""
    await check_projects(tx, caller, project_names)
    await store.complete(
        tx,
        id=file_id,
        team_id=caller.team_id,
        name=policy.safe_name(name),
        mime_type=policy.mime_type(mime_type, name),
        size=size,
        project_names=msgspec.json.encode(list(dict.fromkeys(project_names))).decode(),
        metadata=msgspec.json.encode(metadata).decode(),
        updated_at=now,
    )
    return await find(tx, caller.team_id, caller.mode, file_id)


async def discard(tx: Tx, caller: Caller, file_id: str) -> None:
    """Takes back a file that was not finished."""
    await store.remove(tx, caller.team_id, file_id)


async def find(tx: Tx, team_id: str, mode: Mode, file_id: str) -> File:
    """The file. Raises NotFound if this team has none of that id in this mode."""
    file = await store.by_id(tx, team_id, mode, file_id)
    if file is None:
        raise NotFound(f"there is no file {shown(file_id)}")
    return file


async def chunk(tx: Tx, team_id: str, file_id: str, number: int) -> bytes:
    """The chunk of that number, from 0, of a file known to exist; empty beyond its end."""
    return await store.chunk(tx, team_id, file_id, number) or b""


async def read_range(db: Database, file: File, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a file from `start` up to and without `end`, one chunk in memory at a time."""
    for number in range(start // CHUNK_BYTES, -(-end // CHUNK_BYTES)):
        data = await db.read(chunk, file.team_id, file.id, number)
        offset = number * CHUNK_BYTES
        yield data[max(0, start - offset) : end - offset]


async def sweep_unfinished(tx: Tx, now: int) -> int:
    """Removes a few files that were begun a day ago and never finished; answers how many."""
    files = await store.unfinished(tx, now - SWEEP_AFTER_MS, SWEEP_FILES)
    for team_id, file_id in files:
        await store.remove(tx, team_id, file_id)
    return len(files)


def metadata_of(text: str) -> dict[str, Any]:
    """Metadata as a form sends it: a JSON object. Raises BadInput for anything else."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadInput(f"metadata must be a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise BadInput(f"metadata must be a JSON object, not {shown(text)}")
    return value
