"""Nothing that a labeler can call reveals an evaluation task: no field, no error, no response time."""

from typing import Any

import pytest

from tests.contract.examples.files import upload_file
from tests.makers import CATEGORIES, batch, claim, project, real_id
from tests.quality.makers import change_settings, lift_pause, make_quality_task
from tests.world import Person, World

RIGHT, WRONG, UNFIT = ({"response": {"category": category}} for category in ("dog", "cat", "fish"))

# What a labeler may do with a claim, and with what they know of its task, in every order that makes a difference.
STORIES: dict[str, tuple[tuple[str, str, Any], ...]] = {
    "submitted": (
        ("POST", "/work/claim", None),
        ("GET", "/work/{claim}/files/1", None),
        ("GET", "/work/{claim}/files/2", None),
        ("GET", "/work/{claim}/feedback", None),
        ("POST", "/work/{claim}/extend", None),
        ("POST", "/work/{claim}/submit", UNFIT),
        ("POST", "/work/{claim}/submit", {"response": {}}),
        ("POST", "/work/{claim}/submit", {}),
        ("POST", "/work/{claim}/submit", WRONG),
        ("POST", "/work/{claim}/submit", WRONG),
        ("POST", "/work/{claim}/submit", RIGHT),
        ("POST", "/work/{claim}/submit", UNFIT),
        ("GET", "/work/{claim}/files/1", None),
        ("GET", "/work/{claim}/feedback", None),
        ("POST", "/work/{claim}/extend", None),
        ("POST", "/work/{claim}/skip", None),
        ("POST", "/work/{claim}/release", None),
        ("GET", "/work/history?limit=1", None),
        ("GET", "/work/training", None),
    ),
    "declined": (
        ("POST", "/work/{claim}/skip", {"reason": "too dark"}),
        ("POST", "/work/{claim}/skip", {"reason": "too dark"}),
        ("POST", "/work/{claim}/submit", RIGHT),
        ("POST", "/work/{claim}/release", None),
        ("GET", "/work/{claim}/feedback", None),
        ("GET", "/work/training", None),
    ),
    "given back": (
        ("POST", "/work/{claim}/release", None),
        ("POST", "/work/{claim}/release", None),
        ("POST", "/work/{claim}/extend", None),
        ("POST", "/work/{claim}/submit", RIGHT),
    ),
    "by others": (
        ("GET", "/task/{task}", None),
        ("POST", "/task/{task}/audit", {"accepted": True}),
        ("GET", "/quality/labelers?quality_task_ids={task}", None),
        ("GET", "/quality/accuracy", None),
        ("GET", "/quality/pauses", None),
        ("GET", "/tasks", None),
        ("POST", "/task/{task}/quality_task", {"kind": "training"}),
    ),
}


@pytest.mark.parametrize("story", STORIES)
async def test_an_evaluation_task_looks_like_a_real_one_through_every_call(world: World, story: str):
    await batch(world, await project(world, "Birds", people=(world.ben,)), "Nests")
    await finish(world.ben)  # there is a next page of the history, then
    name = await project(world, people=(world.ben,), params={"categories": CATEGORIES, "instruction": "Which?"})
    uploading = await upload_file(world, world.ana)
    files = [(await world.ana.call("POST", "/files/upload", **uploading.options("POST"))).json() for _ in range(2)]
    attachment = {"attachment": files[0]["attachment_url"]}
    others = {"attachment": files[1]["attachment_url"]}
    await world.ana.post("/batches", {"project": name, "name": "Monday"})
    for _ in range(3):
        await world.ana.post("/task/categorization", {"project": name, "batch": "Monday", **attachment})
    evaluation = await make_quality_task(world, "evaluation", name, **others)
    await world.ana.post("/batches/Monday/finalize")
    await change_settings(world, name, evaluation_rate=1)
    seen: dict[bool, Any] = {}
    for _ in range(2):
        told, task = await tell(world, world.ben, story)
        seen[task == evaluation] = told
        if story != "submitted":  # whatever it was, it is done
            await finish(world.ben)
    assert set(seen) == {True, False}, "one of each"
    assert seen[True] == seen[False]


async def tell(world: World, person: Person, story: str) -> tuple[list[Any], str]:
    """What a story's calls answer, and for how long each answer was held back, with names instead of ids; and the real
    id of the task."""
    queue = await person.get("/work/queue")
    given = await person.post("/work/claim")
    names = {"claim": given["claim_id"], "task": given["task"]["task_id"]}
    told: list[Any] = [without(given, names), fewer(queue, await person.get("/work/queue"))]
    for method, path, body in STORIES[story]:
        world.waits.clear()
        answer = await person.call(method, path.format(**names), body)
        headers = {name: value for name, value in answer.headers.items() if name != "etag"}
        told.append((method, path, answer.status_code, without(answer.text, names), headers, list(world.waits)))
        about_claims = method == "POST" and path.startswith("/work/")
        assert not about_claims or (answer.status_code == 400 and not body) or world.waits == [0.05], (
            path,
            world.waits,
        )
    return told, await real_id(world, names["claim"])


def without(said: Any, names: dict[str, str]) -> str:
    text = str(said)
    for name, value in names.items():
        text = text.replace(value, f"{{{name}}}")
    return text


def fewer(before: Any, after: Any) -> Any:
    """By how many tasks each number of the queue has fallen."""
    (one,), (other,) = before["projects"], after["projects"]
    (mine,), (yours,) = one["batches"], other["batches"]
    assert (one["name"], mine["name"]) == (other["name"], yours["name"])
    return [a["waiting"] - b["waiting"] for a, b in ((before, after), (one, other), (mine, yours))]


async def finish(person: Person) -> None:
    """The person does what they hold, or what comes again."""
    given = await claim(person)
    assert given is not None
    await person.post(f"/work/{given['claim_id']}/submit", WRONG)


async def test_where_nothing_evaluates_no_answer_is_held_back(world: World):
    name = await project(world, people=(world.ben, world.dee))
    await batch(world, name)
    await project(world, "Birds", people=(world.dee,))
    await make_quality_task(world, "evaluation", "Birds")
    await finish(world.ben)
    assert await claim(world.ben) is None
    assert world.waits == []
    assert await claim(world.dee, project=name) is None
    assert world.waits == [0.05], "she may be waiting for an evaluation task"


@pytest.mark.parametrize("consensus", [1, 3])
async def test_what_is_left_of_evaluation_tasks_is_of_the_batch_that_the_queue_names(world: World, consensus: int):
    """The person is through with two batches, of which others still work the first."""
    name = await project(world, people=(world.ben,), wanted=consensus)
    for day in ("Monday", "Friday"):
        await batch(world, name, day, tasks=1)
        await finish(world.ben)
    await make_quality_task(world, "evaluation", name)
    (waiting,) = (await world.ben.get("/work/queue"))["projects"]
    shown = [each["name"] for each in waiting["batches"] if each["waiting"]]
    given = await claim(world.ben)
    assert given is not None
    assert shown == [given["task"]["batch"]] == ["Friday"]


async def test_a_pause_does_not_say_of_what(world: World):
    name = await project(world, people=(world.ben,))
    await batch(world, name)
    await make_quality_task(world, "evaluation", name)
    await change_settings(world, name, pause_below=1, pause_after=1, evaluation_rate=1)
    await finish(world.ben)
    assert await claim(world.ben) is None
    assert "evaluation" not in (await world.ben.call("GET", "/work/training")).text
    await lift_pause(world, world.ben)
    assert await claim(world.ben) is not None
