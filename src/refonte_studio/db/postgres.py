"""PostgreSQL: one transaction per use-case on a pooled connection, retried on conflicts."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import asyncpg

from refonte_studio.db.engine import Duplicate, Engine, Event, ForeignAwait, Listeners, Row, UseCase, is_long, is_vital
from refonte_studio.db.health import Health, Kind
from refonte_studio.db.sql import for_postgres
from refonte_studio.kit.admission import Admission
from refonte_studio.kit.backoff import doubling
from refonte_studio.kit.errors import Unavailable

T = TypeVar("T")
TRIES = 6
CONNECT_TIMEOUT_S = 5.0  # to get a connection, pooled or new
CONNECT_AGAIN_S = 2.0  # the same, if the database failed at the last attempt
COMMAND_TIMEOUT_S = 20.0  # per statement
READ_TIMEOUT_S = 120.0  # per statement that only reads, and may have very many rows to process
LONG_TIMEOUT_S = 600.0  # per statement of a long use-case
LOCK_TIMEOUT_MS = 5_000
LONG_LOCK_TIMEOUT_MS = 60_000
WAIT_S = 0.5  # for a connection, at the current pace; a request may need several, one after another
EXPIRE_S = 1.0  # shortest interval between two expirations of connections with outdated plans

# never caused by this code: the connection was lost during an operation
_LOST_COUNT = "another operation is in progress"
_COLLISIONS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
# The connection was lost. Work that was not being committed may be repeated on another connection.
_CUT = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    ConnectionError,
)
_TROUBLES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (_CUT, "the connection to it was lost"),
    ((asyncpg.CannotConnectNowError,), "it is starting or ending"),
    ((asyncpg.TooManyConnectionsError,), "it has no connection left"),
    ((asyncpg.ReadOnlySQLTransactionError,), "it is read-only"),
    ((asyncpg.DiskFullError,), "its disk is full"),
    ((asyncpg.InsufficientResourcesError,), "it is short of memory or other resources"),
    ((asyncpg.QueryCanceledError,), "a statement took longer than it allows, or was cancelled there"),
    ((asyncpg.LockNotAvailableError,), "a lock was not to be had in the time that it allows"),
    ((asyncpg.OperatorInterventionError,), "its administrator has stopped this"),
    ((asyncpg.InvalidAuthorizationSpecificationError,), "it does not accept the server's user or password"),
    ((asyncpg.InvalidCatalogNameError,), "it is not there"),
    ((asyncpg.UndefinedTableError,), "it lacks the server's tables"),
    ((asyncpg.PostgresSystemError, asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError), "its disk fails"),
    ((TimeoutError,), "it did not answer in time"),
    ((OSError,), "the connection to it was lost"),
)


class _Step:
    """What a use-case awaits: a call on the connection, made by the code that drives the use-case."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.call = call

    def __await__(self) -> Generator["_Step", Any, Any]:
        return (yield self)


class PostgresTx:
    engine: Engine = "postgresql"

    def __init__(self, connection: Any, listeners: Listeners, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        self._connection = connection
        self._listeners = listeners
        self._timeout_s = timeout_s

    async def one(self, sql: str, **values: Any) -> Row | None:
        sql, order = for_postgres(sql)
        return await _Step(
            lambda: self._connection.fetchrow(sql, *[values[name] for name in order], timeout=self._timeout_s)
        )

    async def all(self, sql: str, **values: Any) -> Sequence[Row]:
        sql, order = for_postgres(sql)
        return await _Step(
            lambda: self._connection.fetch(sql, *[values[name] for name in order], timeout=self._timeout_s)
        )

    async def run(self, sql: str, **values: Any) -> int:
        sql, order = for_postgres(sql)
        tag: str = await _Step(
            lambda: self._connection.execute(sql, *[values[name] for name in order], timeout=self._timeout_s)
        )
        changed = tag.rpartition(" ")[2]
        return int(changed) if changed.isdigit() else 0

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        await _Step(
            lambda: self._connection.copy_records_to_table(
                table, records=rows, columns=list(columns), timeout=self._timeout_s
            )
        )

    async def lock(self, name: str) -> None:
        await self.one("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", name=name)

    async def tell(self, event: Event) -> None:
        for listener in self._listeners.get(type(event), ()):
            await listener(self, event)


async def _drive(use_case: Coroutine[Any, Any, T], most: int | None = None) -> T:
    """Runs a use-case, making its calls one by one; `most` limits their number."""
    answer: Any = None
    error: Exception | None = None
    for made in count():
        try:
            step = use_case.send(answer) if error is None else use_case.throw(error)
        except StopIteration as end:
            return end.value
        if not isinstance(step, _Step):
            use_case.close()
            raise ForeignAwait(step)
        if made == most:
            use_case.close()
            raise RuntimeError("a use-case that is run singly has a second statement")
        answer, error = None, None
        try:
            answer = await step.call()
        except asyncpg.UniqueViolationError as refused:
            error = Duplicate(str(getattr(refused, "constraint_name", "")))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as failed:
            error = failed
    raise AssertionError("unreachable")


# Plans of the statements of `single` use indexes, row by row, whatever the statistics. They are made once per
# connection, often while the tables are almost empty, and must remain good when the tables grow. In transactions, the
# planner decides freely.
_CHOICES = ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "sort")
SESSION = {
    **{f"enable_{choice}": "off" for choice in _CHOICES},
    "jit": "off",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "plan_cache_mode": "force_generic_plan",
}
_FREELY = "".join(f"; SET LOCAL enable_{choice} = on" for choice in _CHOICES) + "; SET LOCAL plan_cache_mode = auto"
_WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED{_FREELY}"
_WRITE_LONG = f"{_WRITE}; SET LOCAL lock_timeout = {LONG_LOCK_TIMEOUT_MS}"
_READ = f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY{_FREELY}"


