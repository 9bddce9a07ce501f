"""Whether the database serves: what its work shows of that, and probes for when there is no work."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from refonte_studio.db.engine import Tx, vital
from refonte_studio.kit.errors import Unavailable

QUIET_S = 5.0  # how long nothing must have failed before a success is logged as the end of the trouble

Kind = Literal["reads", "writes"]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Trouble:
    last_at: float = 0.0
    now: bool = True  # whether the last try failed
    told: set[str] = field(default_factory=set)


class Health:
    """What the database can do, as its work shows. Changes are logged, once each, however many calls meet them.

    Used by every thread that works on the database. The log calls it by its `name`, and says what becomes of the work
    that it cannot do.
    """

    def __init__(
        self, name: str = "the database", becomes: str = "fail", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._becomes = becomes
        self._clock = clock
        self._lock = threading.Lock()
        self._troubles: dict[Kind, _Trouble] = {}

    def fails(self, kind: Kind) -> bool:
        """Whether such work failed the last time that it was tried."""
        trouble = self._troubles.get(kind)
        return trouble is not None and trouble.now

    def failed(self, kind: Kind, what: str, cause: BaseException) -> Unavailable:
        """Takes note of a failure and answers the error for the caller.

        `what` says in a few words what is wrong with the database. The cause, which may tell of paths and addresses, is
        for the log alone.
        """
        with self._lock:
            trouble = self._troubles.setdefault(kind, _Trouble())
            trouble.last_at, trouble.now = self._clock(), True
            new = what not in trouble.told
            trouble.told.add(what)
        if new:
            log.error("%s cannot serve: %s; %s %s (%r)", self.name, what, kind, self._becomes, cause)
        return Unavailable(f"{self.name} cannot serve this now: {what}")

    def served(self, kind: Kind) -> None:
        """Takes note of a success."""
        trouble = self._troubles.get(kind)
        if trouble is None:
            return
        with self._lock:
            trouble.now = False
            over = self._clock() - trouble.last_at >= QUIET_S and self._troubles.pop(kind, None) is not None
        if over:
            log.warning("%s serves again: %s succeed", self.name, kind)


@vital
async def probe(tx: Tx) -> None:
    """Reads something; raises what any read would."""
    await tx.one("SELECT version_num FROM alembic_version")


@vital
async def probe_write(tx: Tx) -> None:
    """Writes something and leaves all as it is; raises what any write would."""
    if tx.engine == "sqlite":
        await tx.run("UPDATE alembic_version SET version_num = version_num")
    else:  # an update would leave a dead row behind each time, and wait for whoever migrates
        await tx.one("SELECT version_num FROM alembic_version FOR UPDATE SKIP LOCKED")
