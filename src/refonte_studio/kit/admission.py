"""Admission control: refuses calls that would wait too long.

A server that accepts every call answers all of them late. One that accepts only what it can complete in time keeps its
full throughput, and asks the other callers to retry later.
"""

import logging
import math
import time
from collections.abc import Callable

from refonte_studio.kit.errors import Overloaded

WAIT_S = 1.0  # a call that would wait longer, at the current pace, is refused
STALL_S = 5.0  # if no call completes for this long, no further call is admitted
LIMIT = 2_048  # upper bound on calls inside, whatever the pace
RECENT = 64  # the pace is an average of about this many calls
LOG_INTERVAL_S = 10.0  # shortest interval between two log lines about refusals

log = logging.getLogger(__name__)

Monotonic = Callable[[], float]
Entry = tuple[float, int]  # when a call entered, and how many were inside then


class Refusals:
    """Counts calls refused because of overload, and logs the count: the first at once, later ones at intervals."""

    def __init__(self, what: str, clock: Monotonic = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._count = 0
        self._logged_at = -math.inf

    def add(self) -> None:
        """Counts one refusal."""
        self._count += 1
        now = self._clock()
        if now - self._logged_at >= LOG_INTERVAL_S:
            log.warning("overloaded: refused %d %s since the last report", self._count, self._what)
            self._count, self._logged_at = 0, now


class Admission:
    """Admits only as many calls as can be completed in time, judging by recent calls. Not thread-safe.

    `concurrency` is the number of calls that run in parallel: a call that enters while fewer are inside does not wait.
    """

    def __init__(
        self, what: str, concurrency: int, wait_s: float | None = None, clock: Monotonic = time.monotonic
    ) -> None:
        self._what = what
        self._concurrency = concurrency
        self._wait_s = wait_s or WAIT_S
        self._clock = clock
        self._refusals = Refusals(what, clock)
        self._inside = 0
        self._moved_at = 0.0  # when a call last left, or entered while none was inside
        self._pace_s = 0.0  # recent average time between two calls that leave, measured while others wait

    def enter(self, vital: bool = False) -> Entry:
        """Admits a call; pass the result to `leave`.

        Raises Overloaded if the call would wait too long. Vital calls are always admitted.
        """
        now, inside = self._clock(), self._inside
        if inside >= self._concurrency and not vital:
            self._check(now)
        elif inside == 0:
            self._moved_at = now
        self._inside += 1
        return now, inside

    def leave(self, entry: Entry) -> None:
        """Removes a call, whether it succeeded or failed."""
        now = self._clock()
        came_at, ahead = entry
        self._inside -= 1
        self._moved_at = now
        pace_s = (now - came_at) / max(ahead + 1, self._concurrency)
        if ahead >= self._concurrency or pace_s < self._pace_s:  # a call that waited for none may be slow
            self._pace_s += (pace_s - self._pace_s) / RECENT

    def refusal(self) -> Overloaded:
        """Counts a refusal and returns the error for it."""
        self._refusals.add()
        return Overloaded(self._what, math.ceil(min(self._inside * self._pace_s, STALL_S)))

    def _check(self, now: float) -> None:
        too_many = self._inside >= LIMIT or self._inside * self._pace_s > self._wait_s
        if too_many or now - self._moved_at > STALL_S:
            raise self.refusal()
