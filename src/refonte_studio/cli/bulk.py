"""The commands that import and export tasks, like the corresponding API operations."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer

from refonte_studio.cli.base import Data, DatabaseUrl, KeyMode, app, counted, settings_of, with_database
from refonte_studio.cli.progress import progress
from refonte_studio.config import Settings
from refonte_studio.db import Database
from refonte_studio.kit.caller import Caller, Role
from refonte_studio.kit.clock import system_clock
from refonte_studio.kit.errors import BadInput

CHUNK_BYTES = 262_144

OurTeam = Annotated[str | None, typer.Option("--team", metavar="NAME", help="The team, if the server has several.")]
World = Annotated[KeyMode, typer.Option(help="The mode of the tasks.")]


class ExportStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"


@app.command("import")
def import_file(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="NDJSON; - for standard input.", show_default=False)
    ] = None,
    project: Annotated[str | None, typer.Option(metavar="NAME", help="Project of lines that name none.")] = None,
    batch: Annotated[str | None, typer.Option(metavar="NAME", help="Batch of lines that name none.")] = None,
    answers: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Instead of FILE: CSV of question,worker,answer; - for standard input."),
    ] = None,
    data_set: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Distinguishes the questions of --answers from those of other data sets [default: the file's name]",
        ),
    ] = None,
    team: OurTeam = None,
    mode: World = KeyMode.LIVE,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Create tasks from NDJSON: all of them or, if a line is bad, none.

    A line is the body of POST /v1/task/{type}, optionally with `type`, and with `attempts`: [{labeler, response,
    submitted_at}], answers given elsewhere. A line of an export is also accepted, without the outcome of its task;
    --project and --batch then say where it goes. Canceled tasks are skipped.

    From --answers, each question becomes a categorization task, with everybody's answers as its attempts. Its text is
    the question; the categories are those of the project or, if it has none, the distinct answers. Its unique_id is
    derived from the project, the data set and the question, so that a data set can be imported into a project only
    once. Lines may end as on any system.
    """
    if (file is None) == (answers is None):
        raise typer.BadParameter("give either FILE or --answers FILE")
    settings = settings_of(data=data, database=database)
    path = file or answers or ""
    with ExitStack() as stack:
        source = sys.stdin.buffer if path == "-" else stack.enter_context(open(path, "rb"))
        size = None if path == "-" else os.fstat(source.fileno()).st_size
        advance = stack.enter_context(progress("Importing", "bytes", size))

        async def work(db: Database) -> int:
            from refonte_studio.imports.routes import ImportParams, import_tasks

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
                    yield chunk
                    advance(len(chunk))

            call = await _call(db, settings, team, mode, chunks)
            goes_to = ImportParams(project=project, batch=batch)
            if answers is None:
                return (await import_tasks(call, goes_to)).created
            return await _import_answers(call, _told(source, advance), data_set or _stem(path), goes_to)

        created = with_database(settings, work)
    print(f"Imported {counted(created, 'task')}.")


def _stem(path: str) -> str:
    """Returns the default name of a data set: its file name without the extension."""
    return "standard input" if path == "-" else Path(path).stem


async def _import_answers(call: Any, lines: Iterator[bytes], name: str, goes_to: Any) -> int:
    """Imports the data set with this name from the lines of its file. Returns how many tasks it creates."""
    from refonte_studio.cli.crowd import data_set, read
    from refonte_studio.imports.routes import import_tasks

    of = await call.db.read(data_set, call.caller, name, goes_to.project, goes_to.batch)
    crowd = await asyncio.to_thread(read, lines, of)

    async def questions() -> AsyncIterator[bytes]:
        for line in crowd.tasks():
            yield line

    try:
        return (await import_tasks(replace(call, stream=questions), goes_to)).created
    except BadInput as error:
        raise crowd.blamed(error) from error


def _told(source: BinaryIO, advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yields the lines of a file, reporting progress."""
    for line in source:
        yield line
        advance(len(line))


@app.command("export")
def export_file(
    out: Annotated[str, typer.Option(metavar="FILE", help="NDJSON file to write; - for standard output.")],
    project: Annotated[str | None, typer.Option(metavar="NAME", help="Only tasks of this project.")] = None,
    batch: Annotated[str | None, typer.Option(metavar="NAME", help="Only tasks of this batch.")] = None,
    status: Annotated[ExportStatus | None, typer.Option(help="Only tasks with this status.")] = None,
    attempts: Annotated[bool, typer.Option("--attempts", help="Add everybody's attempts to each task.")] = False,
    team: OurTeam = None,
    mode: World = KeyMode.LIVE,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Write tasks as NDJSON, oldest first.

    A line is a task as in GET /v1/task/{id}. The file appears only when it is complete.
    """
    settings = settings_of(data=data, database=database)
    wanted = None if status is None else status.value

    async def work(db: Database, target: BinaryIO) -> int:
        from refonte_studio.tasks.routes.lists import ExportParams, TasksParams, export_tasks, list_tasks

        call = await _call(db, settings, team, mode)
        listed: Any = (
            await list_tasks(call, TasksParams(project=project, batch=batch, status=wanted, limit=1))
        ).content
        done = 0
        with progress("Exporting", "tasks", msgspec.json.decode(listed)["total"]) as advance:
            which = ExportParams(project=project, batch=batch, status=wanted, attempts=attempts)
            pages: Any = (await export_tasks(call, which)).content
            async for page in pages:
                await asyncio.to_thread(target.write, page)
                done += page.count(b"\n")
                advance(page.count(b"\n"))
        return done

    if out == "-":
        with_database(settings, lambda db: work(db, sys.stdout.buffer))
        sys.stdout.buffer.flush()
        return
    done = _into(Path(out), lambda target: with_database(settings, lambda db: work(db, target)))
    print(f"Exported {counted(done, 'task')} to {out}.")


def _into(path: Path, write: Callable[[BinaryIO], int]) -> int:
    """Writes a file next to `path`, and moves it into place when it is complete."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with half.open("wb") as file:
            done = write(file)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return done


async def _call(
    db: Database,
    settings: Settings,
    team: str | None,
    mode: KeyMode,
    chunks: Callable[[], AsyncIterator[bytes]] | None = None,
) -> Any:
    """Returns a call as the API's handlers expect it, made by the owner of the server, who belongs to no team."""
    from refonte_studio.main import AUTHENTICATOR
    from refonte_studio.teams import service as teams
    from refonte_studio.web import Call, Studio

    found = await (db.read(teams.only_team) if team is None else db.read(teams.find_team, team))
    return Call(
        studio=Studio(db, settings, system_clock, AUTHENTICATOR),
        now=system_clock(),
        path={},
        credential=None,
        content_type="application/x-ndjson",
        stream=chunks or _nothing,
        signed_in=Caller(found.id, "", "", Role.ADMIN, mode.value),
    )


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
