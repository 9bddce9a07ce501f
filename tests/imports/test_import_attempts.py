"""Imports of tasks with external attempts."""

import asyncio
from typing import Any

import pytest

from refonte_studio.db import Tx
from refonte_studio.imports.service import importing as imports
from tests import makers
from tests.imports.external_attempts import attempt_by, check_invariants, export_tasks, import_lines, task_line
from tests.tasks.makers import ATTACHMENT, batch_status
from tests.world import World


def answers(task: dict[str, Any]) -> dict[str, str]:
    """Who says what of a task."""
    return {each["labeler"]: each["response"]["category"] for each in task["attempts"]}


async def annotators(tx: Tx) -> int:
    row = await tx.one("SELECT COUNT(*) AS people FROM teammates WHERE state = 'external'")
    return row["people"] if row else 0


async def test_an_export_with_its_attempts_can_be_imported_into_another_team(world: World) -> None:
    await makers.project(world, wanted=2)
    for number in range(4):
        await makers.task(world, "Pets", unique_id=str(number), tags=["a"], metadata={"n": number})
    for answer in ("dog", "cat", "bird"):
        await makers.answer(world.ben, answer)
        world.clock.forward(minutes=1)
    await makers.answer(world.dee, "dog")
    tasks = await export_tasks(world.ana)
    await world.ana.post(f"/task/{tasks[3]['task_id']}/cancel")
    world.clock.forward(days=1)
    await makers.project(world, "Pets", (), 2, by=world.cid)
    assert await import_lines(world.cid, *await export_tasks(world.ana)) == {"created": 3}
    came = await export_tasks(world.cid)
    same = ("type", "status", "params", "unique_id", "tags", "metadata", "project", "batch")
    marked = {"imported": True, "imported_by": world.cid.email}
    assert [task["attempts"] for task in came] == [
        [{**attempt, **marked} for attempt in task["attempts"]] for task in tasks[:3]
    ]
    assert [{name: task[name] for name in same} for task in came] == [
        {name: task[name] for name in same} for task in tasks[:3]
    ]
    assert [task["status"] for task in came] == ["completed", "pending", "pending"]
    assert came[0]["response"] == tasks[0]["response"]
    assert [len(task["attempts"]) for task in came] == [2, 1, 1]
    await check_invariants(world)


async def test_of_an_export_the_place_that_the_query_names_wins(world: World) -> None:
    await makers.project(world)
    await makers.task(world, "Pets", unique_id="1")
    tasks = [{**task, "unique_id": "2"} for task in await export_tasks(world.ana)]
    await makers.project(world, "Copy")
    await world.ana.post("/batches", {"project": "Copy", "name": "Second look"})
    await import_lines(world.ana, *tasks, batch="Second look")
    assert [task["batch"] for task in await export_tasks(world.ana, project="Copy")] == ["Second look"]


async def test_enough_attempts_complete_a_task_and_fewer_count(world: World) -> None:
    await makers.project(world, wanted=3)
    await world.ana.post("/batches", {"project": "Pets", "name": "Monday", "callback": "https://example.com/batch"})
    told = "https://example.com/done"
    done = task_line(
        attempt_by("a"),
        attempt_by("b", "dog"),
        attempt_by("worker 896", "dog"),
        attempt_by("d", "dog"),
        callback_url=told,
    )
    half = task_line(attempt_by("a", "bird"), attempt_by("b", "bird", submitted_at="2024-05-01"), callback_url=told)
    assert await import_lines(world.ana, done, half, {"attachment": ATTACHMENT}, batch="Monday") == {"created": 3}
    status = await batch_status(world, "Monday")
    assert (status["status"], status["pending"], status["completed"]) == ("staging", 2, 1)
    first, second, third = await export_tasks(world.ana)
    assert (first["status"], first["response"]) == ("completed", {"category": "dog"})
    assert answers(first) == {"a": "cat", "b": "dog", "worker 896": "dog", "d": "dog"}
    assert [each["labeler"] for each in second["attempts"]] == ["b", "a"], "in the order of submission"
    assert second["attempts"][0]["submitted_at"] == "2024-05-01T00:00:00.000Z"
    assert third["attempts"] == []
    await world.ana.post("/batches/Monday/finalize")
    assert await makers.answer(world.ben, "dog") == {
        "task_id": second["task_id"], "status": "completed", "attempts": 3, "attempts_wanted": 3
    }  # fmt: skip
    assert await makers.claim_task(world.dee) == third["task_id"]
    callbacks = (await world.ana.get("/callbacks"))["docs"]
    assert {callback["subject_id"] for callback in callbacks} == {first["task_id"], second["task_id"]}
    await check_invariants(world)


async def test_a_batch_whose_tasks_all_come_completed_is_completed(world: World) -> None:
    await world.ana.post("/projects", {"name": "Album", "type": "categorization", "params": {"categories": ["cat"]}})
    await world.ana.post("/batches", {"project": "Album", "name": "Old", "callback": "https://example.com/batch"})
    await import_lines(
        world.ana,
        task_line(attempt_by("a")),
        task_line(attempt_by("b"), attempt_by("a")),
        batch="Old",
    )
    assert (await batch_status(world, "Old"))["status"] == "completed"
    [callback] = (await world.ana.get("/callbacks"))["docs"]
    assert callback["event"] == "batch.completed"
    await check_invariants(world)


