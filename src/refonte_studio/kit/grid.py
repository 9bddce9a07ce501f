"""Answers on a grid of time: what is answered at the next of its lines tells nothing of how long it took."""

import asyncio
import time
from collections.abc import Awaitable, Callable

STEP_S = 0.05


class Grid:
    """Lines so many seconds apart, counted from the beginning of each request."""

    def __init__(
        self,
        step_s: float = STEP_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._step_s = step_s
        self._clock = clock
        self._sleep = sleep

    def begin(self) -> float:
        """For `hold`."""
        return self._clock()

    async def hold(self, began: float) -> None:
        """Waits for the next line since then."""
        await self._sleep(self._step_s - (self._clock() - began) % self._step_s)
