"""A replica: a copy of the database, a little behind it, for large reads that decide nothing.

Whatever is wrong with it, the database itself answers in its place.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from refonte_studio.db.engine import Database, Reads, Tx, UseCase
from refonte_studio.db.health import Health
from refonte_studio.db.version import HINT, newest
from refonte_studio.kit.errors import NotFound, Overloaded, StudioError, Unavailable

T = TypeVar("T")
LOOK_S = 10.0  # how often one that failed is looked for

Monotonic = Callable[[], float]


class _OtherSchema(Exception):
    """A migration has not come to the replica yet, or it is a copy of something else."""


async def _has_our_schema(tx: Tx) -> None:
    row = await tx.one("SELECT version_num FROM alembic_version")
    if row is None or row["version_num"] != newest():
        raise _OtherSchema


class Replica:
    """Reads from the copy, and from the database itself while the copy fails.

    What the copy does not know, the database is asked for too: it may have just been made.
    """

    def __init__(self, copy: Database, database: Reads, health: Health, clock: Monotonic = time.monotonic) -> None:
        self._copy = copy
        self._database = database
        self._health = health  # the copy's
        self._clock = clock
        self._serves = False
        self._look_at = clock()

    async def read(self, use_case: UseCase[..., T], *args: Any, **kwargs: Any) -> T:
        """Runs a use-case that changes nothing. Raises Overloaded where the copy has too much to do."""
        if await self.serves():
            try:
                return await self._copy.read(use_case, *args, **kwargs)
            except NotFound:
                pass
            except Overloaded:
                raise  # the database has its own work
            except Unavailable:
                self._serves, self._look_at = False, self._clock() + LOOK_S
        return await self._database.read(use_case, *args, **kwargs)

    async def serves(self) -> bool:
        """Whether the copy can be read. One that failed is looked for every few seconds, by one caller."""
        if not self._serves and self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_S
            try:
                await self._copy.read(_has_our_schema)
                self._serves = True
            except _OtherSchema as error:
                self._health.failed("reads", "its schema is not the server's", error)
            except Unavailable:
                pass  # which the log has
        return self._serves

    async def close(self) -> None:
        """Closes the copy, and leaves the database to whoever opened it."""
        await self._copy.close()


def health_of_a_replica(clock: Monotonic = time.monotonic) -> Health:
    return Health("the replica", "go to the database itself", clock)


async def open_replica(url: str, database: Reads, pool_size: int) -> Replica:
    """Opens a replica on PostgreSQL, which may be away. Raises StudioError for a URL that cannot be read."""
    from refonte_studio.db.postgres import PostgresDatabase

    health = health_of_a_replica()
    replica = Replica(await PostgresDatabase.when_needed(url, pool_size, health), database, health)
    try:
        await replica.serves()
    except ValueError as error:
        await replica.close()
        raise StudioError(f"STUDIO_REPLICA cannot be read{HINT}") from error  # the message may hold the password
    return replica
