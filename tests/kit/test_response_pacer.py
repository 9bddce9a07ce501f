"""The time steps of delayed responses follow the load."""

from random import Random

from refonte_studio.kit.response_pacer import OUTLIERS, PEOPLE, RECENT, RECENT_S, STEP_S, ResponsePacer


class Timed:
    """A grid on a clock that the test moves; `answer` tells after how long an answer comes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pacer = ResponsePacer(clock=lambda: self.now, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds

    async def answer(self, takes_s: float, who: str = "ben") -> float:
        began, pace = self.now, self.pacer.begin()
        self.now += takes_s
        await pace.hold(who)
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
    assert timed.pacer.step_s("ben") == 1.6
    for _ in range(RECENT):
        await timed.answer(0.01)
    assert timed.pacer.step_s("ben") == STEP_S


async def test_a_rare_outlier_does_not_slow_everybody() -> None:
    timed = Timed()
    for takes_s in [0.01] * 50 + [0.7, 0.9]:
        await timed.answer(takes_s)
    assert await timed.answer(0.01) == STEP_S


async def test_one_person_cannot_slow_the_answers_to_others() -> None:
    timed = Timed()
    for _ in range(RECENT):
        await timed.answer(0.01, "ben")
        await timed.answer(0.01, "dee")
        for _ in range(4):  # as fast as they can
            await timed.answer(1.2, "mallory")
    assert await timed.answer(0.01, "ben") == STEP_S
    assert await timed.answer(0.01, "somebody new") == STEP_S
    assert await timed.answer(0.01, "mallory") == 1.6


async def test_even_many_who_are_slow_widen_the_grid_no_further_than_its_bound() -> None:
    timed = Timed()
    for number in range(20):
        await timed.answer(60.0, f"mallory {number % 4}")
    assert await timed.answer(0.01) == 1.6
    timed.now += RECENT_S + 1
    assert await timed.answer(0.01) == STEP_S


async def test_load_that_slows_everybody_widens_the_grid_for_somebody_new() -> None:
    timed = Timed()
    for _ in range(OUTLIERS + 1):
        for who in ("ben", "dee", "mia"):
            await timed.answer(0.12, who)
    assert await timed.answer(0.01, "somebody new") == 0.2


async def test_what_is_as_slow_for_everything_is_left_out_of_account() -> None:
    timed = Timed()
    for _ in range(RECENT):
        pace = timed.pacer.begin()
        timed.now += 8.0
        pace.begin_again()
        timed.now += 0.01
        await pace.hold("ben")
    assert timed.pacer.step_s("ben") == STEP_S


async def test_whose_answers_came_long_before_many_others_decides_no_more() -> None:
    timed = Timed()
    for _ in range(OUTLIERS + 1):
        for who in ("mallory", "moll"):
            await timed.answer(0.5, who)
    assert timed.pacer.step_s("ben") == 0.8
    for number in range(PEOPLE):
        await timed.answer(0.01, f"person {number}")
    assert timed.pacer.step_s("ben") == STEP_S
