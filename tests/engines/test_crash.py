"""Real server processes are killed while they work: nothing acknowledged is lost, and no slot is given out twice."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from refonte_studio.db import open_database
from refonte_studio.invariants.service import audit
from refonte_studio.kit.caller import Role
from refonte_studio.main import LISTENERS
from refonte_studio.teams import service as teams
from tests.conftest import empty
from tests.drawings import ATTACHMENT, boxes
from tests.invariants import Snapshot, check, snapshot

TYPE = "imageannotation"
PARAMS = {"geometries": {"box": {"objects_to_annotate": ["car"]}}}
DRAWINGS = 3
BOXES = 1_000
WORKERS = 16
TASKS = 400
READY_S = 30
START_MS = 1_770_000_000_000


class Process:
    """A `refonte-studio serve` process on its own port."""

    def __init__(self, database_url: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._command = [sys.executable, "-m", "refonte_studio.cli", "serve", "--port", str(self.port)]
        self._command += ["--database", database_url, "--data", str(folder)]
        self._log = (folder / f"server-{self.port}.log").open("ab")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)

    async def ready(self) -> None:
        deadline = time.monotonic() + READY_S
        async with httpx.AsyncClient() as http:
            while time.monotonic() < deadline:
                assert self.process.poll() is None, "the server ended at its start"
                try:
                    if (await http.get(f"http://127.0.0.1:{self.port}/healthz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        raise AssertionError("the server did not become ready")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()


class Acknowledged(dict[str, str]):
    """The submissions that the server answered with success: claim -> task."""

    def __init__(self) -> None:
        super().__init__()
        self._grown = asyncio.Event()

    def add(self, claim: str, task: str) -> None:
        self[claim] = task
        self._grown.set()

    async def reach(self, count: int) -> None:
        while len(self) < count:
            self._grown.clear()
            await self._grown.wait()


async def prepared(database_url: str) -> tuple[str, list[str]]:
    """An admin's key, and the keys of the workers of a new team."""
    db = await open_database(database_url, LISTENERS)
    try:
        team = await db.write(teams.create_team, "Crash", START_MS)
        admin = await db.write(teams.create_teammate, team.id, "ana@example.com", Role.ADMIN, START_MS)
        keys = [(await db.write(teams.create_key, team.id, admin, "live", "k", START_MS))[1]]
        for n in range(WORKERS):
            person = await db.write(teams.create_teammate, team.id, f"w{n}@example.com", Role.LABELER, START_MS)
            keys.append((await db.write(teams.create_key, team.id, person, "live", "k", START_MS))[1])
    finally:
        await db.close()
    return keys[0], keys[1:]


async def set_up_job(url: str, key: str) -> None:
    async with httpx.AsyncClient(base_url=url, auth=(key, ""), timeout=60) as http:

        async def post(path: str, **options: Any) -> None:
            response = await http.post(path, **options)
            assert response.status_code == 200, response.text

        body = {"name": "Crash", "type": "categorization", "studio": True, "pipeline": "consensus_task"}
        await post("/projects", json={**body, "consensus_attempts": 3, "params": {"categories": ["a", "b"]}})
        emails = [f"w{n}@example.com" for n in range(WORKERS)]
        await post("/studio/assignments/add", json={"emails": emails, "projects": ["Crash"]})
        await post("/batches", json={"project": "Crash", "name": "All"})
        lines = "\n".join(f'{{"attachment": "x", "unique_id": "{n}"}}' for n in range(TASKS))
        await post("/tasks/import", params={"project": "Crash", "batch": "All"}, content=lines.encode())
        await post("/batches/All/finalize")


async def work(url: str, key: str, acknowledged: Acknowledged, stop: asyncio.Event) -> None:
    """Claims and submits until there is nothing left, through whatever the server does."""
    async with httpx.AsyncClient(base_url=url, auth=(key, ""), timeout=10) as http:
        while not stop.is_set():
            try:
                claimed = await http.post("/work/claim")
                if claimed.status_code == 204:
                    return
                if claimed.status_code == 200:
                    claim = claimed.json()
                    body = {"response": {"category": "a"}}
                    done = await http.post(f"/work/{claim['claim_id']}/submit", json=body)
                    if done.status_code == 200:
                        acknowledged.add(claim["claim_id"], claim["task"]["task_id"])
            except httpx.TransportError:
                await asyncio.sleep(0.02)


async def audited(database_url: str) -> Snapshot:
    db = await open_database(database_url, LISTENERS)
    try:
        now, findings = await db.read(snapshot), await db.read(audit)
    finally:
        await db.close()
    check(now)
    assert [finding for finding in findings if finding.count] == []
    return now


def assert_kept(now: Snapshot, acknowledged: dict[str, str]) -> None:
    """Every acknowledged submission is an attempt, and what was one task to its person is one task."""
    attempts = {attempt["id"]: attempt for attempt in now.attempts}
    assert set(acknowledged) <= set(attempts)
    real = {
        (attempts[claim]["teammate_id"], known): attempts[claim]["task_id"] for claim, known in acknowledged.items()
    }
    assert all(
        real[attempts[claim]["teammate_id"], known] == attempts[claim]["task_id"]
        for claim, known in acknowledged.items()
    )
    assert len(real) == len({(attempts[claim]["teammate_id"], attempts[claim]["task_id"]) for claim in acknowledged})


@pytest.fixture
async def own_database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'studio.db'}"
    url: str = request.getfixturevalue("postgres_url")
    await empty(url)
    return url


@pytest.fixture
def migrated(own_database: str, engine: str, tmp_path: Path, sqlite_template: Path) -> str:
    if engine == "sqlite":
        (tmp_path / "studio.db").write_bytes(sqlite_template.read_bytes())
    return own_database


