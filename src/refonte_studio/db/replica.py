"""A replica: a slightly outdated copy of the database, for large reads that decide nothing.

If it fails, the database itself answers.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from refonte_studio.db.engine import Database, Reads, Tx, UseCase
from refonte_studio.db.health import Health
from refonte_studio.db.version import HINT, newest
from refonte_studio.kit.errors import NotFound, Overloaded, StudioError, Unavailable

T = TypeVar("T")
LOOK_S = 10.0  # interval between checks of a failed replica

Monotonic = Callable[[], float]


class _OtherSchema(Exception):
    """The replica has not received a migration yet, or is a copy of another database."""


async def _has_our_schema(tx: Tx) -> None:
    row = await tx.one("SELECT version_num FROM alembic_version")
    if row is None or row["version_num"] != newest():
        raise _OtherSchema


class Replica:
    """Reads from the replica, and from the database while the replica fails.

    Objects missing in the replica are also looked up in the database, because they may be new.
    """

    def __init__(self, copy: Database, database: Reads, health: Health, clock: Monotonic = time.monotonic) -> None:
        self._copy = copy
        self._database = database
        self._health = health  # the replica's
        self._clock = clock
        self._serves = False
        self._look_at = clock()

    async def read(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        """Runs a read-only use-case. Raises Overloaded if the replica has too much to do."""
        if await self.serves():
            try:
                return await self._copy.read(use_case, *args, **kwargs)
            except NotFound:
                pass
            except Overloaded:
                raise  # the database must not take over this load
            except Unavailable:
                self._serves, self._look_at = False, self._clock() + LOOK_S
        return await self._database.read(use_case, *args, **kwargs)

    async def serves(self) -> bool:
        """Whether the replica can be read. A failed one is checked every few seconds, by one caller."""
        if not self._serves and self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_S
            try:
                await self._copy.read(_has_our_schema)
                self._serves = True
            except _OtherSchema as error:
                self._health.failed("reads", "its schema is not the server's", error)
            except Unavailable:
                pass  # already logged
        return self._serves

    async def close(self) -> None:
        """Closes the replica, but not the database."""
        await self._copy.close()


def health_of_a_replica(clock: Monotonic = time.monotonic) -> Health:
    return Health("the replica", "go to the database itself", clock)


async def open_replica(url: str, database: Reads, pool_size: int) -> Replica:
    """Opens a replica on PostgreSQL, which may be unreachable. Raises StudioError for an invalid URL."""
    from refonte_studio.db.postgres import PostgresDatabase

    health = health_of_a_replica()
    replica = Replica(await PostgresDatabase.when_needed(url, pool_size, health), database, health)
    try:
        await replica.serves()
    except ValueError as error:
        await replica.close()
        raise StudioError(f"STUDIO_REPLICA cannot be read{HINT}") from error  # the message may contain the password
    return replica
