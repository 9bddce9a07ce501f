"""A gate in the middle of a transaction, so that tests can have two of them overlap in a known way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from refonte_studio.db import Tx

T = TypeVar("T")
LOOKS = 1_000


class Gate:
    """On PostgreSQL, transactions that come to the gate wait until it is opened. SQLite has one writer and no gate."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def wait(self, tx: Tx) -> None:
        """For a use-case in the test: goes on when the gate is open."""
        await tx.lock("gate")

    async def someone_waits(self, count: int) -> None:
        """Returns when so many transactions wait, for the gate or for each other."""
        if self._connection is None:
            return
        for _ in range(LOOKS):
            if await self._connection.fetchval("SELECT COUNT(*) FROM pg_locks WHERE NOT granted") >= count:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"there never were {count} transactions waiting")

    async def open(self) -> None:
        if self._connection is not None:
            await self._connection.execute("SELECT pg_advisory_unlock(hashtextextended('gate', 0))")

    async def during(self, first: Awaitable[T], second: Awaitable[Any]) -> tuple[T, Any]:
        """Runs the first, which comes to the gate, then the second, which has to wait for it; opens, and answers."""
        one = asyncio.ensure_future(first)
        await self.someone_waits(1)
        two = asyncio.ensure_future(second)
        try:
            await self.someone_waits(2)
        finally:
            await self.open()
        return await one, await two


@asynccontextmanager
async def closed_gate(database_url: str) -> AsyncIterator[Gate]:
    """A gate that is shut."""
    if database_url.startswith("sqlite"):
        yield Gate(None)
        return
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended('gate', 0))")
        yield Gate(connection)
    finally:
        await connection.close()
