"""Lists of tasks."""

from typing import Any

import pytest

from refonte_studio.tasks.service import listing
from tests import makers
from tests.tasks.makers import CATEGORIZATION, plain_project
from tests.world import World


async def created(world: World, **given: Any) -> str:
    return (await world.ana.post("/task/categorization", {**CATEGORIZATION, **given}))["task_id"]


async def listed(world: World, **filters: Any) -> list[str]:
    found = await world.ana.get("/tasks", **filters)
    assert found["total"] == len(found["docs"])
    return [task["task_id"] for task in found["docs"]]


async def test_pages_go_newest_first_with_an_exact_total(world: World) -> None:
    made = [await created(world) for _ in range(5)]
    page = await world.ana.get("/tasks", limit=2)
    assert {name: page[name] for name in ("total", "limit", "offset", "has_more")} == {
        "total": 5,
        "limit": 2,
        "offset": 0,
        "has_more": True,
    }
    seen = [task["task_id"] for task in page["docs"]]
    late = await created(world)
    while page["has_more"]:
        page = await world.ana.get("/tasks", limit=2, next_token=page["next_token"])
        seen += [task["task_id"] for task in page["docs"]]
    assert seen == made[::-1], "a task created meanwhile moves nothing"
    assert "next_token" not in page
    assert page["total"] == 6
    assert (await listed(world))[0] == late


async def test_a_task_made_between_two_pages_by_offset_repeats_and_hides_nothing(world: World) -> None:
    made = [await created(world) for _ in range(5)]
    seen: list[str] = []
    page: dict[str, Any] = {"has_more": True}
    while page["has_more"]:
        page = await world.ana.get("/tasks", limit=2, offset=len(seen))
        assert page["offset"] == len(seen)
        seen += [task["task_id"] for task in page["docs"]]
        await created(world)
    assert seen == made[::-1]
    newest = [task["task_id"] for task in (await world.max.get("/tasks", limit=3, offset=3))["docs"]]
    assert newest == made[::-1][:3], "who has read no page counts from the newest"


async def test_an_offset_has_a_bound_and_does_not_go_with_a_token(world: World) -> None:
    task = await created(world)
    assert (await world.ana.get("/tasks", offset=10_000))["docs"] == []
    assert "10,001" in await world.ana.refused(400, "GET", "/tasks?offset=10001")
    assert "next_token" in await world.ana.refused(400, "GET", "/tasks?offset=10001")
    assert "'nope'" in await world.ana.refused(404, "GET", "/tasks?offset=10001&project=nope")
    await world.ana.refused(400, "GET", f"/tasks?offset=1&next_token={task}")
    await world.ana.get("/tasks", offset=0, next_token=task)


async def test_a_total_says_where_it_is_only_the_least(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 3)
    for _ in range(5):
        await created(world, tags=["x"])
    for exact in ({}, {"project": "default"}, {"batch": "default (default)", "type": "categorization"}):
        page = await world.ana.get("/tasks", status="pending", **exact)
        assert (page["total"], page.get("total_is_minimum")) == (5, None)
    page = await world.ana.get("/tasks", tags="x", limit=2)
    assert (page["total"], page["total_is_minimum"]) == (3, True)
    page = await world.ana.get("/tasks", tags="x", limit=2, offset=3)
    assert (page["total"], page["total_is_minimum"]) == (5, True), "never less than what was seen"
    page = await world.ana.get("/tasks", tags="y")
    assert (page["total"], page.get("total_is_minimum")) == (0, None)


async def test_the_filters_of_a_list(world: World) -> None:
    await plain_project(world)
    await world.ana.post("/batches", {"project": "Album", "name": "Monday"})
    first = await created(world, tags=["x", "y"], unique_id="one")
    world.clock.forward(hours=1)
    second = await created(world, project="Album", tags=["y"], unique_id="two")
    world.clock.forward(hours=1)
    third = await created(world, project="Album", batch="Monday")
    world.clock.forward(hours=1)
    await world.ana.post(f"/task/{first}/cancel")
    assert await listed(world, project="Album") == [third, second]
    assert await listed(world, batch="Monday") == [third]
    assert await listed(world, project="Album", batch="Monday", status="pending") == [third]
    elsewhere = {"project": "default", "batch": "Monday"}
    assert "no batch 'Monday'" in await world.ana.refused(404, "GET", "/tasks", params=elsewhere)
    assert await listed(world, status="canceled") == [first]
    assert await listed(world, project="default", status="canceled") == [first]
    assert await listed(world, batch="default (default)", status="pending") == []
    assert await listed(world, type="comparison") == []
    assert await listed(world, type="categorization", tags="y") == [second, first]
    assert await listed(world, tags=["x", "nothing"]) == [first], "one of several tags is enough"
    assert await listed(world, unique_id="one") == [first]
    assert await listed(world, unique_id=["one", "two", "six"]) == [second, first]
    assert await listed(world, start_time="2026-02-02 03:40:00.000000") == [third, second], "the ends count"
    assert await listed(world, end_time="2026-02-02T03:40:00Z") == [second, first]
    assert await listed(world, updated_after="2026-02-02T05:00:00Z") == [first]
    assert await listed(world, updated_before="2026-02-02T04:00:00Z") == [second]
    assert await listed(world, completed_after="2020-01-01") == []


