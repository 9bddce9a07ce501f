"""Imports: many tasks in one call."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from refonte_studio.db import Database
from refonte_studio.imports import routes
from refonte_studio.imports.service import spool
from tests import makers
from tests.tasks.makers import ATTACHMENT, CATEGORIZATION, batch_status, plain_project
from tests.world import Clock, Person, World

IMPORT = "/tasks/import"


def lines(*given: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in given)


def numbered(count: int, **given: Any) -> list[dict[str, Any]]:
    return [
        {"attachment": f"https://example.com/{number}.jpg", "unique_id": str(number), **given}
        for number in range(count)
    ]


async def bring(person: Person, body: bytes, status: int = 200, mode: Any = "live", **query: str) -> Any:
    """The answer to an import."""
    response = await person.call("POST", IMPORT, content=body, params=query, mode=mode)
    assert response.status_code == status, response.text
    return response.json()


async def nothing_came(world: World) -> None:
    assert (await world.ana.get("/tasks"))["total"] == 0


async def test_imported_tasks_are_as_if_each_had_been_created(world: World) -> None:
    await plain_project(world, instruction="Which?")
    await world.ana.post("/batches", {"project": "Album", "name": "Monday"})
    given = {
        **CATEGORIZATION,
        "tags": ["a"],
        "metadata": {"n": 1},
        "callback_url": "https://example.com/x",
        "priority": 3,
    }
    one = await world.ana.post("/task/categorization", {**given, "project": "Album", "batch": "Monday"})
    assert await bring(world.ana, lines(given), project="Album", batch="Monday") == {"created": 1}
    two, _ = (await world.ana.get("/tasks"))["docs"]
    assert {**two, "task_id": one["task_id"]} == one
    assert (await batch_status(world, "Monday"))["pending"] == 2
    assert (await world.ana.get("/tasks", tags="a"))["total"] == 2


async def test_a_lines_own_project_batch_and_type_win(world: World) -> None:
    await plain_project(world)
    await plain_project(world, "Other")
    for name, project in (("Monday", "Album"), ("Tuesday", "Album"), ("Elsewhere", "Other")):
        await world.ana.post("/batches", {"project": project, "name": name})
    body = lines(
        {"attachment": ATTACHMENT},
        {"attachment": ATTACHMENT, "batch": "Tuesday"},
        {"attachment": ATTACHMENT, "project": "Album"},
        {"attachment": ATTACHMENT, "project": "Other"},
        {"attachment": ATTACHMENT, "project": "Other", "batch": "Elsewhere", "type": "categorization"},
    )
    assert await bring(world.ana, body, project="Album", batch="Monday") == {"created": 5}
    made = (await world.ana.get("/tasks"))["docs"][::-1]
    assert [task["batch"] for task in made] == ["Monday", "Tuesday", "Monday", "Other (default)", "Elsewhere"]


async def test_tasks_of_the_default_project_need_a_type(world: World) -> None:
    answer = await bring(world.ana, lines({**CATEGORIZATION, "type": "categorization"}, CATEGORIZATION), 400)
    assert answer["lines"] == [{"line": 2, "error": answer["lines"][0]["error"]}]
    assert "type is required" in answer["error"]
    assert await world.ana.get("/projects") == []
    assert await bring(world.ana, lines({**CATEGORIZATION, "type": "categorization"})) == {"created": 1}
    assert [project["name"] for project in await world.ana.get("/projects")] == ["default"]


async def test_blank_lines_are_skipped_and_an_empty_body_creates_nothing(world: World) -> None:
    await plain_project(world)
    assert await bring(world.ana, b"", project="Album") == {"created": 0}
    assert await bring(world.ana, b"\n  \r\n\n", project="Album") == {"created": 0}
    body = b"\xef\xbb\xbf" + lines({"attachment": ATTACHMENT}) + b"\r\n\r\n" + lines({"attachment": ATTACHMENT}) + b"\n"
    assert await bring(world.ana, body, project="Album") == {"created": 2}
    assert await bring(world.ana, b"{}", 400, project="Album")


async def test_every_bad_line_is_told_with_its_number_and_nothing_is_imported(world: World) -> None:
    await plain_project(world)
    await world.ana.post("/task/categorization", {**CATEGORIZATION, "unique_id": "taken"})
    bad = [
        (b'{"attachment": ', "JSON"),
        (b"[1]", "object"),
        (b'{"attachment": "a", "colour": 1}', "'colour'"),
        (b"{}", "attachment"),
        (b'{"attachment": "a", "project": "Nowhere"}', "'Nowhere'"),
        (b'{"attachment": "a", "batch": "Never"}', "'Never'"),
        (b'{"attachment": "a", "type": "poetry"}', "'poetry'"),
        (b'{"attachment": "a", "type": "comparison"}', "categorization"),
        (b'{"attachment": "a", "type": 5}', "type"),
        (b'{"attachment": "a", "unique_id": "taken"}', "'taken'"),
        (b'{"attachment": "a", "unique_id": "here"}\n{"attachment": "a", "unique_id": "here"}', "'here'"),
        (b'{"attachment": "\xff"}', "JSON"),
        (b"[" * 3_000 + b"]" * 3_000, "deep"),
    ]
    good = lines({"attachment": ATTACHMENT})
    body = b"\n".join(line for text, _ in bad for line in (good, text))
    answer = await bring(world.ana, body, 400, project="Album")
    told = [entry["line"] for entry in answer["lines"]]
    assert told == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23, 25, 27]
    for entry, (_, named) in zip(answer["lines"], bad, strict=True):
        assert named in entry["error"], entry
    assert "13 lines" in answer["error"]
    assert (await world.ana.get("/tasks"))["total"] == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            b'{"attachment": "a", "attachment": "b"}',
            "the line is not valid JSON: an object has the key 'attachment' twice",
        ),
        (b'{"attachment": "a", "metadata": {"n": [{"a": 1, "\\u0061": 2}]}}', "an object has the key 'a' twice"),
        (
            b'{"attachment": "a", "attempts": [{"labeler": "x", "labeler": "y"}]}',
            "an object has the key 'labeler' twice",
        ),
        (b'{"attachment": "a", "instruc', "it ends in the middle of a value"),
        (b'{"attachment": "a", "instruction": "\xe2\x82', "it ends in the middle of a UTF-8 character, at byte 36"),
        (b'{"attachment": "a", "instruction": "\xe2"}', "it is not UTF-8: byte 0xe2 at 36"),
        (rb'{"attachment": "a", "instruction": "\ud83d"}', r"\ud83d at byte 36 is half of a surrogate pair"),
        (b'\xef\xbb\xbf{"attachment": "a"}', "it begins with a byte order mark"),
        (b'[{"attachment": "a"}]', "a line must be one JSON object, not a list"),
        (b'"a"', "a line must be a JSON object, not '\"a\"'"),
        (b"{'attachment': 'a'}", "at byte 1, near \"{'attachment'"),
    ],
)
async def test_a_bad_line_is_told_what_is_wrong_and_where(world: World, line: bytes, told: str) -> None:
    await plain_project(world)
    answer = await bring(world.ana, lines({"attachment": ATTACHMENT}) + b"\n" + line, 400, project="Album")
    [entry] = answer["lines"]
    assert entry["line"] == 2
    assert told in entry["error"]
    assert "`" not in entry["error"]
    await nothing_came(world)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
async def test_another_encoding_is_told_once_and_not_line_by_line(world: World, encoding: str) -> None:
    await plain_project(world)
    body = lines(*numbered(5)).decode().encode(encoding)
    answer = await bring(world.ana, body, 400, project="Album")
    assert len(answer["lines"]) == 1
    assert "the body is UTF-16 or UTF-32; send UTF-8" in answer["error"]


async def test_a_list_over_several_lines_is_told_once(world: World) -> None:
    await plain_project(world)
    for body in (json.dumps(numbered(3), indent=1), json.dumps(numbered(3)).replace("}, {", "},\n{")):
        answer = await bring(world.ana, b"\n" + body.encode(), 400, project="Album")
        assert answer["lines"] == [{"line": 2, "error": answer["lines"][0]["error"]}]
        assert "send one object a line" in answer["error"]


async def test_the_first_hundred_bad_lines_are_told_and_all_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "CHUNK_LINES", 64)
    await plain_project(world)
    answer = await bring(world.ana, b"\n".join([b"[]", b"{}"] * 130), 400, project="Album")
    assert [entry["line"] for entry in answer["lines"]] == list(range(1, 101))
    assert "260 lines" in answer["error"]


async def test_a_large_import_goes_by_the_disk_and_keeps_its_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MEMORY_BYTES", 10_000)
    await plain_project(world)

    async def body() -> AsyncIterator[bytes]:
        text = lines(*numbered(3_000))
        for start in range(0, len(text), 777):
            yield text[start : start + 777]

    response = await world.ana.call("POST", IMPORT, content=body(), params={"project": "Album"})
    assert response.json() == {"created": 3_000}
    assert (await batch_status(world, "Album%20(default)"))["pending"] == 3_000
    exported = await world.ana.call("GET", "/tasks/export")
    ids = [json.loads(line)["unique_id"] for line in exported.text.splitlines()]
    assert ids == [str(number) for number in range(3_000)]
    answer = await bring(world.ana, lines(*numbered(3_001)), 400, project="Album")
    assert "3,000 lines" in answer["error"]
    assert len(answer["lines"]) == 100


async def test_of_two_imports_of_the_same_tasks_at_once_one_comes_whole(world: World) -> None:
    await plain_project(world)
    body = lines(*numbered(500))
    both = [world.ana.call("POST", IMPORT, content=body, params={"project": "Album"}) for _ in range(2)]
    one, other = sorted(await asyncio.gather(*both), key=lambda answer: answer.status_code)
    assert one.json() == {"created": 500}
    assert other.status_code == 400
    assert len(other.json()["lines"]) == 100
    assert (await world.ana.get("/tasks"))["total"] == 500


@pytest.fixture
async def small(db: Database) -> AsyncIterator[World]:
    """A world in which an import is soon too large."""
    made = await World.make(db, Clock(), line_limit_bytes=100, import_limit_bytes=1_000)
    yield made
    await made.close()


async def test_a_line_or_a_body_that_is_too_large_is_refused_with_413(small: World) -> None:
    await plain_project(small)
    long = lines({"attachment": ATTACHMENT}, {"attachment": "x" * 200})
    assert "line 2 " in (await bring(small.ana, long, 413, project="Album"))["error"]
    assert "line 1 " in (await bring(small.ana, b"x" * 200, 413, project="Album"))["error"]
    many = lines(*[{"attachment": ATTACHMENT}] * 40)
    assert "1,000 bytes" in (await bring(small.ana, many, 413, project="Album"))["error"]
    await nothing_came(small)


async def test_an_import_into_what_does_not_exist_or_is_finalized_is_refused(world: World) -> None:
    await makers.project(world)
    await makers.batch(world, "Pets", tasks=1)
    body = lines({"attachment": ATTACHMENT})
    assert "'Nowhere'" in (await bring(world.ana, body, 400, project="Nowhere"))["error"]
    assert "'Never'" in (await bring(world.ana, body, 400, project="Pets", batch="Never"))["error"]
    assert "finalized" in (await bring(world.ana, body, 400, project="Pets", batch="Monday"))["error"]
    assert "'colour'" in (await bring(world.ana, body, 400, colour="red"))["error"]
    await bring(world.ben, body, 403, project="Pets")
    await bring(world.cid, body, 400, project="Pets")
    await bring(world.ana, body, 400, mode="test", project="Pets")
    assert (await batch_status(world, "Monday"))["pending"] == 1


async def test_in_test_mode_imported_tasks_are_completed_at_once(world: World) -> None:
    await world.ana.post("/projects", {"name": "Album", "type": "categorization"}, mode="test")
    await world.ana.post("/batches", {"project": "Album", "name": "Monday"}, mode="test")
    body = lines(*[CATEGORIZATION] * 20)
    assert await bring(world.ana, body, mode="test", project="Album", batch="Monday") == {"created": 20}
    done = (await world.ana.get("/tasks", mode="test"))["docs"]
    assert {task["status"] for task in done} == {"completed"}
    assert done[0]["response"] == {"category": "cat"}
    status = await batch_status(world, "Monday", mode="test")
    assert (status["status"], status["completed"]) == ("completed", 20)


async def test_imported_tasks_are_given_out_oldest_first(world: World) -> None:
    await makers.project(world)
    await world.ana.post("/batches", {"project": "Pets", "name": "Monday"})
    await bring(world.ana, lines(*numbered(3)), project="Pets", batch="Monday")
    await world.ana.post("/batches/Monday/finalize")
    for number in range(3):
        claim = await makers.claim(world.ben)
        assert claim is not None
        assert claim["task"]["params"]["attachment"] == f"https://example.com/{number}.jpg"
        await makers.answer(world.ben)
    assert (await batch_status(world, "Monday"))["status"] == "completed"


async def test_an_import_opens_a_completed_batch_again(world: World) -> None:
    await plain_project(world)
    await world.ana.post("/batches", {"project": "Album", "name": "Monday"})
    first = await makers.task(world, "Album", "Monday")
    await world.ana.post(f"/task/{first}/cancel")
    await bring(world.ana, lines(*numbered(2)), project="Album", batch="Monday")
    status = await batch_status(world, "Monday")
    assert (status["status"], status["pending"]) == ("in_progress", 2)
