"""A gate in the middle of a transaction, which makes two transactions overlap in a known way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from refonte_studio.db import Tx

T = TypeVar("T")
LOOKS = 1_000


class TransactionGate:
    """On PostgreSQL, transactions that reach the gate wait until it is opened. SQLite has one writer and no gate."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def wait(self, tx: Tx) -> None:
        """Waits until the gate is open; called by a use-case of the test."""
        await tx.lock("gate")

    async def until_waiting(self, count: int) -> None:
        """Returns when this many transactions wait, for the gate or for each other."""
        if self._connection is None:
            return
        for _ in range(LOOKS):
            if await self._connection.fetchval("SELECT COUNT(*) FROM pg_locks WHERE NOT granted") >= count:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{count} transactions never waited at once")

    async def open(self) -> None:
        if self._connection is not None:
            await self._connection.execute("SELECT pg_advisory_unlock(hashtextextended('gate', 0))")

    async def during(self, first: Awaitable[T], second: Awaitable[Any]) -> tuple[T, Any]:
        """Runs the first, which reaches the gate, and the second, which waits; opens the gate; both results."""
        one = asyncio.ensure_future(first)
        await self.until_waiting(1)
        two = asyncio.ensure_future(second)
        try:
            await self.until_waiting(2)
        finally:
            await self.open()
        return await one, await two


@asynccontextmanager
async def closed_gate(database_url: str) -> AsyncIterator[TransactionGate]:
    """A gate that is closed."""
    if database_url.startswith("sqlite"):
        yield TransactionGate(None)
        return
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended('gate', 0))")
        yield TransactionGate(connection)
    finally:
        await connection.close()
