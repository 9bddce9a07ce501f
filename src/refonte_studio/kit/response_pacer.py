"""Delays responses to fixed steps of time, so that timing does not reveal how long a request took.

A step is longer than the slowest recent response, so that under load, too, quick and slow responses arrive at the same
step. Load affects many people; what slows one person only widens the steps of that person.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from heapq import nlargest

STEP_S = 0.05  # the shortest step; longer ones are doublings of it
STEPS = 6  # so the longest step is 1.6 s
RECENT = 256  # recent responses per person that determine the step
RECENT_S = 300.0  # a person is forgotten this long after their last response
OUTLIERS = 2  # slowest responses that are ignored
MARGIN = 1.25  # the step is at least this multiple of the slowest response that counts
PEOPLE = 256  # whose response times are remembered
EXEMPT = 8  # one in this many other people, the slowest, does not affect the step; at least one


@dataclass(slots=True)
class _RecentTimes:
    took: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    slow: float = 0.0  # the slowest response after ignoring the outliers
    seen_at: float = 0.0


class ResponsePacer:
    """Delays responses to multiples of a step, counted from the start of each request. One per server process."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        steps: int = STEPS,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._steps = steps
        self._people: OrderedDict[str, _RecentTimes] = OrderedDict()  # least recently answered first

    def begin(self) -> "RequestPace":
        """Starts timing a request."""
        return RequestPace(self, self._clock)

    async def hold(self, who: str, began: float) -> None:
        """Waits for the next step since `began`, and records how long this response took."""
        took = self._clock() - began
        self._note(who, took)
        step = self.step_s(who)
        await self._sleep(step - took % step)

    def step_s(self, who: str) -> float:
        """Returns a person's current step in seconds.

        It is longer than this person's recent responses, ignoring a few outliers, and than those of other people,
        ignoring the slowest of them, within bounds.
        """
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
    """The time that one request has taken so far."""

    def __init__(self, pacer: ResponsePacer, clock: Callable[[], float]) -> None:
        self._pacer = pacer
        self._clock = clock
        self._began = clock()

    def begin_again(self) -> None:
        """Restarts the timing: the work so far takes equally long for every request."""
        self._began = self._clock()

    async def hold(self, who: str) -> None:
        """Waits for the next step since the start."""
        await self._pacer.hold(who, self._began)