async def test_kill_9_in_mid_work_loses_nothing_acknowledged(migrated: str, tmp_path: Path):
    admin, keys = await prepared(migrated)
    server = Process(migrated, tmp_path)
    try:
        await server.ready()
        await set_up_job(server.url, admin)
        acknowledged = Acknowledged()
        stop = asyncio.Event()
        workers = [asyncio.create_task(work(server.url, key, acknowledged, stop)) for key in keys]
        for wanted in (100, 250):
            await acknowledged.reach(wanted)
            server.kill()
            assert_kept(await audited(migrated), acknowledged)
            server.start()
            await server.ready()
        await acknowledged.reach(350)
        stop.set()
        await asyncio.gather(*workers)
        assert server.terminate() == 0
        assert_kept(await audited(migrated), acknowledged)
    finally:
        server.close()


async def test_sigterm_finishes_what_is_in_flight(migrated: str, tmp_path: Path):
    admin, keys = await prepared(migrated)
    server = Process(migrated, tmp_path)
    try:
        await server.ready()
        await set_up_job(server.url, admin)
        acknowledged = Acknowledged()
        stop = asyncio.Event()
        workers = [asyncio.create_task(work(server.url, key, acknowledged, stop)) for key in keys]
        await acknowledged.reach(100)
        os.kill(server.process.pid, signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, 40) == 0
        stop.set()
        await asyncio.gather(*workers)
        now = await audited(migrated)
        assert_kept(now, acknowledged)
        assert len(now.attempts) == len(acknowledged), "a submission was recorded whose answer never arrived"
    finally:
        server.close()


async def set_up_drawings(url: str, key: str) -> None:
    """A project whose results cost enough to be made in the background, for two of the workers."""
    async with httpx.AsyncClient(base_url=url, auth=(key, ""), timeout=60) as http:
        for path, body in (
            ("/projects", {"name": "Drawn", "type": TYPE, "studio": True, "params": PARAMS}),
            ("/studio/projects/Drawn/updatePipelineConfig", {"pipeline": "consensus_task", "consensus_attempts": 2}),
            ("/studio/assignments/add", {"emails": ["w0@example.com", "w1@example.com"], "projects": ["Drawn"]}),
            ("/batches", {"project": "Drawn", "name": "All", "callback": "http://127.0.0.1:9/"}),
            *[(f"/task/{TYPE}", {"project": "Drawn", "batch": "All", "attachment": ATTACHMENT})] * DRAWINGS,
            ("/batches/All/finalize", {}),
        ):
            answer = await http.post(path, json=body)
            assert answer.status_code == 200, answer.text


async def draw(url: str, key: str, shift: float) -> int:
    """Claims and submits large drawings until there is nothing left; answers how many."""
    async with httpx.AsyncClient(base_url=url, auth=(key, ""), timeout=60) as http:
        for count in itertools.count():
            claimed = await http.post("/work/claim")
            if claimed.status_code == 204:
                return count
            path = f"/work/{claimed.json()['claim_id']}/submit"
            answer = await http.post(path, json={"response": boxes(BOXES, shift)})
            assert answer.status_code == 200, answer.text
    raise AssertionError


def kill_fitting_process(server: Process) -> bool:
    """Kills the process that makes results, if there is one just now."""
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes()
            parent = (
                (folder / "stat").read_text().rpartition(")")[2].split()[1] if b"fitting_process" in command else ""
            )
        except OSError:
            continue
        if parent == str(server.process.pid):
            os.kill(int(folder.name), signal.SIGKILL)
            return True
    return False


async def test_results_made_in_the_background_survive_kill_9_of_either_process(migrated: str, tmp_path: Path):
    admin, keys = await prepared(migrated)
    server = Process(migrated, tmp_path)
    try:
        await server.ready()
        await set_up_drawings(server.url, admin)
        assert [await draw(server.url, key, shift) for shift, key in enumerate(keys[:2])] == [DRAWINGS, DRAWINGS]
        deadline = time.monotonic() + READY_S
        while not kill_fitting_process(server):
            assert time.monotonic() < deadline, "nothing is made in the background"
            await asyncio.sleep(0.01)
        while not kill_fitting_process(server):  # it is tried again
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        server.kill()
        now = await audited(migrated)
        assert [row for row in now.postponed_results if row["done_at"] is None]
        server.start()
        await server.ready()
        while any(place["judging"] for place in now.task_slots):
            assert time.monotonic() < deadline + READY_S
            await asyncio.sleep(0.2)
            now = await audited(migrated)
        assert server.terminate() == 0
        assert len(now.postponed_results) == DRAWINGS
        assert [row["event"] for row in now.callbacks] == ["batch.completed"]
    finally:
        server.close()


async def test_two_servers_on_one_postgresql_share_the_work(postgres_url: str, tmp_path: Path):
    await empty(postgres_url)
    admin, keys = await prepared(postgres_url)
    servers = [Process(postgres_url, tmp_path) for _ in range(2)]
    try:
        for server in servers:
            await server.ready()
        await set_up_job(servers[0].url, admin)
        acknowledged = Acknowledged()
        stop = asyncio.Event()
        await asyncio.gather(
            *(work(servers[n % 2].url, key, acknowledged, stop) for n, key in enumerate(keys)),
        )
        now = await audited(postgres_url)
        assert_kept(now, acknowledged)
        assert len(acknowledged) == TASKS * 3
        assert {batch["state"] for batch in now.batches} == {"completed"}
    finally:
        for server in servers:
            server.close()
