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
    """Where tasks go whose lines do not say so."""

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
        "description": "One creation of a task as a JSON object in each line. It may have `attempts`: "
        "[{labeler, response, submitted_at?, started_at?}], answers that people have given elsewhere.",
    },
    body_type="application/x-ndjson",
    example={"project": "Dog breeds", "batch": "October photographs"},
    example_answer={"created": 807},
)
async def import_tasks(call: Call, params: ImportParams) -> ImportOut:
    """Create many tasks, from a stream of NDJSON.

    Each line is what `POST /v1/task/{type}` takes, and may have `type`, which is needed only where the project takes
    tasks of every type. `project` and `batch` in the query are for lines that name none. All lines are imported or
    none: where some are bad, the answer is 400 with `lines: [{line, error}]`, the first 100 of them.

    A line may have `attempts`, at most 100: `[{labeler, response, submitted_at, started_at}]`, answers that people have
    given elsewhere. `response` is as a labeler would submit it; the times may be left out. `labeler` is a teammate's
    e-mail address or any other name, up to 200 characters, once in a line; whoever is no teammate becomes an external
    annotator, who cannot sign in and is not listed in the team, until an invitation makes a teammate of them. These
    attempts count like any other: a task that has enough is completed with the result of all of them, another one
    waits for the rest. Nobody is given a task that they have attempted elsewhere. In test mode they are refused.

    A line of an export (it has a `task_id`) is taken as a creation, without what the task was and became there: its
    attempts decide anew. Canceled tasks are left out. Here `project` and `batch` in the query win, if any is given.
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
    """Checks some lines, in threads, so that the server goes on serving others."""
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
        # somebody took a unique_id after its line was checked: tell which
        for lines in importing.spool.chunks():
            importing.refuse_taken(lines, await call.db.read(imports.taken, call.caller, lines))
        importing.check()
        raise Conflict("a unique_id was taken and freed again meanwhile; try again") from error


async def numbered(chunks: AsyncIterator[bytes], line_limit_bytes: int, limit_bytes: int) -> AsyncIterator[Lines]:
    """The lines of a stream with their numbers from 1, several at a time. Raises TooLarge at either limit."""
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
        lines.pop()  # the last one has only begun
        number -= 1
        if len(lines) >= CHUNK_LINES or waiting >= CHUNK_BYTES:
            yield lines
            lines, waiting = [], 0
    lines.append((number + 1, begun))
    yield lines
