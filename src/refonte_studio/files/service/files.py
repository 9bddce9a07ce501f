"""Use-cases of files. A file is written in chunks, each in its own transaction, and becomes visible when it is
complete."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.files import policy, store
from refonte_studio.files.model import File
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.kit.errors import Conflict, NotFound, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.projects import service as projects

SWEEP_AFTER_MS = DAY_MS
SWEEP_FILES = 20  # per transaction


async def begin(tx: Tx, caller: Caller, now: int) -> str:
    """Creates an invisible file. Returns its id."""
    file_id = new_id(now)
    await store.insert(tx, id=file_id, team_id=caller.team_id, mode=caller.mode, created_at=now)
    return file_id


async def check_about(tx: Tx, caller: Caller, project_names: Sequence[str], reference_id: str | None) -> list[str]:
    """Returns the names of these projects. Raises BadInput naming an unknown one, and Conflict if the reference_id is
    taken."""
    found = [await projects.find_in_body(tx, caller.team_id, caller.mode, name) for name in project_names]
    if reference_id is not None:
        policy.check_reference_id(reference_id)
        if await store.is_referenced(tx, caller.team_id, caller.mode, reference_id):
            raise _taken(reference_id)
    return list(dict.fromkeys(project.name for project in found))


def _taken(reference_id: str | None) -> Conflict:
    return Conflict(f"there is a file with reference_id {shown(reference_id)} already")


async def finish(
    tx: Tx,
    caller: Caller,
    file_id: str,
    *,
    name: str,
    display_name: str | None,
    reference_id: str | None,
    mime_type: str,
    size: int,
    project_names: Sequence[str],
    metadata: Mapping[str, Any],
    now: int,
) -> File:
    """Makes the file visible. Raises BadInput for an unknown project, and Conflict if the reference_id is taken."""
    found = await check_about(tx, caller, project_names, reference_id)
    try:
        await store.complete(
            tx,
            file_id=file_id,
            team_id=caller.team_id,
            name=policy.safe_name(name),
            display_name=display_name,
            reference_id=reference_id,
            mime_type=policy.mime_type(mime_type, name),
            size=size,
            project_names=msgspec.json.encode(found).decode(),
            metadata=policy.metadata_json(metadata),
            updated_at=now,
        )
    except Duplicate as error:
        raise _taken(reference_id) from error
    return await find(tx, caller.team_id, caller.mode, file_id)


async def find(tx: Tx, team_id: str, mode: Mode, file_id: str) -> File:
    """Returns the file. Raises NotFound if the team has no such file in this mode."""
    file = await store.by_id(tx, team_id, mode, file_id)
    if file is None:
        raise NotFound(f"there is no file {shown(file_id)}")
    return file


async def files_page(tx: Tx, caller: Caller, reference_id: str | None, limit: int, token: str | None) -> Page[File]:
    """Returns a page of the team's files in this mode, newest first; with a reference_id, only the file that has it."""
    rows = await store.newest(tx, caller.team_id, caller.mode, reference_id, checked_token(token), limit + 1)
    return page_of(rows, limit, lambda file: file.id)


async def sweep_unfinished(tx: Tx, now: int) -> int:
    """Removes a few files that were started a day ago and never completed. Returns how many."""
    files = await store.unfinished(tx, now - SWEEP_AFTER_MS, SWEEP_FILES)
    for team_id, file_id in files:
        await store.remove(tx, team_id, file_id)
    return len(files)
