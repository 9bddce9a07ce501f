"""Creation of tasks."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from refonte_studio.task_types import COMMON_PARAMETERS, TYPES
from refonte_studio.tasks.policy import creation as creation_policy
from refonte_studio.tasks.policy.creation import COLUMNS, RESERVED
from refonte_studio.tasks.service import creation
from tests import makers
from tests.tasks.makers import ATTACHMENT, CATEGORIES, CATEGORIZATION, batch_status, plain_project
from tests.world import World


async def test_a_task_echoes_what_it_was_made_with_at_the_top_and_under_params(world: World) -> None:
    await plain_project(world)
    await world.ana.post("/batches", {"project": "Album", "name": "Monday"})
    given = {
        **CATEGORIZATION,
        "project": "Album",
        "batch": "Monday",
        "instruction": "Which animal?",
        "callback_url": "https://example.com/done",
        "unique_id": "one",
        "tags": ["a", "b"],
        "metadata": {"source": {"album": 3}, "big": 12345678901234567890123},
    }
    made = await world.ana.post("/task/categorization", given)
    assert {name: made[name] for name in given} == given
    assert {name: made["params"][name] for name in given} == given
    assert (made["type"], made["status"], made["is_test"]) == ("categorization", "pending", False)
    assert made["created_at"] == made["updated_at"] == "2026-02-02T02:40:00.000Z"
    assert not {"completed_at", "response", "customer_review_status", "audits"} & made.keys()
    assert await world.ana.get(f"/task/{made['task_id']}") == made
    assert (await world.ana.get("/tasks"))["docs"] == [made]


async def test_what_a_task_has_not_is_absent_rather_than_null(world: World) -> None:
    made = await world.ana.post("/task/categorization", {**CATEGORIZATION, "instruction": None, "unique_id": None})
    assert not {"tags", "unique_id", "callback_url", "instruction"} & made.keys()
    assert made["metadata"] == {}
    assert None not in made.values()


async def test_a_task_without_a_project_and_a_batch_goes_to_the_default_ones(world: World) -> None:
    first, second = [await world.ana.post("/task/categorization", CATEGORIZATION) for _ in range(2)]
    assert (
        (first["project"], first["batch"]) == ("default", "default (default)") == (second["project"], second["batch"])
    )
    await plain_project(world)
    other = await world.ana.post("/task/categorization", {**CATEGORIZATION, "project": "Album"})
    assert other["batch"] == "Album (default)"
    assert (await batch_status(world, "default%20(default)"))["pending"] == 2


async def test_a_task_inherits_its_projects_parameters_and_its_own_win(world: World) -> None:
    await plain_project(world, instruction="The project's", title="A title")
    made = await world.ana.post("/task/categorization", {"project": "Album", "attachment": ATTACHMENT})
    assert made["categories"] == CATEGORIES
    assert made["params"]["instruction"] == "The project's"
    await world.ana.post("/projects/Album/setParams", {"instruction": "Newer", "patch": True})
    own = {"project": "Album", "attachment": ATTACHMENT, "title": "My own"}
    later = await world.ana.post("/task/categorization", own)
    assert (later["instruction"], later["title"]) == ("Newer", "My own")
    assert (await world.ana.get(f"/task/{made['task_id']}"))["instruction"] == "The project's"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"attachment": ATTACHMENT}, "categories"),
        ({"categories": CATEGORIES}, "attachment"),
        ({**CATEGORIZATION, "colour": "red"}, "'colour'"),
        ({**CATEGORIZATION, "project": "Nowhere"}, "'Nowhere'"),
        ({**CATEGORIZATION, "batch": "Never"}, "'Never'"),
        ({**CATEGORIZATION, "project": 7}, "project"),
        ({**CATEGORIZATION, "project": "a\x00b"}, "project"),
        ({**CATEGORIZATION, "metadata": ["no", "object"]}, "metadata"),
        ({**CATEGORIZATION, "tags": [1]}, "tags"),
        ({**CATEGORIZATION, "tags": [" "]}, "tags[0]"),
        ({**CATEGORIZATION, "tags": [str(number) for number in range(101)]}, "100 tags"),
        ({**CATEGORIZATION, "tags": ["x" * 201]}, "tags[0]"),
        ({**CATEGORIZATION, "unique_id": ""}, "unique_id"),
        ({**CATEGORIZATION, "unique_id": 5}, "unique_id"),
        ({**CATEGORIZATION, "unique_id": "a\x00b"}, "unique_id"),
        ({**CATEGORIZATION, "callback_url": "somewhere"}, "'somewhere'"),
        ({**CATEGORIZATION, "callback_url": "ftp://example.com/x"}, "ftp"),
        ({**CATEGORIZATION, "allow_multiple": "yes"}, "allow_multiple"),
        ({**CATEGORIZATION, "task_id": "mine"}, "'task_id'"),
    ],
)
async def test_bad_parameters_are_refused_and_named(world: World, given: dict[str, object], named: str) -> None:
    assert named in await world.ana.refused(400, "POST", "/task/categorization", given)
    assert (await world.ana.get("/tasks"))["total"] == 0
    assert await world.ana.get("/projects") == [], "what is refused leaves no default project behind"


async def test_an_unknown_type_is_404_before_anything_else_is_looked_at(world: World) -> None:
    assert "'poetry'" in await world.ana.refused(404, "POST", "/task/poetry", {"colour": "red"})
    response = await world.ana.call("POST", "/task/poetry", content=b"[1]")
    assert response.status_code == 404


async def test_a_project_takes_tasks_of_its_own_type_only(world: World) -> None:
    await plain_project(world)
    given = {"project": "Album", "attachment": ATTACHMENT, "choices": ["a", "b"]}
    error = await world.ana.refused(400, "POST", "/task/comparison", given)
    assert "'Album' is for categorization tasks" in error


async def test_a_batch_of_another_project_is_refused(world: World) -> None:
    await plain_project(world)
    await plain_project(world, "Other")
    await world.ana.post("/batches", {"project": "Other", "name": "Theirs"})
    given = {**CATEGORIZATION, "project": "Album", "batch": "Theirs"}
    assert "'Theirs'" in await world.ana.refused(400, "POST", "/task/categorization", given)


async def test_a_finalized_studio_batch_takes_no_more_tasks(world: World) -> None:
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=1)
    given = {"project": "Pets", "batch": "Monday", "attachment": ATTACHMENT}
    assert "finalized" in await world.ana.refused(400, "POST", "/task/categorization", given)
    assert (await batch_status(world, "Monday"))["pending"] == 1


async def test_a_second_creation_with_the_same_unique_id_is_a_conflict(world: World) -> None:
    first = await world.ana.post("/task/categorization", {**CATEGORIZATION, "unique_id": "n02085620_7"})
    error = await world.ana.refused(409, "POST", "/task/categorization", {**CATEGORIZATION, "unique_id": "n02085620_7"})
    assert "'n02085620_7'" in error
    assert (await world.ana.get("/tasks"))["docs"] == [first]
    assert (await batch_status(world, "default%20(default)"))["pending"] == 1
    await world.ana.post("/task/categorization", {**CATEGORIZATION, "unique_id": "n02085620_7"}, mode="test")
    await world.cid.post("/task/categorization", {**CATEGORIZATION, "unique_id": "n02085620_7"})


async def test_of_many_creations_at_once_with_one_unique_id_one_succeeds(world: World) -> None:
    given = {**CATEGORIZATION, "unique_id": "one"}
    answers = await asyncio.gather(*[world.ana.call("POST", "/task/categorization", given) for _ in range(8)])
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert (await world.ana.get("/tasks"))["total"] == 1
    assert (await batch_status(world, "default%20(default)"))["pending"] == 1


async def test_parameters_may_come_in_the_query(world: World) -> None:
    await plain_project(world)
    query = [
        *(("project", "Album"), ("attachment", ATTACHMENT), ("categories", "dog, bird"), ("allow_multiple", "true")),
        *(("tags[]", "one, two"), ("priority", "5"), ("metadata", '{"a": [1]}')),
    ]
    made = await world.ana.call("POST", "/task/categorization", params=query)
    task = made.json()
    assert made.status_code == 200, task
    assert task["categories"] == ["dog", "bird"]
    assert (task["allow_multiple"], task["priority"], task["metadata"]) == (True, 5, {"a": [1]})
    assert task["tags"] == ["one, two"]


@pytest.mark.parametrize(
    "query",
    [
        {"attachment": "https://example.com/other.jpg"},
        {"categories": "bird"},
        {"allow_multiple": "perhaps"},
        {"priority": "high"},
        {"metadata": "{"},
        {"colour": "red"},
    ],
)
async def test_a_query_that_disagrees_or_cannot_be_is_refused(world: World, query: dict[str, str]) -> None:
    error = await world.ana.refused(400, "POST", "/task/categorization", CATEGORIZATION, params=query)
    assert next(iter(query)) in error


async def test_a_query_may_repeat_what_the_body_says(world: World) -> None:
    again = {"attachment": ATTACHMENT, "categories": CATEGORIES}
    await world.ana.post("/task/categorization", CATEGORIZATION, **again)


async def test_text_stands_for_a_list_of_one(world: World) -> None:
    made = await world.ana.post("/task/categorization", {**CATEGORIZATION, "tags": "a, b"})
    assert made["tags"] == ["a, b"]


async def test_labelers_and_strangers_have_nothing_to_do_with_tasks(world: World) -> None:
    task = (await world.ana.post("/task/categorization", CATEGORIZATION))["task_id"]
    await world.ben.refused(403, "POST", "/task/categorization", CATEGORIZATION)
    await world.ben.refused(403, "GET", f"/task/{task}")
    await world.ben.refused(403, "GET", "/tasks")
    await world.cid.refused(404, "GET", f"/task/{task}")
    await world.ana.refused(404, "GET", f"/task/{task}", mode="test")
    await world.cid.refused(404, "POST", f"/task/{task}/cancel")
    assert (await world.cid.get("/tasks"))["total"] == 0
    await world.mia.get(f"/task/{task}")


async def test_every_type_can_be_created_and_in_test_mode_is_completed_by_a_good_sample(world: World) -> None:
    for name, kind in TYPES.items():
        live = await world.ana.post(f"/task/{name}", kind.example_params)
        assert live["status"] == "pending", name
        made = await world.ana.post(f"/task/{name}", kind.example_params, mode="test")
        assert (made["status"], made["is_test"]) == ("completed", True), name
        assert made["completed_at"] == made["created_at"]
        assert kind.check_response(made["params"], made["response"]) == made["response"]


async def test_in_test_mode_a_batch_completes_with_its_tasks(world: World) -> None:
    await world.ana.post("/projects", {"name": "Album", "type": "categorization"}, mode="test")
    await world.ana.post("/batches", {"project": "Album", "name": "Monday"}, mode="test")
    given = {**CATEGORIZATION, "project": "Album", "batch": "Monday"}
    many = [world.ana.post("/task/categorization", given, mode="test") for _ in range(10)]
    await asyncio.gather(*many)
    status = await batch_status(world, "Monday", mode="test")
    assert (status["status"], status["completed"]) == ("completed", 10)


async def test_a_batch_outside_the_studio_completes_with_its_last_task_and_opens_with_the_next(world: World) -> None:
    await plain_project(world)
    await world.ana.post("/batches", {"project": "Album", "name": "Monday"})
    first = await makers.task(world, "Album", "Monday")
    await world.ana.post(f"/task/{first}/cancel")
    assert await batch_status(world, "Monday") == {"status": "completed", "canceled": 1} | {
        name: count for name, count in (await batch_status(world, "Monday")).items() if count == 0
    }
    await makers.task(world, "Album", "Monday")
    status = await batch_status(world, "Monday")
    assert (status["status"], status["pending"]) == ("in_progress", 1)


def test_no_parameter_of_any_type_has_the_name_of_a_field_of_tasks() -> None:
    for kind in TYPES.values():
        assert not RESERVED & kind.parameters.keys(), kind.name
        assert not COLUMNS & kind.parameters.keys(), kind.name
    assert not RESERVED & COMMON_PARAMETERS.keys()
    assert COMMON_PARAMETERS.keys() >= COLUMNS


async def test_json_that_is_too_deep_is_refused(world: World) -> None:
    for depth in (600, 5_000):
        body = b'{"metadata": {"a":' + b"[" * depth + b"]" * depth + b"}}"
        response = await world.ana.call("POST", "/task/categorization", content=body)
        assert response.status_code == 400, response.text


async def test_a_large_creation_is_checked_before_its_transaction(world: World, monkeypatch: pytest.MonkeyPatch):
    """In a thread, so that nobody waits; what the transaction records is what was checked."""
    await makers.project(world, params={"categories": ["cat", "dog"]})
    await world.ana.post("/batches", {"project": "Pets", "name": "Monday"})
    threads: list[bool] = []
    check = creation_policy.drafted

    def drafted(*given: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return check(*given)

    monkeypatch.setattr(creation_policy, "drafted", drafted)
    large = {"project": "Pets", "attachment": "https://example.com/1.jpg", "instruction": "x" * 20_000}
    made = await world.ana.post("/task/categorization", {**large, "batch": "Monday"})
    assert (made["instruction"], made["batch"]) == ("x" * 20_000, "Monday")
    for kind in ("training", "evaluation"):
        known = {**large, "expected_response": {"category": "cat"}}
        one = await world.ana.post(f"/{kind}_tasks/categorization", known)
        assert one["expected_response"] == {"category": "cat"}
        bad = {**large, "expected_response": {"category": "fish"}}
        error = await world.ana.refused(400, "POST", f"/{kind}_tasks/categorization", bad)
        assert "expected_response does not fit the task" in error
    assert threads == [False] * 5


async def test_a_large_creation_whose_project_has_changed_meanwhile_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    await makers.project(world, params={"categories": ["cat", "dog"]})
    check = creation.prepare_creation

    def prepare_creation(*given: Any) -> creation.PreparedCreation:
        ready = check(*given)
        assert ready.project is not None
        return replace(ready, project=replace(ready.project, version=7))

    monkeypatch.setattr(creation, "prepare_creation", prepare_creation)
    large = {"project": "Pets", "attachment": "https://example.com/1.jpg", "instruction": "x" * 20_000}
    assert "was changed" in await world.ana.refused(409, "POST", "/task/categorization", large)
    monkeypatch.undo()
    assert (await world.ana.post("/task/categorization", large))["status"] == "pending"
