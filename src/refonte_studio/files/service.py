"""Use-cases of files. A file arrives in chunks, each in a transaction of its own, and is visible when it is whole."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.db import Tx
from refonte_studio.files import policy, store
from refonte_studio.files.model import File
from refonte_studio.files.streams import Served, chunk, read_range, served
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.kit.errors import NotFound, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.projects import service as projects

__all__ = [
    "Served",
    "begin",
    "check_projects",
    "chunk",
    "find",
    "finish",
    "read_range",
    "served",
    "sweep_unfinished",
]

SWEEP_AFTER_MS = DAY_MS
SWEEP_FILES = 20  # of one transaction


async def begin(tx: Tx, caller: Caller, now: int) -> str:
    """A new file, invisible as yet; answers its id."""
    file_id = new_id(now)
    await store.insert(tx, id=file_id, team_id=caller.team_id, mode=caller.mode, created_at=now)
    return file_id


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
    display_name: str | None,
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
        display_name=display_name,
        mime_type=policy.mime_type(mime_type, name),
        size=size,
        project_names=msgspec.json.encode(list(dict.fromkeys(project_names))).decode(),
        metadata=policy.metadata_json(metadata),
        updated_at=now,
    )
    return await find(tx, caller.team_id, caller.mode, file_id)


async def find(tx: Tx, team_id: str, mode: Mode, file_id: str) -> File:
    """The file. Raises NotFound if this team has none of that id in this mode."""
    file = await store.by_id(tx, team_id, mode, file_id)
    if file is None:
        raise NotFound(f"there is no file {shown(file_id)}")
    return file


async def sweep_unfinished(tx: Tx, now: int) -> int:
    """Removes a few files that were begun a day ago and never finished; answers how many."""
    files = await store.unfinished(tx, now - SWEEP_AFTER_MS, SWEEP_FILES)
    for team_id, file_id in files:
        await store.remove(tx, team_id, file_id)
    return len(files)
