"""Admission: a bounded number at work, a bounded queue before them, and a quick refusal for the rest.

A server that takes all that comes answers everything late. One that lets nobody in who would have to wait too long
serves as much as it ever could, and tells the others at once to come again.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from refonte_studio.kit.errors import Overloaded

WAIT_S = 1.0  # who would wait longer, as things go, is refused
STALL_S = 5.0  # nobody waits longer than this, however things seemed to go
QUEUE_LIMIT = 2_048
RECENT = 64  # over about so many the time that each keeps its place is averaged
TELL_S = 10.0  # refusals are logged so often at most

log = logging.getLogger(__name__)

Monotonic = Callable[[], float]


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


@dataclass(slots=True)
class _Turn:
    since: float
    granted: asyncio.Future[None]


class Admission:
    """Lets `places` in at a time; the others queue in order of arrival. Of one event loop.

    `began = await admission.enter()`, then in any case `admission.leave(began)`.
    """

    def __init__(
        self,
        what: str,
        places: int,
        *,
        wait_s: float | None = None,
        stall_s: float | None = None,
        clock: Monotonic = time.monotonic,
    ) -> None:
        self._what = what
        self._places = places
        self._wait_s = wait_s or WAIT_S
        self._stall_s = stall_s or STALL_S
        self._clock = clock
        self._refusals = Refusals(what, self._clock)
        self._inside = 0
        self._queue: deque[_Turn] = deque()
        self._stay_s = 0.0  # how long a place has been kept, of late
        self._watch: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many are in the queue."""
        return len(self._queue)

    async def enter(self) -> float:
        """Returns when there is a place. Raises Overloaded, at once, if that would take too long."""
        if self._inside < self._places:
            self._inside += 1
        else:
            await self._take_turn()
        return self._clock()

    def leave(self, began: float) -> None:
        """Gives the place to the first who still waits."""
        self._stay_s += (self._clock() - began - self._stay_s) / RECENT
        self._pass_on()

    def expected_wait_s(self) -> float:
        """How long a newcomer would wait: as places were kept of late, and no less than the first in the queue has."""
        if not self._queue:
            return 0.0
        return max(len(self._queue) * self._stay_s / self._places, self._clock() - self._queue[0].since)

    async def _take_turn(self) -> None:
        if self._queue and self._would_wait_too_long():
            raise self._refusal()
        loop = asyncio.get_running_loop()
        turn = _Turn(self._clock(), loop.create_future())
        self._queue.append(turn)
        if self._watch is None:
            self._watch = loop.call_later(self._stall_s, self._refuse_stalled)
        try:
            await turn.granted
        except asyncio.CancelledError:
            if turn.granted.done() and not turn.granted.cancelled() and turn.granted.exception() is None:
                self._pass_on()  # the turn came as its owner went
            raise

    def _would_wait_too_long(self) -> bool:
        waiting = len(self._queue)
        return (
            waiting >= QUEUE_LIMIT
            or waiting * self._stay_s > self._wait_s * self._places
            or self._clock() - self._queue[0].since > self._stall_s
        )

    def _pass_on(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.granted.done():
                turn.granted.set_result(None)
                return
        self._inside -= 1

    def _refuse_stalled(self) -> None:
        """Those who have waited too long, since nothing moves, are told now."""
        self._watch = None
        latest = self._clock() - self._stall_s
        while self._queue and (self._queue[0].granted.done() or self._queue[0].since <= latest):
            turn = self._queue.popleft()
            if not turn.granted.done():
                turn.granted.set_exception(self._refusal())
        if self._queue:
            pause_s = self._queue[0].since - latest
            self._watch = asyncio.get_running_loop().call_later(pause_s, self._refuse_stalled)

    def _refusal(self) -> Overloaded:
        self._refusals.add()
        return Overloaded(self._what, math.ceil(min(self.expected_wait_s(), self._stall_s)))