async def _set_up(connection: Any) -> None:
    await connection.execute("; ".join(f"SET {name} = {value}" for name, value in SESSION.items()))


@asynccontextmanager
async def _transaction(connection: Any, begin: str) -> AsyncGenerator[None]:
    await connection.execute(begin)
    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        if not succeeded and not connection.is_closed():
            await _roll_back(connection)
    if await connection.execute("COMMIT") != "COMMIT":
        raise RuntimeError("a use-case went on after a statement that failed, so that nothing of it could be committed")


async def _roll_back(connection: Any) -> None:
    try:
        await connection.execute("ROLLBACK")
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if connection.is_closed():
            raise
        connection.terminate()  # lost during an operation, so its state is unknown
        raise ConnectionResetError(str(error)) from error


async def _leave_as_it_is(_connection: Any) -> None:
    """Transactions leave no state on a connection, so the pool need not spend a round trip on resetting it."""


async def _pool(url: str, min_size: int, max_size: int) -> Any:
    return await asyncpg.create_pool(
        url,
        min_size=min_size,
        max_size=max_size,
        command_timeout=COMMAND_TIMEOUT_S,
        max_inactive_connection_lifetime=300,
        init=_set_up,
        reset=_leave_as_it_is,
    )


@dataclass(slots=True)
class _Progress:
    """The progress of a try. If the connection is lost while committing, nobody knows whether the commit succeeded."""

    connected: bool = False
    committing: bool = False


