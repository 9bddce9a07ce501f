"""The forecast's interval holds as often as it promises, in made-up worlds that are simulated to their end."""

from bench.scenarios import forecast

WORLDS = 60


def test_the_interval_holds_in_four_cases_of_five():
    found = [each for seed in range(WORLDS) for each in forecast.run_world(seed, 7, 3.0)]
    assert len(found) > 2 * WORLDS
    assert 0.72 <= forecast.coverage(found) <= 0.88
    assert abs(sorted(each.bias for each in found if each.bias is not None)[len(found) // 2]) < 0.1
    widths = [each.width for each in found if each.width is not None]
    assert sorted(widths)[len(widths) // 2] < 0.9, "an interval that is wide enough for anything tells nothing"
