"""SQLite: one writer with group commit, and reader connections.

A SQLite transaction returns at once, so a use-case's coroutine never suspends, and the writer runs it to its end. Up to
`GROUP` calls share one commit, and none is reported as successful before it. If one of them fails halfway, all are run
again, each in a savepoint.

The event loop itself is the writer: it writes the pending calls when two of its turns have brought no more. A thread
would acquire and release the interpreter lock for every statement, which costs more than the statements. Only what
would block the loop runs in a thread: long use-cases, a lock held by another process, a slow disk.
"""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from refonte_studio.db.engine import (
    Duplicate,
    Engine,
    Event,
    ForeignAwait,
    Listeners,
    Row,
    UseCase,
    is_long,
    is_vital,
)
from refonte_studio.db.health import Health, Kind
from refonte_studio.db.sql import for_sqlite
from refonte_studio.db.sqlite_file import BUSY_AGAIN_MS, BUSY_MS, SqliteFile, Use, is_locked, trouble_with
from refonte_studio.kit.admission import Admission
from refonte_studio.kit.errors import Unavailable

T = TypeVar("T")
GROUP = 64
QUIET_TURNS = 2  # of the event loop, in which nothing more came in, and a group is written
READERS = 4
GIVE_UP_S = 6.0  # how long a write waits behind one that takes long; more than a lock is waited for
GIVE_UP_AGAIN_S = 0.5
OUTLIER = 5  # times that counts a single one at most
SLOW_COMMIT_S = 0.003  # on a disk where commits take longer, the event loop leaves them to a thread
CHECKPOINT_S = 1.0  # between two checkpoints, while there are writes
RECENT = 32  # over about so many commits their time is averaged
KINDS: dict[Use, Kind] = {"read": "reads", "write": "writes"}

log = logging.getLogger(__name__)


class SqliteTx:
    """A transaction on one connection; every method answers without suspending."""

    engine: Engine = "sqlite"

    def __init__(self, connection: sqlite3.Connection, listeners: Listeners) -> None:
        self._connection = connection
        self._listeners = listeners

    def _execute(self, sql: str, values: dict[str, Any]) -> sqlite3.Cursor:
        sql, lists = for_sqlite(sql)
        for name in lists:
            values[name] = msgspec.json.encode(list(values[name])).decode()
        try:
            return self._connection.execute(sql, values)
        except sqlite3.IntegrityError as error:
            raise _meaning_of(error) from error

    async def one(self, sql: str, **values: Any) -> Row | None:
        cursor = self._execute(sql, values)
        row = cursor.fetchone()
        cursor.close()  # ends a RETURNING statement that has more rows
        return row

    async def all(self, sql: str, **values: Any) -> Sequence[Row]:
        return self._execute(sql, values).fetchall()

    async def run(self, sql: str, **values: Any) -> int:
        return self._execute(sql, values).rowcount

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        try:
            self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        except sqlite3.IntegrityError as error:
            raise _meaning_of(error) from error

    async def lock(self, name: str) -> None:
        """There is one writer: the lock is held already."""

    async def tell(self, event: Event) -> None:
        for listener in self._listeners.get(type(event), ()):
            await listener(self, event)


def _meaning_of(error: sqlite3.IntegrityError) -> Exception:
    if "UNIQUE constraint failed" in str(error):
        return Duplicate(str(error).partition(": ")[2])
    return error