class PostgresDatabase:
    engine: Engine = "postgresql"

    def __init__(self, pool: Any, listeners: Listeners, health: Health | None = None) -> None:
        self._pool = pool
        self._listeners = listeners
        self._health = health or Health()
        self._admission = Admission(f"calls of {self._health.name}", pool.get_max_size(), WAIT_S)
        self._expired_at = 0.0

    @classmethod
    async def connect(cls, url: str, listeners: Listeners, pool_size: int) -> "PostgresDatabase":
        try:
            pool = await _pool(url, 1, pool_size)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            trouble = _trouble_with(error, connected=False) or "it cannot be opened"
            raise Unavailable(f"the database cannot serve: {trouble} ({error})") from error
        return cls(pool, listeners)

    @classmethod
    async def when_needed(cls, url: str, pool_size: int, health: Health) -> "PostgresDatabase":
        """Returns a database that connects at first use, so that it may be unreachable until then. It has no
        listeners."""
        return cls(await _pool(url, 0, pool_size), {}, health)

    async def write(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        long = is_long(use_case)
        timeout_s = LONG_TIMEOUT_S if long else COMMAND_TIMEOUT_S

        async def work(connection: Any, progress: _Progress) -> T:
            async with _transaction(connection, _WRITE_LONG if long else _WRITE):
                result = await _drive(use_case(PostgresTx(connection, self._listeners, timeout_s), *args, **kwargs))
                progress.committing = True
            return result

        return await self._admitted("writes", work, is_vital(use_case))

    async def single(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        async def work(connection: Any, progress: _Progress) -> T:
            progress.committing = True  # each statement commits by itself
            return await _drive(use_case(PostgresTx(connection, self._listeners), *args, **kwargs), most=1)

        return await self._admitted("writes", work, is_vital(use_case))

    async def read(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        async def work(connection: Any, _progress: _Progress) -> T:
            async with _transaction(connection, _READ):
                return await _drive(use_case(PostgresTx(connection, self._listeners, READ_TIMEOUT_S), *args, **kwargs))

        return await self._admitted("reads", work, is_vital(use_case))

    async def _admitted(self, kind: Kind, work: Callable[[Any, _Progress], Awaitable[T]], vital: bool) -> T:
        entry = self._admission.enter(vital)
        try:
            return await self._tried(kind, work)
        finally:
            self._admission.leave(entry)

    async def _tried(self, kind: Kind, work: Callable[[Any, _Progress], Awaitable[T]]) -> T:
        """Does the work on a connection; repeats it a limited number of times on conflicts, and once if the connection
        is lost.

        Raises Unavailable if the database is the cause.
        """
        cut = False
        for attempt in range(1, TRIES + 1):
            progress = _Progress()
            try:
                result = await self._connected(kind, work, progress)
            except _COLLISIONS as error:
                if attempt == TRIES:
                    raise Unavailable(f"too many transactions collided: {error}") from error
            except (asyncpg.PostgresError, OSError, TimeoutError) as error:
                if cut or not progress.connected or progress.committing or not isinstance(error, _CUT):
                    await self._expire_after(error, kind)
                    meaning = self._meaning_of(error, kind, progress)
                    raise meaning from (error if meaning is not error else error.__cause__)
                cut = True  # nothing was committed, so it can be repeated on another connection
            else:
                self._health.served(kind)
                return result
            await asyncio.sleep(random.random() * doubling(0.02, attempt - 1, 1.0))
        raise AssertionError("unreachable")

    async def _connected(self, kind: Kind, work: Callable[[Any, _Progress], Awaitable[T]], progress: _Progress) -> T:
        if self._pool.is_closing():
            raise Unavailable("the server is shutting down")
        timeout_s = CONNECT_AGAIN_S if self._health.fails(kind) else CONNECT_TIMEOUT_S
        try:
            connection = await self._pool.acquire(timeout=timeout_s)
        except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise ConnectionResetError(str(error)) from error  # lost while it was set up
        progress.connected = True
        try:
            return await self._worked(connection, work, progress)
        finally:
            with suppress(*_CUT, asyncpg.InterfaceError, asyncpg.InternalClientError):  # lost; the pool has it back
                await self._pool.release(connection)

    async def _worked(self, connection: Any, work: Callable[[Any, _Progress], Awaitable[T]], progress: _Progress) -> T:
        try:
            return await work(connection, progress)
        except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            lost_count = isinstance(error, asyncpg.InternalClientError) or _LOST_COUNT in str(error)
            if not _is_closed(connection):
                if not lost_count:
                    raise  # a bug in this code
                connection.terminate()
            raise ConnectionResetError(str(error)) from error

    def _meaning_of(self, error: Exception, kind: Kind, progress: _Progress) -> Exception:
        """Returns the error for the caller: Unavailable if the database is the cause."""
        if kind == "reads" and isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            return error  # what is meant to read tried to write
        if isinstance(error, TimeoutError) and not progress.connected and self._all_connected():
            return self._admission.refusal()
        trouble = _trouble_with(error, progress.connected)
        if trouble is None:
            return error
        meaning = self._health.failed(kind, trouble, error)
        if progress.committing and isinstance(error, (*_CUT, TimeoutError)):
            meaning = Unavailable(f"{meaning.message} while it was to commit this, so that it may or may not be done")
        return meaning

    def _all_connected(self) -> bool:
        return self._pool.get_size() == self._pool.get_max_size()

    async def _expire_after(self, error: Exception, kind: Kind) -> None:
        """Where writes are refused, has connections made anew: each keeps the default and the server it began with."""
        refused = kind == "writes" and isinstance(error, asyncpg.ReadOnlySQLTransactionError)
        if refused and time.monotonic() - self._expired_at >= EXPIRE_S:
            self._expired_at = time.monotonic()
            await self._pool.expire_connections()

    @property
    def occupied(self) -> bool:
        return False

    async def close(self) -> None:
        await self._pool.close()


def _trouble_with(error: Exception, connected: bool) -> str | None:
    """Describes the problem of the database for operators; None if it is not the cause, for example because of a
    bug."""
    if not connected and isinstance(error, OSError):
        return "it cannot be reached"
    return next((words for kinds, words in _TROUBLES if isinstance(error, kinds)), None)


def _is_closed(connection: Any) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool has taken back what is left of it
