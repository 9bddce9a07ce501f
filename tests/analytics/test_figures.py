"""Figures of work done, by project, batch, group and labeler."""

from typing import Any

import pytest

from refonte_studio.analytics.policy import figures as figure_policy
from tests import makers
from tests.analytics.makers import claim_and_submit, only_row
from tests.world import World


async def evaluation(world: World, **body: Any) -> str:
    given = {"project": "Pets", "attachment": "https://example.com/e.jpg", "expected_response": {"category": "cat"}}
    return (await world.ana.post("/evaluation_tasks/categorization", {**given, **body}))["id"]


async def test_a_project_shows_what_was_done_and_how_fast(world: World):
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=8)
    for seconds in (10, 40, 20, 30):
        await claim_and_submit(world, world.ben, seconds=seconds)
    await claim_and_submit(world, world.dee, seconds=100)
    skipped = await makers.claim(world.dee)
    assert skipped
    await world.dee.post(f"/work/{skipped['claim_id']}/skip")
    found = await only_row(world, "projects", project="Pets")
    assert (found["name"], found["done"], found["completed"], found["pending"]) == ("Pets", 5, 5, 3)
    assert (found["skipped"], found["rejected"]) == (1, 0)
    assert found["active_ms"] == {"median": 30_000, "p90": 100_000, "total": 200_000}
    assert found["throughput"] == {"per_active_hour": pytest.approx(90), "per_calendar_day": 5}
    assert found["agreement"] == {"alpha": None, "mean": None}, "nobody did the same task as another"
    of_ben = await only_row(world, "projects", project="Pets", labeler_emails="ben@example.com")
    assert of_ben["done"] == 4
    assert of_ben["active_ms"] == {"median": 20_000, "p90": 40_000, "total": 100_000}, "of two in the middle, the less"


async def test_a_period_has_what_was_submitted_in_it(world: World):
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=4)
    await claim_and_submit(world, world.ben)
    world.clock.forward(days=10)
    await claim_and_submit(world, world.ben, seconds=1_700)
    await claim_and_submit(world, world.dee)
    both = await only_row(world, "projects", project="Pets")
    assert both["done"] == 3
    assert both["throughput"]["per_calendar_day"] == pytest.approx(0.3, rel=0.01), "since the first of them"
    late = {"project": "Pets", "from": "2026-02-10T00:00:00Z", "to": "2026-02-20T00:00:00Z"}
    assert (await only_row(world, "projects", **late))["done"] == 2
    assert (await only_row(world, "projects", **late))["throughput"]["per_calendar_day"] == pytest.approx(0.2)
    early = await only_row(world, "projects", project="Pets", to="2026-02-05")
    assert (early["done"], early["pending"]) == (1, 1), "what is pending is so now"
    empty = await only_row(world, "labelers", labeler_emails="dee@example.com", project="Pets", to="2026-01-01")
    assert empty["throughput"] == {"per_active_hour": None, "per_calendar_day": None}
    assert empty["active_ms"] == {"median": None, "p90": None, "total": 0}


async def test_batches_groups_and_labelers_have_their_own_share(world: World):
    await makers.project(world)
    path = "/studio/projects/Pets/groups"
    await world.ana.post(path, {"name": "Night", "emails": ["ben@example.com"]})
    await world.ana.post(path, {"name": "All", "emails": ["ben@example.com", "dee@example.com"]})
    await makers.batch(world, "Pets", "Monday", tasks=3)
    await makers.batch(world, "Pets", "Tuesday", tasks=4)
    await world.ana.post("/studio/batches/Tuesday", {"groups": ["Night"]})
    for _ in range(2):
        await claim_and_submit(world, world.ben, batch="Tuesday")
    await claim_and_submit(world, world.dee)
    batches = (await world.mia.get("/insight/batches", project="Pets"))["docs"]
    assert [(one["name"], one["done"], one["completed"], one["pending"]) for one in batches] == [
        ("Tuesday", 2, 2, 2),
        ("Monday", 1, 1, 2),
    ]
    groups = (await world.mia.get("/insight/groups", project="Pets"))["docs"]
    assert [(one["name"], one["done"], one["completed"], one["pending"]) for one in groups] == [
        ("All", 3, 0, 0),
        ("Night", 2, 2, 2),
    ]
    people = (await world.mia.get("/insight/labelers", project="Pets"))["docs"]
    assert [(one["email"], one["done"], one["completed"], one["pending"]) for one in people] == [
        ("dee@example.com", 1, None, 2),
        ("ben@example.com", 2, None, 4),
    ]
    [first] = (await world.mia.get("/insight/labelers", group="Night"))["docs"]
    assert first["email"] == "ben@example.com"
    page = await world.mia.get("/insight/batches", limit=1)
    assert page["has_more"]
    assert (await world.mia.get("/insight/batches", limit=1, next_token=page["next_token"]))["docs"] == [batches[1]]


