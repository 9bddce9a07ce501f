"""SQLite: the file is full, read-only, locked, damaged or gone. Calls are refused and say why; then they work again.

Nothing here restarts the server, and every error is SQLite's own.
"""

import asyncio
import logging
import os
import resource
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from refonte_studio.db import Tx, open_database, sqlite, sqlite_file
from refonte_studio.kit.errors import NotFound, Unavailable
from refonte_studio.main import LISTENERS
from tests import makers
from tests.world import Clock, World

NOBODY = 65_534
CROWD = 300  # more than are written in one commit
LARGE = "x" * 90_000


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for, but not for seconds; the path is looked at before each read."""
    monkeypatch.setattr(sqlite, "BUSY_MS", 50)
    monkeypatch.setattr(sqlite, "BUSY_AGAIN_MS", 5)
    monkeypatch.setattr(sqlite_file, "TRUST_S", 0)
    monkeypatch.setattr("refonte_studio.db.health.QUIET_S", 0)


@pytest.fixture
def path(sqlite_template: Path) -> Iterator[Path]:
    """A database file in a folder that others than root can enter."""
    folder = Path(tempfile.mkdtemp(prefix="studio-failures-"))
    folder.chmod(0o777)
    shutil.copy(sqlite_template, folder / "studio.db")
    yield folder / "studio.db"
    shutil.rmtree(folder)


@pytest.fixture
async def world(path: Path) -> AsyncIterator[World]:
    db = await open_database(f"sqlite:///{path}", LISTENERS)
    made = await World.make(db, Clock())
    await makers.project(made)
    yield made
    await made.close()
    await db.close()


async def test_what_was_said_of_a_commit_that_failed_is_not_said(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One use-case of a group fails by itself; then the commit of all fails, so that nothing it saw was ever true."""

    async def refuses(_tx: Tx) -> None:
        raise NotFound("there is no such thing")

    async def reads(tx: Tx) -> None:
        await tx.one("SELECT 1 AS one")

    def replaced(_file: sqlite_file.SqliteFile) -> None:
        raise sqlite_file.Misplaced("its file was replaced while it was in use")

    shutil.copy(sqlite_template, tmp_path / "studio.db")
    db = await open_database(f"sqlite:///{tmp_path / 'studio.db'}", LISTENERS)
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_file.SqliteFile, "check", replaced)
        outcomes = await asyncio.gather(*map(db.write, (refuses, reads, refuses)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    with pytest.raises(NotFound):
        await db.write(refuses)
    await db.close()


async def names(world: World) -> list[str]:
    return sorted(project["name"] for project in await world.ana.get("/projects"))


async def make(world: World, name: str) -> tuple[int, str]:
    """Tries to make a project; the status and the error."""
    response = await world.ana.call("POST", "/projects", {"name": name, "type": "categorization"})
    if response.status_code == 503:
        assert int(response.headers["retry-after"]) >= 1
        assert response.json()["status_code"] == 503
    return response.status_code, response.json().get("error", "")


async def is_ready(world: World) -> str:
    """What the server says of its database; it lives in any case."""
    assert (await world.http.get("/healthz")).status_code == 200
    world.clock.forward(seconds=2)
    response = await world.http.get("/readyz")
    assert (response.status_code == 503) == ("retry-after" in response.headers) == (response.json()["database"] != "ok")
    return response.json()["database"]


def copied(path: Path) -> Path:
    """A copy of the database as it is, beside it."""
    copy = path.with_name("copy.db")
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    source.backup(target)
    target.close()
    source.close()
    return copy


# ---------------------------------------------------------------------------- what goes wrong, and how it is mended


@contextmanager
def locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def gone(path: Path) -> Iterator[None]:
    path.rename(path.with_name("aside.db"))
    try:
        yield
    finally:
        path.with_name("aside.db").rename(path)


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    copy = copied(path)
    rubbish = path.with_name("rubbish.db")
    rubbish.write_bytes(os.urandom(100_000))
    rubbish.replace(path)
    try:
        yield
    finally:
        copy.replace(path)


@contextmanager
def torn(path: Path) -> Iterator[None]:
    """A sound beginning, and rubbish behind it."""
    copy = copied(path)
    half = path.with_name("half.db")
    half.write_bytes(copy.read_bytes()[:8_192] + os.urandom(400_000))
    half.replace(path)
    try:
        yield
    finally:
        copy.replace(path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to write everywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    copied(path).replace(path)
    path.chmod(0o444)
    try:
        with as_nobody():
            yield
    finally:
        path.chmod(0o666)


@contextmanager
def in_a_read_only_folder(path: Path) -> Iterator[None]:
    copied(path).replace(path)
    path.chmod(0o666)
    path.parent.chmod(0o555)
    try:
        with as_nobody():
            yield
    finally:
        path.parent.chmod(0o777)


@contextmanager
def disk_fails(_path: Path) -> Iterator[None]:
    """No byte can be written to any file, but for the first."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


TROUBLES: dict[str, tuple[Callable[[Path], AbstractContextManager[None]], str]] = {
    "locked": (locked, "another program keeps it locked"),
    "gone": (gone, "its file is gone"),
    "damaged": (damaged, "its file is damaged"),
    "torn": (torn, "its file is damaged"),
    "read-only": (read_only, "it is read-only"),
    "read-only folder": (in_a_read_only_folder, "it is read-only"),
    "failing disk": (disk_fails, "its disk fails to read or to write"),
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_writes_are_refused_with_the_reason_until_it_is_mended(
    world: World, path: Path, name: str, caplog: pytest.LogCaptureFixture
):
    trouble, reason = TROUBLES[name]
    before = await names(world)
    assert await is_ready(world) == "ok"
    with trouble(path):
        for attempt in range(3):
            status, error = await make(world, f"Lost {attempt}")
            assert (status, error) == (503, f"the database cannot serve this now: {reason}")
        assert reason in await is_ready(world)
        assert str(path) not in error
    told = [record.message for record in caplog.records if "cannot serve" in record.message]
    assert len(told) == 1, "once, however many calls fail"
    assert reason in told[0]
    assert await make(world, "Found") == (200, "")
    assert await names(world) == sorted([*before, "Found"])
    assert await is_ready(world) == "ok"
    assert any("serves again" in record.message for record in caplog.records)


@pytest.mark.parametrize("name", ["gone", "damaged"])
async def test_reads_are_refused_with_the_reason_until_it_is_mended(world: World, path: Path, name: str):
    trouble, reason = TROUBLES[name]
    with trouble(path):
        response = await world.ana.call("GET", "/projects")
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert reason in response.json()["error"]
    assert await names(world) == ["Pets"]


@pytest.mark.parametrize("name", ["locked", "read-only", "failing disk"])
async def test_reads_go_on_while_only_writes_are_impossible(world: World, path: Path, name: str):
    trouble, _ = TROUBLES[name]
    with trouble(path):
        assert (await make(world, "Lost"))[0] == 503
        assert await names(world) == ["Pets"]


async def test_a_full_disk_refuses_what_needs_room_and_leaves_nothing_half_done(
    world: World, caplog: pytest.LogCaptureFixture
):
    async def no_room(tx: Tx) -> None:
        await tx.one("PRAGMA max_page_count = 1")  # not below the present size

    async def room(tx: Tx) -> None:
        await tx.one("PRAGMA max_page_count = 1000000")

    await world.db.write(no_room)
    for _ in range(3):
        body = {"project": "Pets", "attachment_type": "text", "attachment": LARGE, "tags": ["a", "b"]}
        error = await world.ana.refused(503, "POST", "/task/categorization", body)
        assert error == "the database cannot serve this now: its disk is full"
    assert (await world.ana.get("/tasks"))["total"] == 0
    assert len([record for record in caplog.records if "its disk is full" in record.message]) == 1
    await world.db.write(room)
    await makers.task(world, "Pets", attachment=LARGE, attachment_type="text")
    assert (await world.ana.get("/tasks"))["total"] == 1


async def test_a_neighbour_of_what_found_the_disk_full_is_never_told_of_a_success_that_is_lost(world: World):
    async def fill(tx: Tx) -> None:
        await tx.one("PRAGMA max_page_count = 1")
        await tx.run("CREATE TABLE large AS SELECT zeroblob(10000000) AS zeros")

    neighbours = [make(world, f"Neighbour {n}") for n in range(5)]
    *made, full = await asyncio.gather(*neighbours, world.db.write(fill), return_exceptions=True)
    assert "its disk is full" in str(full)
    kept = await names(world)
    for n, outcome in enumerate(made):
        assert outcome[0] == (200 if f"Neighbour {n}" in kept else 503)


async def test_a_crowd_before_a_lock_waits_for_it_once(world: World, path: Path, monkeypatch: pytest.MonkeyPatch):
    waits: list[int] = []
    lend = sqlite_file.SqliteFile.connection

    def watched(file: sqlite_file.SqliteFile, use: sqlite_file.Use, busy_ms: int) -> object:
        if use == "write" and busy_ms:
            waits.append(busy_ms)
        return lend(file, use, busy_ms)

    monkeypatch.setattr(sqlite_file.SqliteFile, "connection", watched)
    with locked(path):
        outcomes = await asyncio.gather(*(make(world, f"Lost {n}") for n in range(CROWD)))
        outcomes += [await make(world, "Lost later")]
    assert {status for status, _ in outcomes} == {503}
    assert waits[0] == sqlite.BUSY_MS
    assert waits[-1] == sqlite.BUSY_AGAIN_MS
    assert sqlite.BUSY_MS not in waits[1:], "who comes after somebody waited in vain does not wait as long again"
    assert len(waits) < CROWD / sqlite.GROUP
    assert await make(world, "Found") == (200, "")
    assert await names(world) == ["Found", "Pets"]


async def test_a_replaced_file_is_opened_and_what_was_beside_the_old_one_is_not_mixed_in(world: World, path: Path):
    copy = copied(path)
    assert await make(world, "Of the old file") == (200, "")
    copy.replace(path)
    assert await names(world) == ["Pets"]
    assert await make(world, "Of the new file") == (200, "")
    assert await names(world) == ["Of the new file", "Pets"]
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


async def test_nothing_is_acknowledged_into_a_deleted_file_and_no_empty_one_is_made(world: World, path: Path):
    await asyncio.to_thread(path.unlink)
    assert (await make(world, "Lost"))[0] == 503
    assert not await asyncio.to_thread(path.exists)


async def test_a_file_that_goes_while_a_change_is_committed_is_no_success(world: World, path: Path):
    async def pulled_away(tx: Tx) -> None:
        await tx.run("UPDATE teams SET name = name")
        os.rename(path, path.with_name("aside.db"))

    with pytest.raises(Unavailable, match="its file is gone"):
        await world.db.write(pulled_away)


async def test_a_deleted_log_of_writes_loses_nothing(world: World, path: Path):
    """Somebody tidies up, not knowing what the file is for."""
    assert await make(world, "Committed, not yet moved") == (200, "")
    path.with_name(f"{path.name}-wal").unlink()
    assert await make(world, "Found") == (200, "")
    assert await names(world) == ["Committed, not yet moved", "Found", "Pets"]
    check = sqlite3.connect(path)
    assert check.execute("SELECT COUNT(*) FROM projects").fetchone() == (3,)
    check.close()


async def test_a_bug_of_ours_is_not_blamed_on_the_database(world: World, caplog: pytest.LogCaptureFixture):
    async def misspelt(tx: Tx) -> None:
        await tx.run("UPDATE teams SET no_such_column = 1")

    async def writes_where_it_reads(tx: Tx) -> None:
        await tx.run("UPDATE teams SET name = name")

    with pytest.raises(sqlite3.OperationalError, match="no_such_column"):
        await world.db.write(misspelt)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await world.db.read(writes_where_it_reads)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
