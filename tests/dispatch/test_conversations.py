"""What labelers and reviewers see of a conversation task."""

from typing import Any

from tests import makers
from tests.world import World

MESSAGES = [{"role": "user", "content": "Where is my parcel?"}]
CANDIDATES = [{"id": f"id-{n}", "content": f"Answer {n}", "model": f"secret model {n}"} for n in range(6)]


async def conversation(world: World, **settings: Any) -> str:
    """A task that Ben and Dee both do; its id."""
    await makers.project(world, "Support", type="chat", params={}, **settings)
    await world.ana.post("/batches", {"project": "Support", "name": "Monday"})
    body = {"project": "Support", "batch": "Monday", "messages": MESSAGES, "candidates": CANDIDATES}
    made = await world.ana.post("/task/chat", body)
    await world.ana.post("/batches/Monday/finalize")
    return made["task_id"]


async def test_candidates_come_without_their_models_in_an_order_that_stays(world: World) -> None:
    task_id = await conversation(world, wanted=2)
    orders = []
    for person in (world.ben, world.dee):
        first, again = await makers.claim(person), await makers.claim(person)
        assert first is not None
        assert again is not None
        assert first["task"]["params"] == again["task"]["params"]
        assert "secret" not in str(first)
        orders.append([each["id"] for each in first["task"]["params"]["candidates"]])
    assert sorted(orders[0]) == sorted(orders[1]) == [each["id"] for each in CANDIDATES]
    shown = await world.max.get(f"/task/{task_id}")
    assert shown["candidates"] == shown["params"]["candidates"] == CANDIDATES


async def test_responses_name_ids_and_become_one_ranking(world: World) -> None:
    task_id = await conversation(world, wanted=2)
    for person in (world.ben, world.dee):
        given = await makers.claim(person)
        assert given is not None
        ids = sorted(each["id"] for each in given["task"]["params"]["candidates"])
        done = await person.post(f"/work/{given['claim_id']}/submit", {"response": {"ranking": [ids[:2], *ids[2:]]}})
        assert "secret" not in str(done)
        history = await person.get("/work/history")
        assert history["docs"][0]["response"] == {"ranking": [["id-0", "id-1"], ["id-2"], ["id-3"], ["id-4"], ["id-5"]]}
    task = await world.ana.get(f"/task/{task_id}")
    assert task["response"]["ranking"][0] == ["id-0", "id-1"]


async def test_a_reviewer_does_not_see_the_models_either(world: World) -> None:
    await conversation(world)
    await world.ana.post("/projects/Support/quality", {"review_levels": 1})
    await world.ana.post("/projects/Support/reviewers/add", {"emails": [world.mia.email]})
    given = await makers.claim(world.ben)
    assert given is not None
    ranking = [each["id"] for each in CANDIDATES]
    await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": {"ranking": ranking}})
    review = await world.mia.post("/reviews/claim")
    assert "secret" not in str(review)
    assert sorted(each["id"] for each in review["task"]["params"]["candidates"]) == ranking
