"""The operation that creates many tasks at once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.db.engine import Duplicate
from refonte_studio.imports.service import importing as imports
from refonte_studio.imports.service.importing import Import
from refonte_studio.imports.service.spool import Spool
from refonte_studio.kit.caller import Permission
from refonte_studio.kit.errors import Conflict, TooLarge
from refonte_studio.task_types import TaskType
from refonte_studio.web import Body, Call, Operations, Params
from refonte_studio.web.params import read_dynamic_params

operations = Operations("Tasks")

CHUNK_LINES = 1_000
CHUNK_BYTES = 1_000_000
Lines = list[tuple[int, bytes]]


class ImportParams(Params):
    """The project and batch of lines that name none."""

    project: str | None = None
    batch: str | None = None


class ImportOut(msgspec.Struct, kw_only=True):
    created: int


@operations.add(
    "POST",
    "/v1/tasks/import",
    may=Permission.MANAGE,
    answer=ImportOut,
    params=ImportParams,
    body=Body.STREAM,
    body_schema={
        "type": "string",
        "description": "One task creation as a JSON object per line. It may have `attempts`: "
        "[{labeler, response, submitted_at?, started_at?}], attempts that were made outside of this server.",
    },
    body_type="application/x-ndjson",
    example={"project": "Dog breeds", "batch": "October photographs"},
    example_answer={"created": 807},
)
async def import_tasks(call: Call, params: ImportParams) -> ImportOut:
    """Create many tasks, from a stream of NDJSON.

    Each line has the parameters of `POST /v1/task/{type}` and may have `type`, which is required only if the project
    takes tasks of every type. `project` and `batch` in the query apply to lines that name none. Either all lines are
    imported or none: if some are invalid, the call returns 400 with the first 100 of them in `lines: [{line, error}]`.

    A line may have up to 100 `attempts` that were made outside of this server: `[{labeler, response, submitted_at,
    started_at}]`. `response` has the form in which a labeler submits it; the times are optional. `labeler` is a
    teammate's e-mail address or any other name of up to 200 characters, at most once per line. Somebody who is not a
    teammate becomes an external annotator, who cannot sign in and is not listed in the team until they accept an
    invitation. These attempts count like any other: a task that has enough is completed with the result of all of them,
    and any other task waits for the remaining ones. Nobody is given a task that they have attempted before. In test
    mode attempts are refused.

    A line of an export (one with a `task_id`) creates a new task without the state and the result that it had there;
    its attempts decide again. Canceled tasks are skipped. For such lines, `project` and `batch` in the query take
    precedence, if either is given.
    """
    with Spool() as spool:
        importing = Import(call.caller.mode, (params.project, params.batch), spool, call.now, _read)
        await _look_up(call, importing, [importing.place])
        importing.check_place()
        settings = call.studio.settings
        async for lines in numbered(call.stream(), settings.line_limit_bytes, settings.import_limit_bytes):
            await _take(call, importing, lines)
        importing.check()
        return ImportOut(created=await _write(call, importing))


def _read(task_type: TaskType, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return read_dynamic_params(task_types.schemas_of(task_type), given)


async def _look_up(call: Call, importing: Import, places: list[imports.Destination]) -> None:
    importing.expect(await call.db.read(imports.look_up, call.caller, places, len(importing.targets)))


async def _take(call: Call, importing: Import, lines: Lines) -> None:
    """Checks some lines in threads, so that the server can serve other requests."""
    decoded = await asyncio.to_thread(importing.decoded, lines)
    places = importing.unmet(decoded)
    if places:
        await _look_up(call, importing, places)
    prepared = await asyncio.to_thread(importing.prepared, decoded)
    taken: set[str] = set()
    if any(line.draft.unique_id is not None for line in prepared):
        taken = await call.db.read(imports.taken, call.caller, prepared)
    await asyncio.to_thread(importing.keep, prepared, taken)


async def _write(call: Call, importing: Import) -> int:
    try:
        return await call.db.write(imports.write, call.caller, importing, call.now)
    except Duplicate as error:
        # a unique_id was taken after its line was checked: report which
        for lines in importing.spool.chunks():
            importing.refuse_taken(lines, await call.db.read(imports.taken, call.caller, lines))
        importing.check()
        raise Conflict("a unique_id was taken and freed again meanwhile; try again") from error


async def numbered(chunks: AsyncIterator[bytes], line_limit_bytes: int, limit_bytes: int) -> AsyncIterator[Lines]:
    """Yields the lines of a stream in chunks, numbered from 1. Raises TooLarge at either limit."""
    number, size, waiting, begun = 0, 0, 0, b""
    lines: Lines = []
    async for chunk in chunks:
        size += len(chunk)
        waiting += len(chunk)
        if size > limit_bytes:
            raise TooLarge(f"the body has more than {limit_bytes:,} bytes")
        *whole, begun = (begun + chunk).split(b"\n")
        for text in (*whole, begun):
            if len(text) > line_limit_bytes:
                raise TooLarge(f"line {number + 1:,} has more than {line_limit_bytes:,} bytes")
            number += 1
            lines.append((number, text))
        lines.pop()  # the last one is incomplete
        number -= 1
        if len(lines) >= CHUNK_LINES or waiting >= CHUNK_BYTES:
            yield lines
            lines, waiting = [], 0
    lines.append((number + 1, begun))
    yield lines
