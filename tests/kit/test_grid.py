"""The grid of answers follows the load."""

from random import Random

from refonte_studio.kit.grid import RECENT, STEP_S, Grid


class Timed:
    """A grid on a clock that the test moves; `answer` tells after how long an answer comes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.grid = Grid(clock=lambda: self.now, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds

    async def answer(self, takes_s: float) -> float:
        began = self.grid.begin()
        self.now += takes_s
        await self.grid.hold(began)
        return round(self.now - began, 6)


async def test_quick_answers_come_at_the_first_line() -> None:
    timed = Timed()
    assert {await timed.answer(takes_s) for takes_s in (0.0, 0.004, 0.03)} == {STEP_S}


async def test_under_load_slow_and_quick_answers_come_at_the_same_line() -> None:
    timed, chance = Timed(), Random(7)
    ways = {"work": 0.06, "evaluation": 0.12}

    came: dict[str, set[float]] = {way: set() for way in ways}
    for number in range(RECENT + 400):
        for way, slowest in ways.items():
            after = await timed.answer(chance.uniform(0.3, 1) * slowest)
            if number >= RECENT:
                came[way].add(after)
    assert came["work"] == came["evaluation"] == {0.2}


async def test_the_grid_narrows_again_and_is_never_wider_than_its_bound() -> None:
    timed = Timed()
    for _ in range(RECENT):
        await timed.answer(9.0)
    assert timed.grid.step_s() == 1.6
    for _ in range(RECENT):
        await timed.answer(0.01)
    assert timed.grid.step_s() == STEP_S


async def test_a_rare_outlier_does_not_slow_everybody() -> None:
    timed = Timed()
    for takes_s in [0.01] * 50 + [0.7, 0.9]:
        await timed.answer(takes_s)
    assert await timed.answer(0.01) == STEP_S
