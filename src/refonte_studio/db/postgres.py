"""PostgreSQL: one transaction per use-case on a pooled connection, retried when two of them collide."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any, TypeVar

import asyncpg

from refonte_studio.db.engine import Duplicate, Engine, Event, ForeignAwait, Listeners, Row, UseCase
from refonte_studio.db.sql import for_postgres
from refonte_studio.kit.errors import Unavailable

T = TypeVar("T")
TRIES = 6
ACQUIRE_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 120.0

log = logging.getLogger(__name__)

_COLLISIONS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    OSError,
    TimeoutError,
)


class _Step:
    """What a use-case awaits: one call on the connection, made by whoever drives the use-case."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.call = call

    def __await__(self) -> Generator["_Step", Any, Any]:
        return (yield self)


class PostgresTx:
    engine: Engine = "postgresql"

    def __init__(self, connection: Any, listeners: Listeners) -> None:
        self._connection = connection
        self._listeners = listeners

    async def one(self, sql: str, **values: Any) -> Row | None:
        sql, order = for_postgres(sql)
        return await _Step(lambda: self._connection.fetchrow(sql, *[values[name] for name in order]))

    async def all(self, sql: str, **values: Any) -> Sequence[Row]:
        sql, order = for_postgres(sql)
        return await _Step(lambda: self._connection.fetch(sql, *[values[name] for name in order]))

    async def run(self, sql: str, **values: Any) -> int:
        sql, order = for_postgres(sql)
        tag: str = await _Step(lambda: self._connection.execute(sql, *[values[name] for name in order]))
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        await _Step(lambda: self._connection.copy_records_to_table(table, records=rows, columns=list(columns)))

    async def lock(self, name: str) -> None:
        await self.one("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", name=name)

    async def tell(self, event: Event) -> None:
        for listener in self._listeners.get(type(event), ()):
            await listener(self, event)


async def _drive(use_case: Coroutine[Any, Any, T]) -> T:
    """Runs a use-case, making its calls one by one."""
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            step = use_case.send(answer) if error is None else use_case.throw(error)
        except StopIteration as end:
            return end.value
        if not isinstance(step, _Step):
            use_case.close()
            raise ForeignAwait(step)
        answer, error = None, None
        try:
            answer = await step.call()
        except asyncpg.UniqueViolationError as refused:
            error = Duplicate(str(getattr(refused, "constraint_name", "")))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as failed:
            error = failed


async def _leave_as_it_is(_connection: Any) -> None:
    """A transaction leaves nothing behind on its connection, so the pool need not spend a round trip on cleaning it."""


class PostgresDatabase:
    engine: Engine = "postgresql"

    def __init__(self, pool: Any, listeners: Listeners) -> None:
        self._pool = pool
        self._listeners = listeners

    @classmethod
    async def connect(cls, url: str, listeners: Listeners, pool_size: int) -> "PostgresDatabase":
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=pool_size,
                command_timeout=COMMAND_TIMEOUT_S,
                max_inactive_connection_lifetime=300,
                reset=_leave_as_it_is,
            )
        except (*_GONE, asyncpg.PostgresError) as error:
            raise Unavailable(f"the database cannot be opened: {error!r}") from error
        return cls(pool, listeners)

    async def write(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        return await self._run(lambda tx: use_case(tx, *args, **kwargs), isolation="read_committed", readonly=False)

    async def read(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        return await self._run(lambda tx: use_case(tx, *args, **kwargs), isolation="repeatable_read", readonly=True)

    async def _run(self, start: Callable[[PostgresTx], Coroutine[Any, Any, T]], isolation: str, readonly: bool) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                async with (
                    self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection,
                    connection.transaction(isolation=isolation, readonly=readonly),
                ):
                    return await _drive(start(PostgresTx(connection, self._listeners)))
            except _COLLISIONS as error:
                if attempt == TRIES:
                    raise Unavailable(f"too many transactions collided: {error}") from error
            except asyncpg.exceptions.DataError:  # an InterfaceError by birth, but a bug of ours
                raise
            except _GONE as error:
                log.error("the database cannot serve: %r", error)
                raise Unavailable(f"the database cannot serve this now: {error!r}") from error
            await asyncio.sleep(random.uniform(0, 0.01) * 2**attempt)
        raise AssertionError("unreachable")

    async def close(self) -> None:
        await self._pool.close()
