"""Answers on a grid of time: what is answered at the next of its lines tells nothing of how long it took.

The grid is wider than the slowest of the recent answers took, so that under load, too, quick and slow answers come at
the same line.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from heapq import nlargest

STEP_S = 0.05  # the narrowest grid; wider ones double it
STEPS = 6  # so the widest is 1.6 s
RECENT = 256  # answers whose time decides about the grid
OUTLIERS = 2  # of those, that are left out of account
MARGIN = 1.25  # how much wider than the slowest of the recent answers the grid is, at least


class Grid:
    """Lines so many seconds apart, counted from the beginning of each request."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._recent: deque[float] = deque(maxlen=RECENT)

    def begin(self) -> float:
        """For `hold`."""
        return self._clock()

    async def hold(self, began: float) -> None:
        """Waits for the next line since then."""
        took = self._clock() - began
        self._recent.append(took)
        step = self.step_s()
        await self._sleep(step - took % step)

    def step_s(self) -> float:
        """How far apart the lines are now: beyond what all but a few of the recent answers took, within bounds."""
        slow = nlargest(OUTLIERS + 1, self._recent)[-1] if self._recent else 0.0
        step = STEP_S
        for _ in range(STEPS - 1):
            if step >= slow * MARGIN:
                break
            step *= 2
        return step
