"""Runs expensive work of many people fairly: one job per person at a time, and a time budget per person and minute.

A person who asks for more is slowed down; nobody else is. Each process counts separately.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from refonte_studio.kit.errors import TooMany

BUDGET_S = 20.0  # of work per minute
PERIOD_S = 60.0
WAITING_LIMIT = 4  # requests of one person that may wait for their turn


@dataclass(slots=True)
class _Usage:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    inside: int = 0
    spent_s: float = 0.0  # of the budget, reduced as time passes
    as_of: float = 0.0


class FairQueue:
    """The recent use of each person. Belongs to one event loop."""

    def __init__(self, budget_s: float = BUDGET_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget_s = budget_s
        self._clock = clock
        self._people: dict[str, _Usage] = {}
        self._swept_at = clock()

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncGenerator[None]:
        """Waits until this person's earlier work is complete. Raises TooMany if they have used up their budget, or have
        too many requests waiting."""
        self._sweep()
        person = self._people.setdefault(who, _Usage())
        if person.inside > WAITING_LIMIT:
            raise _too_many("you have several large responses under way; wait until they are answered", 1)
        person.inside += 1
        try:
            async with person.lock:
                self._check(person)
                yield
        finally:
            person.inside -= 1

    def charge(self, who: str, seconds: float) -> None:
        """Adds this many seconds to a person's use."""
        person = self._people.setdefault(who, _Usage())
        self._age(person)
        person.spent_s += seconds

    def _check(self, person: _Usage) -> None:
        self._age(person)
        over_s = person.spent_s - self._budget_s
        if over_s >= 0:
            wait_s = math.ceil((over_s + 1) * PERIOD_S / self._budget_s)
            raise _too_many(
                f"checking your responses took more than {self._budget_s:g} s in the last minute; try again in"
                f" {wait_s} s, with smaller ones",
                wait_s,
            )

    def _age(self, person: _Usage) -> None:
        now = self._clock()
        person.spent_s = max(0.0, person.spent_s - (now - person.as_of) * self._budget_s / PERIOD_S)
        person.as_of = now

    def _sweep(self) -> None:
        """Forgets people without recent use, once per minute."""
        now = self._clock()
        if now - self._swept_at < PERIOD_S:
            return
        self._swept_at = now
        for who, person in list(self._people.items()):
            self._age(person)
            if not person.inside and person.spent_s <= 0:
                del self._people[who]


def _too_many(message: str, retry_after_s: int) -> TooMany:
    error = TooMany(message)
    error.headers["Retry-After"] = str(retry_after_s)
    return error
