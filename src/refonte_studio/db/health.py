"""The health of the database, from the results of its work, and probes for when there is no work."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from refonte_studio.db.engine import Tx, vital
from refonte_studio.kit.errors import Unavailable

QUIET_S = 5.0  # time without failures before a success is logged as the end of the trouble

Kind = Literal["reads", "writes"]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Trouble:
    last_at: float = 0.0
    now: bool = True  # whether the last try failed
    told: set[str] = field(default_factory=set)


class Health:
    """The health of the database, from the results of its work. Each change is logged once, however many calls see it.

    Used by all threads that work on the database. The log refers to it by `name`, and says what happens to the work
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
        """Whether the last work of this kind failed."""
        trouble = self._troubles.get(kind)
        return trouble is not None and trouble.now

    def failed(self, kind: Kind, what: str, cause: BaseException) -> Unavailable:
        """Records a failure. Returns the error for the caller.

        `what` briefly describes the problem. The cause, which may contain paths and addresses, is for the log only.
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
        """Records a success."""
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
    """Reads something; raises what any read would raise."""
    await tx.one("SELECT version_num FROM alembic_version")


@vital
async def probe_write(tx: Tx) -> None:
    """Writes something without changing data; raises what any write would raise."""
    if tx.engine == "sqlite":
        await tx.run("UPDATE alembic_version SET version_num = version_num")
    else:  # an update would leave a dead row behind each time, and wait for migrations
        await tx.one("SELECT version_num FROM alembic_version FOR UPDATE SKIP LOCKED")
