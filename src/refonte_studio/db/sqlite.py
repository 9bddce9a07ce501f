"""SQLite: one writer thread with group commit, and reader connections beside it.

`write` queues a call to the writer thread. There the transaction answers at once, so the use-case's coroutine never
suspends and the thread drives it to its end, inside a savepoint. Up to `GROUP` calls share one commit, and nobody
hears of success before it.
"""

import asyncio
import json
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from refonte_studio.db.engine import Duplicate, Engine, Event, ForeignAwait, Listeners, Row, UseCase
from refonte_studio.db.health import Health, Kind
from refonte_studio.db.sql import for_sqlite
from refonte_studio.db.sqlite_file import BUSY_AGAIN_MS, BUSY_MS, SqliteFile, Use, is_locked, trouble_with
from refonte_studio.kit.admission import Admission
from refonte_studio.kit.errors import Unavailable

T = TypeVar("T")
GROUP = 64
WRITES = 4 * GROUP  # in the writer's hands at a time; more wait before it
READERS = 4
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
            values[name] = json.dumps(list(values[name]))
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
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase:
    """A database file, opened by one server process. Other processes (the CLI) may write beside it."""

    engine: Engine = "sqlite"

    def __init__(self, path: str, listeners: Listeners) -> None:
        self._file = SqliteFile(path)
        self._listeners = listeners
        self._health = Health()
        self._writes = Admission("writes", WRITES)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reads = Admission("reads", READERS)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._closed = False
        self._writer = threading.Thread(target=self._write_loop, name="sqlite-writer", daemon=True)
        self._writer.start()

    async def write(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        began = await self._writes.enter()
        try:
            self._check_open()
            loop = asyncio.get_running_loop()
            job = _Job(lambda tx: use_case(tx, *args, **kwargs), loop.create_future(), loop)
            self._jobs.put(job)
            return await job.future
        finally:
            self._writes.leave(began)

    async def read(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        began = await self._reads.enter()
        try:
            self._check_open()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._readers, self._read, lambda tx: use_case(tx, *args, **kwargs))
        finally:
            self._reads.leave(began)

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
        """How long to wait for another process's lock. Once that was in vain, not long, until it is not."""
        return BUSY_AGAIN_MS if self._health.fails(kind) else BUSY_MS

    def _meaning_of(self, error: BaseException, use: Use) -> BaseException:
        """The error for the caller: Unavailable where the database is to blame."""
        trouble = trouble_with(error, use)
        return error if trouble is None else self._health.failed(KINDS[use], trouble, error)

    def _write_loop(self) -> None:
        while (first := self._jobs.get()) is not None:
            group = [first]
            last = self._gather(group, GROUP)
            try:
                with self._file.connection("write", self._busy_ms("writes")) as connection:
                    self._commit_group(connection, group)
            except Exception as error:  # nothing was committed that anybody heard of
                if is_locked(error):  # nobody waits for the same lock after somebody else did in vain
                    last = last or self._gather(group, len(group) + WRITES)
                for job in group:
                    job.error = job.error or self._meaning_of(error, "write")
            _answer(group)
            if last:
                return

    def _gather(self, group: list[_Job], limit: int) -> bool:
        """Adds jobs that are waiting; answers whether there will be no more."""
        while len(group) < limit and not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job is None:
                return True
            group.append(job)
        return False

    def _commit_group(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        tx = SqliteTx(connection, self._listeners)
        changes = connection.total_changes
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in group:
                self._do(job, tx, connection)
            connection.execute("COMMIT")
            self._file.check()
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if connection.total_changes > changes and any(job.error is None for job in group):
            self._health.served("writes")

    def _do(self, job: _Job, tx: SqliteTx, connection: sqlite3.Connection) -> None:
        """One job of a group, in a savepoint of its own."""
        if job.future.cancelled():
            return
        connection.execute("SAVEPOINT use_case")
        try:
            job.result = _drive(job.start(tx))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # it belongs to this caller alone; the others go on
            job.error = self._meaning_of(error, "write")
            if not connection.in_transaction:  # a full or failing disk takes the whole transaction down
                raise
            connection.execute("ROLLBACK TO use_case")
        connection.execute("RELEASE use_case")

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._jobs.put, None)
        await loop.run_in_executor(None, self._writer.join)
        await loop.run_in_executor(None, self._readers.shutdown)
        self._file.close()


def _answer(group: list[_Job]) -> None:
    """Wakes the callers, one visit to their event loop for all of them."""
    for loop in {job.loop for job in group}:
        mine = [job for job in group if job.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle, mine)
        except RuntimeError:  # the loop has ended: there is nobody left to tell
            log.warning("%d answers had nobody waiting", len(mine))


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