async def test_the_filters_of_completed_and_reviewed_tasks(world: World) -> None:
    await makers.project(world)
    first, second, third, pending = await makers.batch(world, "Pets", tasks=4)
    for _ in range(3):
        await makers.answer(world.ben)
        world.clock.forward(hours=1)
    await world.ana.post(f"/task/{first}/audit", {"accepted": True})
    await world.ana.post(f"/task/{second}/audit", {"accepted": False})
    assert await listed(world, customer_review_status="accepted") == [first]
    assert await listed(world, customer_review_status="accepted,rejected") == [second, first]
    assert await listed(world, customer_review_status="pending") == [third]
    assert await listed(world, customer_review_status="pending,accepted") == [third, first]
    assert await listed(world, status="pending") == [pending]
    assert await listed(world, completed_after="2026-02-02T03:00:00Z") == [third, second]
    assert await listed(world, completed_before="2026-02-02T03:00:00Z") == [first]
    assert [task["response"] for task in (await world.ana.get("/tasks", status="completed"))["docs"]] == [
        {"category": "cat"}
    ] * 3


@pytest.mark.parametrize(
    ("status", "filters", "named"),
    [
        (404, {"project": "Nowhere"}, "'Nowhere'"),
        (404, {"batch": "Never"}, "'Never'"),
        (404, {"project": "Nowhere", "status": "odd"}, "'Nowhere'"),
        (400, {"status": "odd"}, "'odd'"),
        (400, {"type": "poetry"}, "'poetry'"),
        (400, {"customer_review_status": "accepted,nice"}, "'nice'"),
        (400, {"limit": "101"}, "limit"),
        (400, {"limit": "0"}, "limit"),
        (400, {"limit": "ten"}, "limit"),
        (400, {"next_token": "7"}, "'7'"),
        (400, {"start_time": "yesterday"}, "'yesterday'"),
        (400, {"colour": "red"}, "'colour'"),
    ],
)
async def test_bad_filters_are_refused(world: World, status: int, filters: dict[str, str], named: str) -> None:
    assert named in await world.ana.refused(status, "GET", "/tasks", params=filters)


async def test_a_limited_response_has_a_few_fields(world: World) -> None:
    task = await created(world, metadata={"a": 1})
    page = await world.ana.get("/tasks", limited_response="true")
    assert page["docs"] == [{"task_id": task, "status": "pending", "metadata": {"a": 1}, "project": "default"}]


async def test_live_and_test_are_separate_worlds(world: World) -> None:
    task = await created(world)
    assert (await world.ana.get("/tasks", mode="test"))["total"] == 0
    made = await world.ana.post("/task/categorization", CATEGORIZATION, mode="test")
    assert await listed(world) == [task]
    assert (await world.ana.get("/tasks", mode="test"))["docs"] == [made]


async def test_training_and_evaluation_tasks_are_not_among_the_tasks(world: World) -> None:
    await makers.project(world)
    given = {"project": "Pets", "attachment": "https://example.com/1.jpg", "expected_response": {"category": "cat"}}
    made = await world.ana.post("/training_tasks/categorization", given)
    assert await listed(world) == []
    assert made
    response = await world.ana.call("GET", "/tasks/export")
    assert response.text == ""


async def test_where_uploaded_attachments_are_is_told_on_request(world: World) -> None:
    file = (await world.ana.call("POST", "/files/upload", files={"file": ("a.txt", b"abc")})).json()
    await created(world, attachment=file["attachment_url"])
    [task] = (await world.ana.get("/tasks", include_attachment_url="true"))["docs"]
    [download] = task["attachmentS3Downloads"]
    assert download["attachment"] == file["attachment_url"]
    response = await world.ana.call("GET", download["s3URL"].removeprefix("http://studio.test/v1"))
    assert response.content == b"abc"
    [task] = (await world.ana.get("/tasks"))["docs"]
    assert "attachmentS3Downloads" not in task
