"""The order of the queue, as pure functions: every operation keeps it a permutation."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from refonte_studio.batches import policy
from refonte_studio.batches.model import Batch

BATCH = Batch("", "", "live", "", "", "Production", True, False, "in_progress", 1, None, "{}", 0, None, None)
queues = st.lists(st.text("abcdefghij", min_size=1, max_size=3), unique=True, max_size=12)


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[str], set[str], list[str]]:
    """A queue, those of it that trade places, and those of them that shall come first."""
    queue = draw(queues)
    among = [each for each in queue if draw(st.booleans())]
    shuffled = draw(st.permutations(among))
    return queue, set(among), shuffled[: draw(st.integers(0, len(shuffled)))]


@given(groups())
def test_the_first_come_first_and_everybody_else_keeps_place_or_order(
    case: tuple[list[str], set[str], list[str]],
) -> None:
    queue, among, first = case
    order = policy.put_first(queue, among, first)
    assert sorted(order) == sorted(queue)
    assert all(new == old for new, old in zip(order, queue, strict=True) if old not in among)
    trading = [each for each in order if each in among]
    assert trading[: len(first)] == first
    assert trading[len(first) :] == [each for each in queue if each in among and each not in first]


@given(groups())
def test_putting_first_twice_is_putting_first_once(case: tuple[list[str], set[str], list[str]]) -> None:
    queue, among, first = case
    once = policy.put_first(queue, among, first)
    assert policy.put_first(once, among, first) == once


@given(groups(), st.integers(1, 15))
def test_one_moves_to_its_place_and_the_rest_keep_their_order(
    case: tuple[list[str], set[str], list[str]], place: int
) -> None:
    queue, _, _ = case
    for one in queue:
        order = policy.put_at(queue, one, place)
        assert order.index(one) == min(place, len(queue)) - 1
        assert [each for each in order if each != one] == [each for each in queue if each != one]


@given(groups(), st.data())
def test_the_initial_order_is_calibration_first_then_by_creation_in_the_same_places(
    case: tuple[list[str], set[str], list[str]], data: st.DataObject
) -> None:
    queue, among, _ = case
    batches = [
        replace(
            BATCH,
            id=each,
            batch_type=data.draw(st.sampled_from(("Production", "Calibration", "SelfLabel"))),
            created_at=data.draw(st.integers(0, 5)),
        )
        for each in queue
    ]
    by_id = {each.id: each for each in batches}
    order = policy.put_back(batches, among)
    assert sorted(order) == sorted(queue)
    assert all(new == old for new, old in zip(order, queue, strict=True) if old not in among)
    trading = [by_id[each] for each in order if each in among]
    ranks = [(each.batch_type != "Calibration", each.created_at, each.id) for each in trading]
    assert ranks == sorted(ranks)
    assert policy.put_back([by_id[each] for each in order], among) == order