def _drive(use_case: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never suspends."""
    try:
        foreign = use_case.send(None)
    except StopIteration as end:
        return end.value
    use_case.close()
    raise ForeignAwait(foreign)


@dataclass(slots=True)
class _Job:
    start: Callable[[SqliteTx], Coroutine[Any, Any, Any]]
    future: asyncio.Future[Any]
    long: bool
    patient: bool  # waits for its turn however long that takes
    came_at: float
    locked: bool = False  # another process kept the database locked
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase:
    """A database file, opened by one server process. Other processes, such as the CLI, may write to it at the same
    time."""

    engine: Engine = "sqlite"

    def __init__(self, path: str, listeners: Listeners) -> None:
        self._file = SqliteFile(path)
        self._listeners = listeners
        self._health = Health()
        self._writes = Admission("writes", 1)
        self._jobs: deque[_Job] = deque()
        self._turn_is_due = False
        self._under_way: asyncio.Future[None] | None = None  # the current work of the writer's thread
        self.occupied = False  # by a long use-case
        self._commit_s = 0.0  # recent average duration of a commit
        self._checkpoint_at = time.monotonic() + CHECKPOINT_S  # when the next checkpoint is due
        self._checkpoint_rest = False  # whether a checkpoint was made, except for later writes
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._reads = Admission("reads", READERS)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._closed = False

    async def write(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        self._check_open()
        first = is_vital(use_case)
        entry = self._writes.enter(first)
        try:
            loop = asyncio.get_running_loop()
            long, start = is_long(use_case), lambda tx: use_case(tx, *args, **kwargs)
            job = _Job(start, loop.create_future(), long, long or first, came_at=entry[0])
            self._jobs.insert(0 if first else len(self._jobs), job)
            self._call_turn(loop)
            return await job.future
        finally:
            self._writes.leave(entry)

    async def single(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.write(use_case, *args, **kwargs)

    async def read(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        self._check_open()
        entry = self._reads.enter(is_vital(use_case))
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._readers, self._read, lambda tx: use_case(tx, *args, **kwargs))
        finally:
            self._reads.leave(entry)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the server is shutting down")

    def _read(self, start: Callable[[SqliteTx], Coroutine[Any, Any, T]]) -> T:
        try:
            with self._file.connection("read", self._busy_ms("reads")) as connection:
                connection.execute("BEGIN")
                try:
                    result = _drive(start(SqliteTx(connection, self._listeners)))
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        except Exception as error:
            if (meaning := self._meaning_of(error, "read")) is not error:
                raise meaning from error
            raise
        self._health.served("reads")
        return result

    def _busy_ms(self, kind: Kind) -> int:
        """Returns how long to wait for another process's lock: not long after a wait that failed, until one
        succeeds."""
        return BUSY_AGAIN_MS if self._health.fails(kind) else BUSY_MS

    def _meaning_of(self, error: BaseException, use: Use) -> BaseException:
        """Returns the error for the caller: Unavailable if the database is the cause."""
        trouble = trouble_with(error, use)
        if trouble is None:
            return error
        self._file.distrust(error)
        return self._health.failed(KINDS[use], trouble, error.__cause__ or error)

    def _call_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._jobs and not self._turn_is_due and self._under_way is None:
            self._turn_is_due = True
            loop.call_soon(self._gather, loop, 0, 0)

    def _gather(self, loop: asyncio.AbstractEventLoop, before: int, quiet: int) -> None:
        """Waits while more calls arrive, until two turns of the event loop bring none, so that many calls share a
        commit. Two, because one turn reads requests and the next starts to serve them."""
        waiting = len(self._jobs)
        quiet = 0 if waiting > before else quiet + 1
        if quiet < QUIET_TURNS and waiting < GROUP:
            loop.call_soon(self._gather, loop, waiting, quiet)
        else:
            self._turn(loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Writes a group of the waiting calls, in the event loop if possible without blocking."""
        self._turn_is_due = False
        group = self._next_group()
        if group[0].long or self._commit_s > SLOW_COMMIT_S or not self._wrote(group, 0):
            self._under_way, self.occupied = loop.create_future(), group[0].long
            self._writer.submit(self._turn_of_thread, group, loop)
            loop.call_later(GIVE_UP_S, self._give_up_waiting, self._under_way, loop)
            return
        _settle(group)
        self._checkpoint_if_due()
        self._call_turn(loop)

    def _checkpoint_if_due(self) -> None:
        if self._checkpoint_rest:  # little remains, so a checkpoint here is fast and restarts the log
            self._checkpoint_rest = False
            self._checkpoint()
        elif time.monotonic() >= self._checkpoint_at:
            self._checkpoint_at = time.monotonic() + CHECKPOINT_S
            self._readers.submit(self._checkpoint_beside)

    def _checkpoint_beside(self) -> None:
        """Copies most of the log into the file, in parallel to reads and writes."""
        self._checkpoint_rest = self._checkpoint()

    def _checkpoint(self) -> bool:
        """Copies the write-ahead log into the file, as far as no reader needs it. Returns whether that succeeded."""
        try:
            with self._file.connection("read", 0) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            return True
        except Exception as error:  # the log grows; the next write reports any further problem
            log.warning("the log of writes could not be carried over: %r", error)
            return False

    def _next_group(self) -> list[_Job]:
        """Returns the first waiting call alone if it is long, or else with the following ones that are not."""
        group = [self._jobs.popleft()]
        while not group[0].long and self._jobs and not self._jobs[0].long and len(group) < GROUP:
            group.append(self._jobs.popleft())
        return group

    def _turn_of_thread(self, group: list[_Job], loop: asyncio.AbstractEventLoop) -> None:
        self._wrote(group, self._busy_ms("writes"))
        try:
            loop.call_soon_threadsafe(self._end_turn_of_thread, group, loop)
        except RuntimeError:  # the loop has ended, so nobody waits for the results
            log.warning("%d answers had nobody waiting", len(group))

    def _end_turn_of_thread(self, group: list[_Job], loop: asyncio.AbstractEventLoop) -> None:
        if self._under_way is not None:
            self._under_way.set_result(None)
            self._under_way, self.occupied = None, False
        _settle(group)
        if any(job.locked for job in group):  # a lock that was waited for in vain is not waited for again
            waiting, self._jobs = list(self._jobs), deque()
            for job in waiting:
                job.error = group[0].error
            _settle(waiting)
        self._checkpoint_if_due()
        self._call_turn(loop)

    def _give_up_waiting(self, turn: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> None:
        """While a turn takes very long, refuses calls that have waited long behind it, except patient ones."""
        if turn.done():
            return
        latest = time.monotonic() - GIVE_UP_S
        late = [job for job in self._jobs if job.came_at <= latest and not job.patient]
        self._jobs = deque(job for job in self._jobs if job.came_at > latest or job.patient)
        for job in late:
            job.error = self._writes.refusal()
        _settle(late)
        loop.call_later(GIVE_UP_AGAIN_S, self._give_up_waiting, turn, loop)

    def _wrote(self, group: list[_Job], busy_ms: int) -> bool:
        """Writes a group and commits it. Returns False if that would have to wait for another process's lock."""
        try:
            with self._file.connection("write", busy_ms) as connection:
                self._commit_group(connection, group)
        except Exception as error:  # nothing was committed that anybody was told of
            if is_locked(error) and busy_ms == 0:
                return False
            meaning = self._meaning_of(error, "write")
            for job in group:  # errors inside the group may be due to changes that were rolled back
                job.locked, job.error = is_locked(error), meaning
        return True

    def _commit_group(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        tx = SqliteTx(connection, self._listeners)
        changes = connection.total_changes
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not all(self._did(job, tx, connection) for job in group):
                self._do_apart(group, tx, connection)
            began = time.perf_counter()
            connection.execute("COMMIT")
            took_s = time.perf_counter() - began
            self._file.check()
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if connection.total_changes > changes:
            self._commit_s += (min(took_s, OUTLIER * SLOW_COMMIT_S) - self._commit_s) / RECENT
            if any(job.error is None for job in group):
                self._health.served("writes")

    def _did(self, job: _Job, tx: SqliteTx, connection: sqlite3.Connection) -> bool:
        """Runs one job of a group. Returns False if it failed and left changes behind."""
        if job.future.cancelled():
            return True
        changes = connection.total_changes
        try:
            job.result, job.error = _drive(job.start(tx)), None
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # the error belongs to this caller alone; the others go on
            if not connection.in_transaction:  # a full or failing disk ends the whole transaction
                raise
            job.error = self._meaning_of(error, "write")
            return connection.total_changes == changes
        return True

    def _do_apart(self, group: list[_Job], tx: SqliteTx, connection: sqlite3.Connection) -> None:
        """Runs a group again, each job in a savepoint, because one left changes behind. Savepoints make everything
        slower, and jobs rarely fail after changing something."""
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        for job in group if len(group) > 1 else ():  # a single job has left nothing behind by now
            connection.execute("SAVEPOINT use_case")
            if not self._did(job, tx, connection):
                connection.execute("ROLLBACK TO use_case")
            connection.execute("RELEASE use_case")

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        while self._jobs or self._under_way is not None:
            await (asyncio.wait([self._under_way]) if self._under_way is not None else asyncio.sleep(0))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._writer.shutdown)
        await loop.run_in_executor(None, self._readers.shutdown)
        self._file.close()


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