async def test_accuracy_is_the_share_of_evaluation_tasks_passed_with_its_interval(world: World):
    await makers.project(world)
    for _ in range(3):
        await evaluation(world)
    for category in ("cat", "cat", "dog"):
        await claim_and_submit(world, world.ben, category)
        await claim_and_submit(world, world.dee)
    await makers.batch(world, "Pets", tasks=1)
    await claim_and_submit(world, world.dee)
    found = await only_row(world, "labelers", labeler_emails="ben@example.com")
    assert (found["done"], found["accuracy"]["evaluated"], found["accuracy"]["passed"]) == (0, 3, 2)
    assert found["accuracy"]["accuracy"] == pytest.approx(2 / 3)
    assert found["accuracy"]["low"] == pytest.approx(0.2077, abs=1e-3)
    assert found["accuracy"]["high"] == pytest.approx(0.9385, abs=1e-3)
    assert (await only_row(world, "projects"))["accuracy"]["evaluated"] == 6
    assert (await only_row(world, "projects"))["done"] == 1, "evaluation is not work done"
    assert figure_policy.wilson(0, 0) is None
    assert figure_policy.wilson(10, 10) == (1.0, pytest.approx(0.7225, abs=1e-3), 1.0)


async def test_what_an_audit_rejected_and_how_far_people_agree(world: World):
    await makers.project(world, wanted=2)
    first, second = await makers.batch(world, "Pets", tasks=2)
    for person, categories in ((world.ben, ("cat", "cat")), (world.dee, ("cat", "dog"))):
        for category in categories:
            await claim_and_submit(world, person, category)
    await world.ana.post(f"/task/{second}/audit", {"accepted": False})
    await world.ana.post(f"/task/{first}/audit", {"accepted": True})
    found = await only_row(world, "projects")
    assert (found["done"], found["completed"], found["rejected"]) == (4, 2, 2)
    assert found["agreement"]["mean"] == pytest.approx(0.5), "one task alike, one not at all"
    await world.db.write(_model, world.ana.team_id, await _project_id(world))
    assert (await only_row(world, "projects"))["agreement"]["alpha"] == 0.42
    assert (await only_row(world, "batches"))["agreement"]["alpha"] is None


async def _model(tx: Any, team_id: str, project_id: str) -> None:
    columns = ("team_id", "project_id", "question", "type", "method", "tasks", "attempts", "alpha", "model")
    await tx.run("DELETE FROM project_models WHERE team_id = :team", team=team_id)
    await tx.insert(
        "project_models", columns, [(team_id, project_id, "", "categorization", "majority", 2, 4, 0.42, "{}")]
    )


async def _project_id(world: World) -> str:
    return (await world.ana.get("/projects/Pets"))["id"]


async def test_of_nothing_there_are_zeros_and_of_others_nothing(world: World):
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=1)
    await claim_and_submit(world, world.ben)
    assert (await world.mia.get("/insight/projects", mode="test"))["docs"] == []
    assert (await world.cid.get("/insight/projects"))["docs"] == []
    assert (await world.cid.get("/insight/labelers"))["docs"] == []
    in_test = (await world.mia.get("/insight/labelers", mode="test"))["docs"]
    assert [(one["email"], one["done"]) for one in in_test] == [("dee@example.com", 0), ("ben@example.com", 0)]


@pytest.mark.parametrize(
    ("status", "path", "named"),
    [
        (404, "/insight/projects?project=Nowhere&from=odd", "'Nowhere'"),
        (404, "/insight/batches?batch=Never", "'Never'"),
        (404, "/insight/labelers?group=Nobody", "'Nobody'"),
        (404, "/insight/confusion?project=Nowhere", "'Nowhere'"),
        (404, "/insight/forecast?project=Nowhere", "'Nowhere'"),
        (400, "/insight/labelers?labeler_emails=x@example.com", "'x@example.com'"),
        (400, "/insight/groups", "project is required"),
        (400, "/insight/disagreement", "project is required"),
        (400, "/insight/projects?from=yesterday", "'yesterday'"),
        (400, "/insight/projects?from=2026-02-02&to=2026-02-01", "from must not be after to"),
        (400, "/insight/projects?from=2099-01-01", "from must not be after to"),
        (400, "/insight/projects?next_token=7", "'7'"),
    ],
)
async def test_bad_questions_are_refused(world: World, status: int, path: str, named: str):
    assert named in await world.ana.refused(status, "GET", path)