async def test_nobody_is_given_a_task_that_they_attempted_elsewhere(world: World) -> None:
    await makers.project(world, wanted=2)
    await import_lines(
        world.ana, task_line(attempt_by("BEN@example.com ", started_at="2024-05-01T10:00:00Z")), project="Pets"
    )
    assert await makers.claim(world.ben) is None
    [done] = (await world.ben.get("/work/history"))["docs"]
    assert done["response"] == {"category": "cat"}
    again = await world.ben.post(f"/work/{done['claim_id']}/submit", {"response": {"category": "cat"}})
    assert (again["status"], again["attempts"]) == ("pending", 1)
    [task] = await export_tasks(world.ana)
    assert answers(task) == {"ben@example.com": "cat"}
    assert (await makers.answer(world.dee))["status"] == "completed"
    await check_invariants(world)


async def test_bad_attempts_are_told_with_their_lines_and_nobody_and_nothing_comes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "LABELERS_LIMIT", 102)
    await makers.project(world)
    many = [attempt_by(str(number)) for number in range(101)]
    bad: list[tuple[Any, str]] = [
        ("none", "must be a list"),
        ([attempt_by("a", "zebra")], "attempts[0]: response.category: 'zebra'"),
        (
            [attempt_by("a"), attempt_by("B@x.org"), attempt_by("b@X.org")],
            "attempts[2]: labeler 'b@X.org'",
        ),
        ([attempt_by("a", colour="red", size=1)], "unknown fields: 'colour', 'size'"),
        ([{"response": {"category": "cat"}}], "labeler must be text"),
        ([attempt_by("x" * 201)], "has 201"),
        ([attempt_by("a\x00")], "control characters"),
        ([{"labeler": "a"}], "response is required"),
        ([attempt_by("a", submitted_at="2026-02-04T00:00:00Z")], "submitted_at must be between"),
        ([attempt_by("a", submitted_at="1969-12-31")], "submitted_at must be between"),
        ([attempt_by("a", submitted_at="soon")], "'soon'"),
        ([attempt_by("a", submitted_at=5)], "submitted_at must be text"),
        ([attempt_by("a", submitted_at="2024-05-01", started_at="2024-05-02")], "after the submission"),
        (["a"], "must be an object"),
        (many, "at most 100"),
        (many[:100], ""),
        ([attempt_by("one"), attempt_by("more")], "more than the 102"),
    ]
    answer = await import_lines(
        world.ana, task_line(attempt_by("a")), *[{"attachment": ATTACHMENT, "attempts": each} for each, _ in bad],
        project="Pets", status=400,
    )  # fmt: skip
    told = {entry["line"]: entry["error"] for entry in answer["lines"]}
    assert list(told) == [number for number, (_, named) in enumerate(bad, 2) if named]
    assert all(named in told[number] for number, (_, named) in enumerate(bad, 2) if named), told
    assert await export_tasks(world.ana) == []
    assert await world.db.read(annotators) == 0
    for none in (None, []):
        await import_lines(world.ana, {"attachment": ATTACHMENT, "attempts": none}, project="Pets")


async def test_a_unique_id_keeps_attempts_from_coming_twice(world: World) -> None:
    await makers.project(world)
    task = task_line(attempt_by("a"), unique_id="1")
    assert await import_lines(world.ana, task, project="Pets") == {"created": 1}
    answer = await import_lines(world.ana, task_line(attempt_by("new")), task, project="Pets", status=400)
    assert [entry["line"] for entry in answer["lines"]] == [2]
    assert len(await export_tasks(world.ana)) == 1
    assert await world.db.read(annotators) == 1


async def test_imports_into_one_batch_at_once_both_come_with_the_people_they_share(world: World) -> None:
    await makers.project(world, wanted=2)
    tasks = [task_line(*(attempt_by(f"worker {number % 40 + each}") for each in range(2))) for number in range(300)]
    both = await asyncio.gather(*(import_lines(world.ana, *tasks, project="Pets") for _ in range(2)))
    assert both == [{"created": 300}] * 2
    assert await world.db.read(annotators) == 41
    await check_invariants(world)


async def test_in_test_mode_attempts_are_refused(world: World) -> None:
    await world.ana.post("/projects", {"name": "Album", "type": "categorization", "params": {"categories": ["cat"]}},
                         mode="test")  # fmt: skip
    answer = await import_lines(
        world.ana, task_line(attempt_by("a")), task_line(), project="Album", mode="test", status=400
    )
    assert [entry["line"] for entry in answer["lines"]] == [1]
    assert "test mode" in answer["error"]


async def test_what_the_attempts_leave_unclear_is_asked_of_more_people(world: World) -> None:
    await makers.project(world, wanted=5)
    await world.ana.post("/projects/Pets/updatePipelineConfig", {"min_attempts": 2, "target_confidence": 0.75})
    clear = task_line(*(attempt_by(name, "dog") for name in "abc"))
    unclear = task_line(attempt_by("a"), attempt_by("b", "dog"), attempt_by("c", "bird"))
    assert await import_lines(world.ana, clear, unclear, project="Pets") == {"created": 2}
    first, second = await export_tasks(world.ana)
    assert (first["status"], first["response"], second["status"]) == ("completed", {"category": "dog"}, "pending")
    assert first["confidence"] >= 0.75
    await check_invariants(world)
    assert await makers.claim_task(world.ben) == second["task_id"]
