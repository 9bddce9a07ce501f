"""More than the server can do: some calls are refused at once, the rest are served, and nothing is half done."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from refonte_studio.db import Database, Tx, open_database, sqlite
from refonte_studio.db.engine import takes_long, vital
from refonte_studio.kit import admission
from refonte_studio.kit.errors import Overloaded
from refonte_studio.main import LISTENERS
from refonte_studio.teams.service.passwords import Passwords
from refonte_studio.web import bodies
from tests import makers
from tests.world import Clock, Person, World, ok

CROWD = 60
FEW = 16


async def names(world: World) -> list[str]:
    return sorted(project["name"] for project in await world.ana.get("/projects"))


async def test_of_a_crowd_some_are_served_and_the_others_are_told_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(admission, "LIMIT", FEW)
    calls = [
        world.ana.call("POST", "/projects", {"name": f"Project {n:02}", "type": "categorization"}) for n in range(CROWD)
    ]
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert "than it can serve in good time" in answer.json()["error"]
    made = [f"Project {n:02}" for n, answer in enumerate(answers) if answer.status_code == 200]
    assert await names(world) == made


async def test_an_overloaded_server_lives_and_is_ready(world: World, monkeypatch: pytest.MonkeyPatch):
    enter = admission.Admission.enter

    def only_vital(door: admission.Admission, vital: bool = False) -> admission.Entry:
        if not vital:
            raise Overloaded("things")
        return enter(door, vital)

    monkeypatch.setattr(admission.Admission, "enter", only_vital)
    assert (await world.ana.call("GET", "/projects")).status_code == 503
    assert (await world.http.get("/healthz")).status_code == 200
    assert (await world.http.get("/readyz")).json()["database"] == "ok"


async def test_what_others_depend_on_is_done_however_many_wait(db: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(admission, "LIMIT", FEW)

    async def reads(tx: Tx) -> None:
        await tx.one("SELECT 1 AS one")

    @vital
    async def matters(tx: Tx) -> None:
        await tx.one("SELECT 1 AS one")

    for method in (db.read, db.write, db.single):
        common = [method(reads) for _ in range(CROWD)]
        outcomes = await asyncio.gather(*common, *(method(matters) for _ in range(FEW)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes[:CROWD]} == {type(None), Overloaded}
        assert set(outcomes[CROWD:]) == {None}


# ---------------------------------------------------------------------------------------------- imports and exports


@pytest.fixture
async def narrow(db: Database) -> AsyncIterator[World]:
    """A server that does one import or export at a time, and takes small bodies."""
    made = await World.make(db, Clock(), bulk_limit=1, body_limit_bytes=200_000)
    await makers.project(made)
    yield made
    await made.close()


class Slow:
    """A body whose end comes when the test says so."""

    def __init__(self, beginning: bytes, end: bytes = b"") -> None:
        self.parts = beginning, end
        self.begun = asyncio.Event()
        self.finish = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.parts[0]
        self.begun.set()
        await self.finish.wait()
        yield self.parts[1]


def sent(person: Person, path: str, body: Any) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(person.call("POST", path, content=body, params={"project": "Pets"}))


async def test_one_import_too_many_is_refused_until_another_has_ended(narrow: World):
    line = b'{"attachment": "x", "attachment_type": "text"}\n'
    slow = Slow(line)
    first = sent(narrow.ana, "/tasks/import", slow)
    await slow.begun.wait()
    for method, path in (("POST", "/tasks/import"), ("GET", "/tasks/export")):
        refused = await narrow.max.call(method, path, params={"project": "Pets"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert "more imports and exports" in refused.json()["error"]
    assert await names(narrow) == ["Pets"], "other calls go on"
    slow.finish.set()
    assert ok(await first) == {"created": 1}
    assert ok(await sent(narrow.max, "/tasks/import", line)) == {"created": 1}


async def test_an_export_has_its_place_until_its_last_line_is_sent(narrow: World, monkeypatch: pytest.MonkeyPatch):
    await makers.task(narrow, "Pets")
    places: list[int] = []
    paging = narrow.db.read

    async def watched(use_case: Any, *args: Any, **kwargs: Any) -> Any:
        if use_case.__name__ == "export_page":
            places.append((await narrow.ana.call("GET", "/tasks/export", params={"project": "Pets"})).status_code)
        return await paging(use_case, *args, **kwargs)

    monkeypatch.setattr(type(narrow.db), "read", lambda _db, *args, **kwargs: watched(*args, **kwargs))
    await narrow.ana.call("GET", "/tasks/export", params={"project": "Pets"})
    assert places
    assert set(places) == {503}
    monkeypatch.undo()
    assert (await narrow.ana.call("GET", "/tasks/export", params={"project": "Pets"})).status_code == 200


async def test_an_import_that_is_refused_for_its_lines_gives_its_place_back(narrow: World):
    for _ in range(3):
        assert (await sent(narrow.ana, "/tasks/import", b"rubbish")).status_code == 400


async def test_bodies_together_take_no_more_than_some_of_the_largest(narrow: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bodies, "LARGEST_AT_A_TIME", 1)
    text = b"x" * 60_000
    body = b'{"type": "categorization", "name": "Large", "description": "' + text * 2 + b'", "n": "', b'"}'
    slow = Slow(*body)
    first = sent(narrow.ana, "/projects", slow)
    await slow.begun.wait()
    refused = await sent(narrow.max, "/projects", b" ".join(body))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "more large bodies" in refused.json()["error"]
    small = {"name": "Small", "type": "categorization"}
    assert (await narrow.max.call("POST", "/projects", small)).status_code == 200, "small ones are not counted"
    slow.finish.set()
    assert (await first).status_code == 400, "of what it says, not of its size"
    assert (await sent(narrow.max, "/projects", b" ".join(body))).status_code == 400


async def test_one_team_leaves_room_for_the_imports_of_others(db: Database):
    world = await World.make(db, Clock(), bulk_limit=4, body_limit_bytes=200_000)
    await makers.project(world)
    await world.cid.post("/projects", {"name": "Pets", "type": "categorization"})
    line = b'{"attachment": "x", "attachment_type": "text", "categories": ["a", "b"]}\n'
    slow = [Slow(line) for _ in range(3)]
    people = (world.ana, world.ana, world.max)
    under_way = [sent(who, "/tasks/import", each) for who, each in zip(people, slow, strict=True)]
    for each in slow:
        await each.begun.wait()
    for who in (world.ana, world.max):
        assert (await sent(who, "/tasks/import", line)).status_code == 503
    world.http = world.client("192.0.2.7")
    assert ok(await sent(world.cid, "/tasks/import", line)) == {"created": 1}
    for each in slow:
        each.finish.set()
    assert [ok(await each) for each in under_way] == [{"created": 1}] * 3
    assert ok(await sent(world.max, "/tasks/import", line)) == {"created": 1}
    await world.close()


async def test_who_is_nobody_takes_no_place(narrow: World):
    """Neither for a large body nor for an import, on any route."""
    large = b'{"email": "' + b"x" * 100_000 + b'"}'
    refused = await narrow.http.post("/v1/session", content=large)
    assert (refused.status_code, refused.json()["error"]) == (413, "the body has 100,013 bytes; the limit is 65,536")
    for path in ("/v1/projects", "/v1/work/claim", "/v1/tasks/import?project=Pets"):
        slow = Slow(large)  # whose end never comes
        answer = await narrow.http.post(path, content=slow, headers={"Authorization": "Bearer live_nobody"})
        assert answer.status_code == 401, path


async def test_a_larger_body_that_takes_very_long_is_given_up(narrow: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bodies, "TIME_S", 0)
    answer = await sent(narrow.ana, "/projects", b'{"name": "' + b"x" * 100_000 + b'"}')
    assert answer.status_code == 408


async def test_more_sign_ins_than_can_be_checked_in_time_are_refused(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(admission, "LIMIT", FEW)
    passwords = Passwords()
    try:
        outcomes = await asyncio.gather(
            *(passwords.verify("wrong", None) for _ in range(CROWD)), return_exceptions=True
        )
    finally:
        passwords.close()
    assert outcomes.count(False) == FEW
    assert {type(outcome) for outcome in outcomes} == {bool, Overloaded}


# ----------------------------------------------------------------------------------------------------------- SQLite


async def test_who_waits_very_long_behind_a_large_write_is_told(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """There is one writer. What takes long itself goes on waiting."""
    monkeypatch.setattr(sqlite, "GIVE_UP_S", 0.02)
    monkeypatch.setattr(sqlite, "GIVE_UP_AGAIN_S", 0.01)
    begun, goes_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    @takes_long
    async def large(tx: Tx) -> str:
        loop.call_soon_threadsafe(begun.set)
        goes_on.wait()
        return "done"

    async def small(tx: Tx) -> None:
        await tx.one("SELECT 1 AS one")

    shutil.copy(sqlite_template, tmp_path / "studio.db")
    db = await open_database(f"sqlite:///{tmp_path / 'studio.db'}", LISTENERS)
    first = asyncio.create_task(db.write(large))
    await begun.wait()
    second = asyncio.create_task(db.write(large))
    assert db.occupied, "which is no reason not to be ready"
    refused = await asyncio.gather(*(db.write(small) for _ in range(5)), return_exceptions=True)
    assert {type(outcome) for outcome in refused} == {Overloaded}
    assert await db.read(small) is None, "reads do not wait for it"
    goes_on.set()
    assert await first == await second == "done"
    assert not db.occupied
    assert await db.write(small) is None
    await db.close()
