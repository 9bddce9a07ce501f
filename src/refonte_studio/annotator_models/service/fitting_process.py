"""Makes estimates in the background: what is known of people's answers, and the results that it gives.

It also makes the results of those tasks whose consensus costs too much where their last attempt is recorded.

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
from typing import TypeVar

import msgspec

from refonte_studio import config
from refonte_studio.aggregation.model import AnnotatorModels
from refonte_studio.annotator_models.policy import (
    Cleared,
    Finding,
    Finished,
    GivenAttempt,
    Job,
    PeopleFound,
    ProjectAttempts,
    QuestionsFound,
    ResultsFound,
    findings,
)
from refonte_studio.annotator_models.service import refitting as tasks
from refonte_studio.config import Settings
from refonte_studio.db import Database, Reads, open_database
from refonte_studio.kit.clock import Clock
from refonte_studio.kit.errors import StudioError
from refonte_studio.tasks.service import background_results
from refonte_studio.tasks.service.aggregating import DecodedAttempts
from refonte_studio.tasks.service.background_results import BackgroundResult, ResultsJob

T = TypeVar("T")

ATTEMPTS_PAGE = 10_000
CHARACTERS_LIMIT = 200_000_000  # of responses that are gone over, the newest
RETRY_MS = 60_000  # after estimates that were not made
TASKS_PAGE = 2_000
LINE_LIMIT_BYTES = 64_000_000
NICENESS = 10

RESULT_LIMIT_S = 1_800  # for one result; it is tried again, after a pause that grows

_findings = msgspec.json.Decoder(Finding)
_made = msgspec.json.Decoder(BackgroundResult)
_jobs = msgspec.json.Decoder(Job | ResultsJob)

Finder = Callable[[Job], AbstractAsyncContextManager[AsyncIterator[Finding]]]
Maker = Callable[[ResultsJob], AbstractAsyncContextManager[AsyncIterator[BackgroundResult]]]


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


async def results_next(db: Database, clock: Clock, make: Maker, not_first: str = "") -> str | None:
    """Makes results that are due, of the project whose turn it is; answers its team, or None if none is due.

    Raises NotEstimated where they were not made; they come again after a pause.
    """
    if not await db.read(background_results.is_due, clock()):
        return None
    job = await db.write(background_results.take_next, not_first, clock())
    if job is None:
        return None
    left, failed = list(job.task_ids), True  # if this process ends meanwhile, another takes them over
    renewing = asyncio.create_task(_renew(db, clock, job))
    try:
        async with make(job) as found:
            async for made in _in_time(found):
                await db.write(background_results.keep, job, made, clock())
                left.remove(made.task_id)
            failed = bool(left)
    except asyncio.CancelledError:
        failed = False
        raise
    finally:
        renewing.cancel()
        if left:
            await db.write(background_results.put_off, job, left[0] if failed else None, left, clock())
    if left:
        raise NotEstimated(f"the result of task {left[0]} was not made")
    return job.team_id


async def _renew(db: Database, clock: Clock, job: ResultsJob) -> None:
    while True:
        await asyncio.sleep(background_results.RENEW_S)
        with suppress(StudioError):  # it is tried again before the lease ends
            await db.write(background_results.renew, job, clock())


async def _in_time(found: AsyncIterator[BackgroundResult]) -> AsyncIterator[BackgroundResult]:
    """Raises NotEstimated if one of them takes too long."""
    while True:
        try:
            async with asyncio.timeout(RESULT_LIMIT_S):
                made = await anext(found)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise NotEstimated(f"a result takes more than {RESULT_LIMIT_S} s to make") from error
        yield made


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


async def gathered(db: Reads, job: Job) -> ProjectAttempts:
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
    return ProjectAttempts(seen, [task for page in pages for task in page], attempts)


def _parts(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))


class Process:
    """Starts a process of its own for a job, which tells what it finds."""

    def __init__(self, settings: Settings) -> None:
        self._environment = {**os.environ, **config.environment_of(settings), "OMP_NUM_THREADS": "1"}

    @asynccontextmanager
    async def find(self, job: Job) -> AsyncGenerator[AsyncIterator[Finding]]:
        """What a project's attempts tell."""
        async with self._run(job) as lines:
            yield _read(lines, _findings)

    @asynccontextmanager
    async def make(self, job: ResultsJob) -> AsyncGenerator[AsyncIterator[BackgroundResult]]:
        """Results of tasks, one after the other."""
        async with self._run(job) as lines:
            yield _read(lines, _made)

    @asynccontextmanager
    async def _run(self, job: Job | ResultsJob) -> AsyncGenerator[asyncio.StreamReader]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "refonte_studio.annotator_models.service.fitting_process"),
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
            yield process.stdout
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _read(lines: asyncio.StreamReader, decoder: msgspec.json.Decoder[T]) -> AsyncIterator[T]:
    async for line in lines:
        yield decoder.decode(line)


@asynccontextmanager
async def make_here(db: Reads, job: ResultsJob) -> AsyncGenerator[AsyncIterator[BackgroundResult]]:
    """Makes results in this process, which stands still meanwhile."""
    yield results(db, job)


async def results(db: Reads, job: ResultsJob) -> AsyncIterator[BackgroundResult]:
    """The results of the job's tasks, each as soon as it is made."""
    for task_id in job.task_ids:
        given = await db.read(background_results.given, job, task_id)
        if given is None:  # it has ended meanwhile
            yield BackgroundResult(task_id, None)
        else:
            task, attempts, known = given
            yield BackgroundResult(task_id, DecodedAttempts.of(task, attempts).result(AnnotatorModels.stored(known)))


@asynccontextmanager
async def here(db: Reads, job: Job) -> AsyncGenerator[AsyncIterator[Finding]]:
    """Finds out in this process, which stands still meanwhile."""
    given = await gathered(db, job)

    async def found() -> AsyncIterator[Finding]:
        for finding in findings(job, given):
            yield finding

    yield found()


async def _main(job: Job | ResultsJob) -> None:
    """What the process of its own does."""
    os.nice(NICENESS)
    settings = config.load()
    db = await open_database(settings.database_url, {}, 1)
    try:
        match job:
            case ResultsJob():
                async for made in results(db, job):
                    _tell(made)
                return
            case Job():
                gc.disable()  # it makes very much, keeps all of it, and is gone soon
                given = await gathered(db, job)
    finally:
        await db.close()
    for finding in findings(job, given):
        _tell(finding)


def _tell(found: Finding | BackgroundResult) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        with suppress(BrokenPipeError):  # whoever asked is gone
            asyncio.run(_main(_jobs.decode(sys.stdin.buffer.readline())))
    except (StudioError, ConnectionError) as error:
        sys.exit(f"the estimates cannot be made: {error}")
