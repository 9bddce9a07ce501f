"""A request that would wait too long is refused at once, and the admitted load follows the capacity of the process."""

import logging

import pytest

from refonte_studio.kit import admission
from refonte_studio.kit.admission import Admission, Refusals
from refonte_studio.kit.errors import Overloaded
from refonte_studio.server.protocol import HOLD_MOST_S, LAG_S, LEAST, REFUSALS_PER_S, SETTLE_S, SLOW_S, Load

MOST = 1_000


class Stopwatch:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


def crowd(door: Admission, watch: Stopwatch, size: int, each_s: float, vital: bool = True) -> None:
    """So many come at once, and are done one after the other."""
    entries = [door.enter(vital) for _ in range(size)]
    for entry in entries:
        watch.now += each_s
        door.leave(entry)


def test_those_are_let_in_who_will_be_done_in_time(watch: Stopwatch):
    door = Admission("things", 1, wait_s=1.0, clock=watch)
    for _ in range(20):
        crowd(door, watch, 20, each_s=0.1)
    inside = [door.enter() for _ in range(11)]
    with pytest.raises(Overloaded) as refused:
        door.enter()
    assert refused.value.headers == {"Retry-After": "2"}
    assert "more things than it can serve" in refused.value.message
    door.leave(inside.pop(0))
    door.enter()


def test_a_better_pace_lets_more_in(watch: Stopwatch):
    door = Admission("things", 1, wait_s=1.0, clock=watch)
    for _ in range(20):
        crowd(door, watch, 20, each_s=0.1)
    for _ in range(100):
        crowd(door, watch, 20, each_s=0.001)
    for _ in range(100):
        door.enter()


def test_after_some_very_slow_ones_the_pace_is_found_again_by_those_who_are_let_in(watch: Stopwatch):
    """Nobody vital comes, and at first only who finds it empty."""
    door = Admission("things", 1, wait_s=1.0, clock=watch)
    crowd(door, watch, 5, each_s=100.0)
    first = door.enter()
    with pytest.raises(Overloaded):
        door.enter()
    door.leave(first)
    for _ in range(1_000):
        crowd(door, watch, 1, each_s=0.001, vital=False)
    crowd(door, watch, 20, each_s=0.001, vital=False)


def test_as_many_as_are_worked_on_side_by_side_are_never_refused(watch: Stopwatch):
    door = Admission("things", 4, wait_s=0.001, clock=watch)
    crowd(door, watch, 100, each_s=100)
    for _ in range(4):
        door.enter()
    with pytest.raises(Overloaded):
        door.enter()


def test_where_nothing_moves_nobody_more_is_let_in(watch: Stopwatch):
    door = Admission("things", 1, clock=watch)
    stuck = door.enter()
    door.enter()
    watch.now += admission.STALL_S + 1
    with pytest.raises(Overloaded):
        door.enter()
    door.leave(stuck)
    door.enter()


def test_a_pause_is_not_a_standstill(watch: Stopwatch):
    door = Admission("things", 1, clock=watch)
    door.leave(door.enter())
    watch.now += admission.STALL_S + 1
    door.enter()
    door.enter()


def test_there_is_a_bound_whatever_the_pace(watch: Stopwatch):
    door = Admission("things", 1, clock=watch)
    for _ in range(admission.LIMIT):
        door.enter()
    with pytest.raises(Overloaded):
        door.enter()
    door.enter(vital=True)


def test_refusals_are_logged_at_once_and_then_together(watch: Stopwatch, caplog: pytest.LogCaptureFixture):
    refusals = Refusals("things", watch)
    with caplog.at_level(logging.WARNING):
        for _ in range(1_000):
            refusals.add()
        watch.now += admission.LOG_INTERVAL_S
        refusals.add()
    assert [record.args for record in caplog.records] == [(1, "things"), (1_000, "things")]


# --------------------------------------------------------------------------------------------- the load of a process


def a_load() -> Load:
    return Load(None, 10, MOST)


def room(load: Load) -> int:
    """How many requests are admitted beside those under way."""
    count = 0
    while load.admits():
        count += 1
    return count


def look(load: Load, took_s: float, lag_s: float = 0.0, times: int = 1) -> None:
    for _ in range(times):
        load.note_served(took_s)
        load.adapt(SETTLE_S, lag_s)


def test_a_server_that_keeps_up_takes_as_many_as_it_may():
    load = a_load()
    look(load, SLOW_S / 2, LAG_S * 2, times=20)
    assert room(load) == MOST


def test_a_server_that_does_not_keep_up_takes_fewer_but_never_none():
    load = a_load()
    assert room(load) == MOST
    look(load, SLOW_S * 2, LAG_S * 2)
    assert not load.admits()
    fresh = a_load()
    look(fresh, SLOW_S * 2, LAG_S * 2, times=50)
    assert room(fresh) == LEAST


def test_slow_senders_are_no_overload():
    load = a_load()
    look(load, SLOW_S * 100, lag_s=0.0, times=50)
    assert room(load) == MOST


def test_a_database_that_does_not_keep_up_is_overload():
    load = a_load()
    for _ in range(50):
        load.note_refused()
        look(load, SLOW_S * 2)
    assert room(load) == LEAST


def test_after_an_overload_it_takes_more_and_more_again():
    load = a_load()
    look(load, SLOW_S * 2, LAG_S * 2, times=50)
    look(load, SLOW_S / 2, times=100)
    assert room(load) == MOST


def test_who_asks_again_at_once_is_held_back_only_while_very_many_are_refused():
    load = a_load()

    def refuse(per_second: int) -> None:
        for _ in range(per_second):
            load.note_refused()
        load.adapt(1.0, 0.0)

    refuse(REFUSALS_PER_S // 2)
    assert load.hold_s == 0
    for _ in range(50):
        refuse(REFUSALS_PER_S * 2)
    assert load.hold_s == HOLD_MOST_S
    for _ in range(50):
        refuse(0)
    assert load.hold_s == 0
