"""Figures of people whose responses were imported."""

import msgspec

from tests import makers
from tests.world import World


async def test_external_annotators_are_told_by_name_and_can_be_asked_for(world: World):
    await makers.project(world, wanted=2)
    line = {
        "type": "categorization",
        "project": "Pets",
        "attachment": "https://example.com/1.jpg",
        "attempts": [
            {"labeler": "worker 1", "response": {"category": "cat"}},
            {"labeler": "worker 2", "response": {"category": "dog"}},
        ],
    }
    made = await world.ana.call("POST", "/tasks/import", content=msgspec.json.encode(line))
    assert made.status_code == 200, made.text
    (pair,) = (await world.ana.get("/insight/disagreement", project="Pets", at_least=1))["docs"]
    assert (pair["labelers"], pair["together"], pair["agreed"]) == (["worker 1", "worker 2"], 1, 0)
    (row,) = (await world.ana.get("/insight/labelers", project="Pets", labeler_emails="worker 1"))["docs"]
    assert (row["email"], row["done"]) == ("worker 1", 1)
