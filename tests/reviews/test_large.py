"""Large responses of reviewers and auditors are checked before the transaction, like those of labelers."""

import msgspec
import pytest

from refonte_studio.kit.job_processes import Reply
from refonte_studio.tasks.service.response_checks import Checks, Fits
from tests.drawings import boxes, drawn, drawn_batch
from tests.makers import claim
from tests.reviews import makers as reviewing
from tests.world import World

LARGE = 400  # boxes
EMPTY = '{"annotations":[]}'


async def believes(_message: bytes) -> Reply:
    return Reply(msgspec.msgpack.encode(Fits(EMPTY, None, None)), 0.1)


@pytest.fixture
async def answered(world: World) -> str:
    """A task that Ben has answered."""
    await drawn(world)
    (first,) = await drawn_batch(world)
    await world.ana.post("/projects/Streets/reviewers/add", {"emails": [world.mia.email]})
    return first


async def answer(world: World) -> None:
    given = await claim(world.ben)
    assert given is not None
    await world.ben.post(f"/work/{given['claim_id']}/submit", {"response": boxes(1)})


def believe(world: World) -> None:
    """Has every large response taken for an empty one."""
    world.checks.run = believes


async def test_a_large_fix_is_checked_and_completes_the_task(world: World, answered: str):
    await world.ana.post("/projects/Streets/quality", {"review_levels": 1})
    await answer(world)
    given = await reviewing.claim(world.mia)
    assert given is not None
    path = f"/reviews/{given['review_id']}/fix"
    assert "tree" in await world.mia.refused(400, "POST", path, {"response": boxes(LARGE, label="tree")})
    await world.max.refused(404, "POST", path, {"response": boxes(LARGE)})
    done = await world.mia.post(path, {"response": boxes(LARGE)})
    assert await world.mia.post(path, {"response": boxes(LARGE)}) == done
    await world.mia.refused(409, "POST", path, {"response": boxes(LARGE, shift=1)})
    assert (await world.ana.get(f"/task/{answered}"))["response"] == boxes(LARGE)


async def test_the_transaction_of_a_fix_only_records(world: World, answered: str):
    await world.ana.post("/projects/Streets/quality", {"review_levels": 1})
    await answer(world)
    given = await reviewing.claim(world.mia)
    assert given is not None
    believe(world)
    await world.mia.post(f"/reviews/{given['review_id']}/fix", {"response": boxes(LARGE, label="tree")})
    assert (await world.ana.get(f"/task/{answered}"))["response"] == {"annotations": []}


async def test_a_large_correction_of_an_audit_is_checked_before(world: World, answered: str):
    await answer(world)
    path, body = f"/task/{answered}/audit", {"accepted": True, "response": boxes(LARGE)}
    bad = {"accepted": True, "response": boxes(LARGE, label="tree")}
    assert "tree" in await world.ana.refused(400, "POST", path, bad)
    await world.cid.refused(404, "POST", path, body)
    assert (await world.ana.post(path, body))["response"] == boxes(LARGE)
    believe(world)
    assert (await world.ana.post(path, bad))["response"] == {"annotations": []}


def test_checks_need_no_process_until_there_is_something_to_check():
    assert Checks().run is None
