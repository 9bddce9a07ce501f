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
from refonte_studio.db.sql import for_sqlite
from refonte_studio.kit.errors import Unavailable

T = TypeVar("T")
GROUP = 64
QUEUE_LIMIT = 4_096
READERS = 4
BUSY_TIMEOUT_MS = 5_000
# A claim's statements make small temporary tables; in a file, each of them costs more than the rest of the claim.
WRITER = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -32000", "temp_store = MEMORY")

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
        self._path = path
        self._listeners = listeners
        self._jobs: queue.Queue[_Job | None] = queue.Queue(QUEUE_LIMIT)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._closed = False
        self._writer = threading.Thread(target=self._write_loop, name="sqlite-writer", daemon=True)
        self._writer.start()

    def _connect(self, *pragmas: str) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=512)
        connection.row_factory = sqlite3.Row
        for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
        self._opened.append(connection)
        return connection

    async def write(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        if self._closed:
            raise Unavailable("the server is shutting down")
        loop = asyncio.get_running_loop()
        job = _Job(lambda tx: use_case(tx, *args, **kwargs), loop.create_future(), loop)
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Unavailable("the server has more writes waiting than it can serve") from None
        return await job.future

    async def read(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        if self._closed:
            raise Unavailable("the server is shutting down")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, lambda tx: use_case(tx, *args, **kwargs))

    def _read(self, start: Callable[[SqliteTx], Coroutine[Any, Any, T]]) -> T:
        try:
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect("query_only = ON", "cache_size = -8000")
            connection.execute("BEGIN")
            try:
                return _drive(start(SqliteTx(connection, self._listeners)))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise _unavailable(error) from error

    def _write_loop(self) -> None:
        connection: sqlite3.Connection | None = None
        while (first := self._jobs.get()) is not None:
            group = [first]
            stop = False
            while len(group) < GROUP and not self._jobs.empty():
                job = self._jobs.get_nowait()
                if job is None:
                    stop = True
                    break
                group.append(job)
            try:
                if connection is None:
                    connection = self._connect(*WRITER)
                self._commit_group(connection, group)
            except sqlite3.Error as error:
                for job in group:
                    job.error = job.error or _unavailable(error)
            _answer(group)
            if stop:
                return

    def _commit_group(self, connection: sqlite3.Connection, group: list[_Job]) -> None:
        tx = SqliteTx(connection, self._listeners)
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in group:
                connection.execute("SAVEPOINT use_case")
                try:
                    job.result = _drive(job.start(tx))
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException as error:  # it belongs to this caller alone; the others go on
                    job.error = _unavailable(error) if isinstance(error, sqlite3.OperationalError) else error
                    connection.execute("ROLLBACK TO use_case")
                connection.execute("RELEASE use_case")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._jobs.put, None)
        await loop.run_in_executor(None, self._writer.join)
        await loop.run_in_executor(None, self._readers.shutdown)
        for connection in self._opened:
            connection.close()


def _unavailable(error: BaseException) -> Unavailable:
    log.error("the database cannot serve: %s", error)
    return Unavailable(f"the database cannot serve this now: {error}")


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
