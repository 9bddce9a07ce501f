"""Fits annotator models in the background, and computes the results that follow from them.

It also computes results that are too costly to compute where the last attempt is recorded.

The computation runs in a separate process with low priority, so that it does not slow down the server: it reads a
project's attempts, computes, and writes its findings to its standard output, one per line. The server writes them into
the database in small steps, between requests.
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
from refonte_studio.annotator_models.model import (
    ConfidentTasks,
    FitCompleted,
    FitJob,
    FitOutput,
    FittedLabelers,
    FittedQuestions,
    FittedResults,
    StoredAttempt,
)
from refonte_studio.annotator_models.policy import ProjectAttempts, findings
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
CHARACTERS_LIMIT = 200_000_000  # upper bound on the total length of the responses of a fit
RETRY_MS = 60_000  # the pause after a fit that failed
TASKS_PAGE = 2_000
LINE_LIMIT_BYTES = 64_000_000
NICENESS = 10

RESULT_LIMIT_S = 1_800  # the time limit of one result; after it, the result is retried with growing pauses

_findings = msgspec.json.Decoder(FitOutput)
_made = msgspec.json.Decoder(BackgroundResult)
_jobs = msgspec.json.Decoder(FitJob | ResultsJob)

Finder = Callable[[FitJob], AbstractAsyncContextManager[AsyncIterator[FitOutput]]]
Maker = Callable[[ResultsJob], AbstractAsyncContextManager[AsyncIterator[BackgroundResult]]]


async def fit_next(db: Database, clock: Clock, find: Finder) -> int:
    """Fits the models of the project that is due; returns 1, or 0 if none is due.

    Raises FitFailed if the process ends early; the project is retried after a pause.
    """
    job = await db.write(tasks.take_next_fit, clock())
    if job is None:
        return 0
    pause_ms, finished = 0, False  # if this process stops, another may take over at once
    try:
        async with find(job) as found:
            async for finding in found:
                await _keep(db, job, finding, clock())
                finished = isinstance(finding, FitCompleted)
        pause_ms = RETRY_MS
        if not finished:
            raise FitFailed(f"the process ended before the models of project {job.project_id} were fitted")
    except StudioError:
        pause_ms = RETRY_MS
        raise
    finally:
        if not finished:
            await db.write(tasks.postpone_fit, job, clock(), pause_ms)
    return 1


class FitFailed(Exception):
    """A fit, or a result that follows from it, was not completed."""


async def results_next(db: Database, clock: Clock, make: Maker, not_first: str = "") -> str | None:
    """Computes results that are due for one project; returns its team, or None if none is due.

    Raises FitFailed if a result fails; it is retried after a pause.
    """
    if not await db.read(background_results.is_due, clock()):
        return None
    job = await db.write(background_results.take_next, not_first, clock())
    if job is None:
        return None
    left, failed = list(job.task_ids), True  # if this process stops, another takes over
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
        raise FitFailed(f"the result of task {left[0]} was not computed")
    return job.team_id


async def _renew(db: Database, clock: Clock, job: ResultsJob) -> None:
    while True:
        await asyncio.sleep(background_results.RENEW_S)
        with suppress(StudioError):  # the next renewal comes before the lease ends
            await db.write(background_results.renew, job, clock())


async def _in_time(found: AsyncIterator[BackgroundResult]) -> AsyncIterator[BackgroundResult]:
    """Yields the same results; raises FitFailed if one of them takes longer than `RESULT_LIMIT_S`."""
    while True:
        try:
            async with asyncio.timeout(RESULT_LIMIT_S):
                made = await anext(found)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise FitFailed(f"a result takes more than {RESULT_LIMIT_S} s to compute") from error
        yield made


async def _keep(db: Database, job: FitJob, finding: FitOutput, now: int) -> None:
    """Writes one finding in short transactions."""
    match finding:
        case FittedQuestions(questions):
            await db.write(tasks.keep_questions, job, questions)
        case FittedLabelers(people):
            await db.write(tasks.keep_people, job, people)
        case FittedResults(results):
            await db.write(tasks.keep_results, job, results, now)
        case ConfidentTasks(task_ids):
            for task_id in task_ids:
                await db.write(tasks.complete_confident, job, task_id, now)
        case FitCompleted(seen, attempts):
            await db.write(tasks.finish_fit, job, seen, attempts, now)


async def gathered(db: Reads, job: FitJob) -> ProjectAttempts:
    """Reads the input of a fit: the project's newest attempts that count, and their tasks."""
    seen = await db.read(tasks.seen_now, job)
    attempts: list[StoredAttempt] = []
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
    """Runs each job in a separate process and yields its findings."""

    def __init__(self, settings: Settings) -> None:
        self._environment = {**os.environ, **config.environment_of(settings), "OMP_NUM_THREADS": "1"}

    @asynccontextmanager
    async def find(self, job: FitJob) -> AsyncGenerator[AsyncIterator[FitOutput]]:
        """Yields the findings of a fit."""
        async with self._run(job) as lines:
            yield _read(lines, _findings)

    @asynccontextmanager
    async def make(self, job: ResultsJob) -> AsyncGenerator[AsyncIterator[BackgroundResult]]:
        """Yields the results of tasks, one after the other."""
        async with self._run(job) as lines:
            yield _read(lines, _made)

    @asynccontextmanager
    async def _run(self, job: FitJob | ResultsJob) -> AsyncGenerator[asyncio.StreamReader]:
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
    """Computes results in this process, which blocks until they are done."""
    yield results(db, job)


async def results(db: Reads, job: ResultsJob) -> AsyncIterator[BackgroundResult]:
    """Yields the results of the job's tasks, each as soon as it is computed."""
    for task_id in job.task_ids:
        given = await db.read(background_results.given, job, task_id)
        if given is None:  # the task has ended in the meantime
            yield BackgroundResult(task_id, None)
        else:
            task, attempts, known = given
            yield BackgroundResult(task_id, DecodedAttempts.of(task, attempts).result(AnnotatorModels.stored(known)))


@asynccontextmanager
async def here(db: Reads, job: FitJob) -> AsyncGenerator[AsyncIterator[FitOutput]]:
    """Fits models in this process, which blocks until it is done."""
    given = await gathered(db, job)

    async def found() -> AsyncIterator[FitOutput]:
        for finding in findings(job, given):
            yield finding

    yield found()


async def _main(job: FitJob | ResultsJob) -> None:
    """Runs in the separate process."""
    os.nice(NICENESS)
    settings = config.load()
    db = await open_database(settings.database_url, {}, 1)
    try:
        match job:
            case ResultsJob():
                async for made in results(db, job):
                    _tell(made)
                return
            case FitJob():
                gc.disable()  # the process keeps nearly all its objects and ends soon
                given = await gathered(db, job)
    finally:
        await db.close()
    for finding in findings(job, given):
        _tell(finding)


def _tell(found: FitOutput | BackgroundResult) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        with suppress(BrokenPipeError):  # the server process has ended
            asyncio.run(_main(_jobs.decode(sys.stdin.buffer.readline())))
    except (StudioError, ConnectionError) as error:
        sys.exit(f"the models cannot be fitted: {error}")
