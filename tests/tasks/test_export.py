"""Exports: many tasks in one call."""

import json
from typing import Any

import pytest

from tests import makers
from tests.tasks.makers import CATEGORIZATION, plain_project
from tests.world import World


async def exported(world: World, **query: Any) -> list[dict[str, Any]]:
    response = await world.ana.call("GET", "/tasks/export", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


async def test_an_export_has_each_task_as_it_is_got_oldest_first(world: World) -> None:
    await makers.project(world, wanted=2)
    first, second = await makers.batch(world, "Pets", tasks=2)
    await makers.answer(world.ben, "dog")
    world.clock.forward(minutes=1)
    await makers.answer(world.dee, "dog")
    tasks = await exported(world)
    assert tasks == [await world.ana.get(f"/task/{task}") for task in (first, second)]
    assert [task["status"] for task in tasks] == ["completed", "pending"]
    one, two = await exported(world, attempts="true")
    assert one.pop("attempts") == [
        {"labeler": "ben@example.com", "response": {"category": "dog"}, "submitted_at": "2026-02-02T02:40:00.000Z"},
        {"labeler": "dee@example.com", "response": {"category": "dog"}, "submitted_at": "2026-02-02T02:41:00.000Z"},
    ]
    assert two.pop("attempts") == []
    assert [one, two] == tasks


async def test_no_reader_finds_the_end_of_a_line_inside_of_a_task(world: World) -> None:
    text = "one\u2028two\u2029three\u0085four\nfive \\\u2028 six"
    await plain_project(world)
    await world.ana.post("/task/categorization", {**CATEGORIZATION, "instruction": text, "metadata": {text: text}})
    await makers.task(world, "Album")
    first, _ = await exported(world)  # by `splitlines`, which ends lines at every one of them
    assert first["instruction"] == text
    assert first["metadata"] == {text: text}


async def test_an_export_can_be_of_a_project_a_batch_or_a_state(world: World) -> None:
    await makers.project(world)
    await plain_project(world)
    [task] = await makers.batch(world, "Pets")
    other = await makers.task(world, "Album")
    await makers.answer(world.ben)
    assert [each["task_id"] for each in await exported(world, project="Album")] == [other]
    assert [each["task_id"] for each in await exported(world, batch="Monday")] == [task]
    assert [each["task_id"] for each in await exported(world, status="completed")] == [task]
    assert await exported(world, project="Album", status="completed") == []
    assert len(await exported(world)) == 2


@pytest.mark.parametrize(
    ("status", "query", "named"),
    [
        (404, {"project": "Nowhere"}, "'Nowhere'"),
        (404, {"batch": "Never"}, "'Never'"),
        (400, {"status": "odd"}, "'odd'"),
        (400, {"attempts": "perhaps"}, "attempts"),
        (400, {"colour": "red"}, "'colour'"),
    ],
)
async def test_a_bad_export_is_refused_before_it_begins(
    world: World, status: int, query: dict[str, str], named: str
) -> None:
    assert named in await world.ana.refused(status, "GET", "/tasks/export", params=query)


async def test_others_have_nothing_of_an_export(world: World) -> None:
    await world.ana.post("/task/categorization", CATEGORIZATION)
    await world.ben.refused(403, "GET", "/tasks/export")
    for person, mode in ((world.cid, "live"), (world.ana, "test")):
        assert (await person.call("GET", "/tasks/export", mode=mode)).text == ""


async def test_an_export_goes_page_by_page_whatever_the_size_of_its_tasks(world: World) -> None:
    sizes = [10, 1_500_000, 700_000, 700_000, 20, 1_900_000]
    for size in sizes:
        await world.ana.post("/task/categorization", {**CATEGORIZATION, "metadata": {"text": "x" * size}})
    assert [len(task["metadata"]["text"]) for task in await exported(world)] == sizes
    body = b"\n".join([json.dumps({**CATEGORIZATION, "type": "categorization"}).encode()] * 1_100)
    await world.ana.call("POST", "/tasks/import", content=body)
    assert len(await exported(world)) == 1_106
