"""Makes estimates in the background: what is known of people's answers, and the results that it gives.

The work is done by a process of its own, with low priority, so that the server's goes on: it reads a project's
attempts, thinks, and writes what it finds to its standard output, a line at a time. The server writes that into the
database in small steps, between requests.
"""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import msgspec

from refonte_studio import config
from refonte_studio.config import Settings
from refonte_studio.db import Database, Reads, open_database
from refonte_studio.kit.clock import Clock
from refonte_studio.kit.errors import StudioError
from refonte_studio.tasks import estimation as tasks
from refonte_studio.tasks.estimates import (
    Cleared,
    Finding,
    Finished,
    Given,
    GivenAttempt,
    Job,
    PeopleFound,
    QuestionsFound,
    ResultsFound,
    findings,
)

ATTEMPTS_PAGE = 10_000
CHARACTERS_LIMIT = 200_000_000  # of responses that are gone over, the newest
RETRY_MS = 60_000  # after estimates that were not made
TASKS_PAGE = 2_000
LINE_LIMIT_BYTES = 64_000_000
NICENESS = 10

_lines = msgspec.json.Decoder(Finding)


Finder = Callable[[Job], AbstractAsyncContextManager[AsyncIterator[Finding]]]


async def estimate_next(db: Database, clock: Clock, find: Finder) -> int:
    """Makes the estimates of the project whose turn it is; answers 1, or 0 if none is due.

    Raises NotEstimated where the process that was to find out did not; the project's turn comes again after a pause.
    """
    job = await db.write(tasks.take_next_estimate, clock())
    if job is None:
        return 0
    pause_ms, finished = 0, False  # if this process ends meanwhile, another may go on at once
    try:
        async with find(job) as found:
            async for finding in found:
                await _keep(db, job, finding, clock())
                finished = isinstance(finding, Finished)
        pause_ms = RETRY_MS
        if not finished:
            raise NotEstimated(f"the estimates of project {job.project_id} came to no end")
    except StudioError:
        pause_ms = RETRY_MS
        raise
    finally:
        if not finished:
            await db.write(tasks.put_off_estimate, job, clock(), pause_ms)
    return 1


class NotEstimated(Exception):
    """The process that was to find out ended before it had."""


async def _keep(db: Database, job: Job, finding: Finding, now: int) -> None:
    """One step: transactions that are short."""
    match finding:
        case QuestionsFound(questions):
            await db.write(tasks.keep_questions, job, questions)
        case PeopleFound(people):
            await db.write(tasks.keep_people, job, people)
        case ResultsFound(results):
            await db.write(tasks.keep_results, job, results, now)
        case Cleared(task_ids):
            for task_id in task_ids:
                await db.write(tasks.conclude_clear, job, task_id, now)
        case Finished(seen, attempts):
            await db.write(tasks.finish_estimate, job, seen, attempts, now)


async def gathered(db: Reads, job: Job) -> Given:
    """All that is to be gone over: the project's newest attempts that count, and their tasks."""
    seen = await db.read(tasks.seen_now, job)
    attempts: list[GivenAttempt] = []
    characters = 0
    while len(attempts) < tasks.ATTEMPTS_LIMIT and characters < CHARACTERS_LIMIT:
        before = attempts[-1].id if attempts else None
        page = await db.read(tasks.attempts_page, job, before, ATTEMPTS_PAGE)
        attempts += page
        characters += sum(len(attempt.response) for attempt in page)
        if len(page) < ATTEMPTS_PAGE:
            break
    attempts.reverse()
    ids = list(dict.fromkeys(attempt.task_id for attempt in attempts))
    pages = [await db.read(tasks.tasks_page, job, part) for part in _parts(ids, TASKS_PAGE)]
    return Given(seen, [task for page in pages for task in page], attempts)


def _parts(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))


class Find:
    """Finds out in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self._environment = {**os.environ, **config.environment_of(settings), "OMP_NUM_THREADS": "1"}

    @asynccontextmanager
    async def __call__(self, job: Job) -> AsyncGenerator[AsyncIterator[Finding]]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "refonte_studio.estimator"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT_BYTES,
            env=self._environment,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(job) + b"\n")
            process.stdin.close()
            yield _read(process.stdout)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _read(lines: asyncio.StreamReader) -> AsyncIterator[Finding]:
    async for line in lines:
        yield _lines.decode(line)


@asynccontextmanager
async def here(db: Reads, job: Job) -> AsyncGenerator[AsyncIterator[Finding]]:
    """Finds out in this process, which stands still meanwhile."""
    given = await gathered(db, job)

    async def found() -> AsyncIterator[Finding]:
        for finding in findings(job, given):
            yield finding

    yield found()


async def _main(job: Job) -> None:
    """What the process of its own does."""
    os.nice(NICENESS)
    gc.disable()  # it makes very much, keeps all of it, and is gone soon
    settings = config.load()
    db = await open_database(settings.database_url, {}, 1)
    try:
        given = await gathered(db, job)
    finally:
        await db.close()
    with suppress(BrokenPipeError):  # whoever asked is gone
        for finding in findings(job, given):
            sys.stdout.buffer.write(msgspec.json.encode(finding) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        asyncio.run(_main(msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)))
    except (StudioError, ConnectionError) as error:
        sys.exit(f"the estimates cannot be made: {error}")
