"""Admission: whoever would have to wait too long is refused at once.

A server that takes all that comes answers everything late. One that takes no more than it can do in good time serves
as much as it ever could, and tells the others at once to come again.
"""

import logging
import math
import time
from collections.abc import Callable

from refonte_studio.kit.errors import Overloaded

WAIT_S = 1.0  # who would wait longer, at the present pace, is refused
STALL_S = 5.0  # where nobody was done for so long, nobody more is let in
LIMIT = 2_048  # inside at a time, whatever the pace
RECENT = 64  # over about so many the pace is averaged
TELL_S = 10.0  # refusals are logged so often at most

log = logging.getLogger(__name__)

Monotonic = Callable[[], float]
Entry = tuple[float, int]  # when it was, and how many were inside then


class Refusals:
    """Counts what is refused for overload, and says so in the log: at once, then every few seconds at most."""

    def __init__(self, what: str, clock: Monotonic = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._count = 0
        self._told_at = -math.inf

    def add(self) -> None:
        """One more."""
        self._count += 1
        now = self._clock()
        if now - self._told_at >= TELL_S:
            log.warning("overloaded: refused %d %s since this was last said", self._count, self._what)
            self._count, self._told_at = 0, now


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
        self._moved_at = 0.0  # when the last one left, or came to an empty place
        self._pace_s = 0.0  # how long one after the other takes, of late, when there are others to wait for

    def enter(self, vital: bool = False) -> Entry:
        """For `leave`. Raises Overloaded if it would take too long, unless it is vital."""
        now, inside = self._clock(), self._inside
        if inside >= self._concurrency and not vital:
            self._check(now)
        elif inside == 0:
            self._moved_at = now
        self._inside += 1
        return now, inside

    def leave(self, entry: Entry) -> None:
        """Makes room, however it went."""
        now = self._clock()
        came_at, ahead = entry
        self._inside -= 1
        self._moved_at = now
        pace_s = (now - came_at) / max(ahead + 1, self._concurrency)
        if ahead >= self._concurrency or pace_s < self._pace_s:  # a call that waited for none may be slow
            self._pace_s += (pace_s - self._pace_s) / RECENT

    def refusal(self) -> Overloaded:
        """What one is told who is not let in."""
        self._refusals.add()
        return Overloaded(self._what, math.ceil(min(self._inside * self._pace_s, STALL_S)))

    def _check(self, now: float) -> None:
        too_many = self._inside >= LIMIT or self._inside * self._pace_s > self._wait_s
        if too_many or now - self._moved_at > STALL_S:
            raise self.refusal()
