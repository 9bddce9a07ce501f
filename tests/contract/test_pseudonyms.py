"""What a labeler is given over two months tells nothing of which tasks are evaluation tasks: an attacker who knows how
the server works, and tries order, spacing, digits and reuse, does no better than by chance."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.kit.ids import new_id
from tests.makers import CATEGORIES, project, real_id, task
from tests.quality.makers import change_settings, make_quality_task
from tests.world import World

EVALUATIONS = 24
DAYS = 60
CHANCE = 0.3  # how far from a half the share of pairs in the right order may be: more than four standard deviations


@dataclass(frozen=True)
class Given:
    evaluates: bool
    real: str
    claim: dict[str, Any]
    told: Sequence[str]  # every id that names the task in later answers


async def test_ids_and_addresses_tell_nothing_over_two_months(world: World):
    name = await project(world, people=(world.ben,), params={"categories": CATEGORIES, "instruction": "Which?"})
    evaluations = set()
    for _ in range(EVALUATIONS):
        world.clock.forward(minutes=1)
        evaluations.add(await make_quality_task(world, "evaluation", name, attachment=file(world)))
    await change_settings(world, name, evaluation_rate=0.35)
    given: list[Given] = []
    for day in range(DAYS):
        world.clock.forward(hours=23)
        if day % 2 == 0:
            for _ in range(3):
                await task(world, name, attachment=file(world))
        for _ in range(2):
            if (done := await worked(world, evaluations)) is not None:
                given.append(done)
    counts = [sum(each.evaluates is kind for each in given) for kind in (True, False)]
    assert min(counts) > 15, counts
    assert told_apart(given, out_of_order, lambda each: each.real) > 0.9, "the attack works where ids are real"
    for attack in (out_of_order, spacing, digits):
        told = told_apart(given, attack, lambda each: each.claim["task"]["task_id"])
        assert abs(told - 0.5) < CHANCE, (attack.__name__, told)
    shown = [each.claim["task"]["task_id"] for each in given]
    assert len(set(shown)) == len(shown), "no task has the id of another"
    assert all(re.fullmatch("[0-9a-f]{24}", each) for each in shown)
    assert all(set(each.told) == {each.claim["task"]["task_id"]} for each in given)
    assert len({without_ids(each.claim) for each in given}) == 1, "nothing but ids and times differs"


def file(world: World) -> str:
    """The address of a file that was uploaded just now."""
    return f"studio://files/{new_id(world.clock())}"


async def worked(world: World, evaluations: set[str]) -> Given | None:
    """The next task, given back once and taken again, and done."""
    world.clock.forward(minutes=5)
    held = await world.ben.post("/work/claim")
    if held is None:
        return None
    again = await world.ben.post(f"/work/{held['claim_id']}/release")
    claim = await world.ben.post("/work/claim")
    done = await world.ben.post(f"/work/{claim['claim_id']}/submit", {"response": {"category": "dog"}})
    history = await world.ben.get("/work/history", limit=1)
    real = await real_id(world, claim["claim_id"])
    assert real == await real_id(world, held["claim_id"])
    ids = (held["task"]["task_id"], again["task_id"], done["task_id"], history["docs"][0]["task_id"])
    return Given(real in evaluations, real, claim, ids)


def without_ids(claim: dict[str, Any]) -> str:
    text = str({"task": claim["task"], "keys": sorted(claim)})
    return text.replace(claim["task"]["task_id"], "").replace(claim["claim_id"], "")


def out_of_order(ids: Sequence[int], at: int) -> float:
    """How far an id is behind the largest before it."""
    return max(ids[: at + 1]) - ids[at]


def spacing(ids: Sequence[int], at: int) -> float:
    """How far an id is from its nearest neighbor."""
    return -min(abs(ids[at] - other) for place, other in enumerate(ids) if place != at)


def digits(ids: Sequence[int], at: int) -> float:
    """How small an id is."""
    return -ids[at]


def told_apart(
    given: Sequence[Given], attack: Callable[[Sequence[int], int], float], of: Callable[[Given], str]
) -> float:
    """In which share of all pairs of an evaluation task and another the attack scores the evaluation task higher."""
    ids = [int(of(each), 16) for each in given]
    scores: dict[bool, list[float]] = {True: [], False: []}
    for at, each in enumerate(given):
        scores[each.evaluates].append(attack(ids, at))
    pairs = [(yes > no) + (yes == no) / 2 for yes in scores[True] for no in scores[False]]
    return sum(pairs) / len(pairs)
