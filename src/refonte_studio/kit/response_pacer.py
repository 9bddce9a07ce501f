"""Answers on a grid of time: what is answered at the next of its lines tells nothing of how long it took.

The grid is wider than the slowest of the recent answers took, so that under load, too, quick and slow answers come at
the same line. Load slows many people; what slows one person alone widens the grid for that person alone.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from heapq import nlargest

STEP_S = 0.05  # the narrowest grid; wider ones double it
STEPS = 6  # so the widest is 1.6 s
RECENT = 256  # answers to a person whose time decides about the grid
RECENT_S = 300.0  # for so long after the last of them
OUTLIERS = 2  # of those, that are left out of account
MARGIN = 1.25  # how much wider than the slowest of the recent answers the grid is, at least
PEOPLE = 256  # whose answers are remembered
EXEMPT = 8  # of so many people one, the slowest, is left out of account for the others; of fewer, one too


@dataclass(slots=True)
class _RecentTimes:
    took: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    slow: float = 0.0  # what all but a few of them did not exceed
    seen_at: float = 0.0


class ResponsePacer:
    """Lines so many seconds apart, counted from the beginning of each request. Of one server process."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        steps: int = STEPS,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._steps = steps
        self._people: OrderedDict[str, _RecentTimes] = OrderedDict()  # who was answered last is last

    def begin(self) -> "RequestPace":
        """The pace of one request, which begins now."""
        return RequestPace(self, self._clock)

    async def hold(self, who: str, began: float) -> None:
        """Waits for the next line since then, and notes how long this answer to a person took."""
        took = self._clock() - began
        self._note(who, took)
        step = self.step_s(who)
        await self._sleep(step - took % step)

    def step_s(self, who: str) -> float:
        """How far apart the lines are now for a person: beyond what all but a few of their recent answers took, and
        beyond the same of other people, but for the slowest of them; within bounds."""
        slows = [person.slow for name, person in self._people.items() if name != who]
        left_out = max(1, len(slows) // EXEMPT)
        others = nlargest(left_out + 1, slows)[-1] if len(slows) > left_out else 0.0
        own = self._people[who].slow if who in self._people else 0.0
        return self._wide_enough(max(own, others))

    def _wide_enough(self, slow: float) -> float:
        step = STEP_S
        for _ in range(self._steps - 1):
            if step >= slow * MARGIN:
                break
            step *= 2
        return step

    def _note(self, who: str, took: float) -> None:
        now = self._clock()
        person = self._people.setdefault(who, _RecentTimes())
        person.took.append(took)
        person.slow = nlargest(OUTLIERS + 1, person.took)[-1] if len(person.took) > OUTLIERS else 0.0
        person.seen_at = now
        self._people.move_to_end(who)
        while len(self._people) > PEOPLE or next(iter(self._people.values())).seen_at < now - RECENT_S:
            self._people.popitem(last=False)


class RequestPace:
    """How long one request has taken so far."""

    def __init__(self, pacer: ResponsePacer, clock: Callable[[], float]) -> None:
        self._pacer = pacer
        self._clock = clock
        self._began = clock()

    def begin_again(self) -> None:
        """Counts from now on: what was done until now takes as long whatever is asked."""
        self._began = self._clock()

    async def hold(self, who: str) -> None:
        """Waits for the next line since it began."""
        await self._pacer.hold(who, self._began)
