"""Random people on random projects, batches, groups, priorities and pipelines, with a clock that jumps. After every
step the whole database is audited, and every claim is held against the contract's order of dispatch."""

import asyncio
import shutil
import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from refonte_studio.db import open_database
from refonte_studio.dispatch.policy import choices as choice_policy
from refonte_studio.dispatch.service import termination
from refonte_studio.main import LISTENERS
from tests.conftest import empty
from tests.invariants import check, may_have, snapshot
from tests.world import Clock, Person, World, ok

WORKERS = ("ben", "dee", "mia", "max")
worker = st.sampled_from(WORKERS)
index = st.integers(0, 5)
DOINGS = ["hold", "submit", "submit", "submit", "skip", "release"]
CATEGORIES = ["a", "b", "c"]


class Studio(RuleBasedStateMachine):
    """One run: a fresh database, two projects, and whatever hypothesis thinks of."""

    database_url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.projects: list[str] = []
        self.batches: list[tuple[str, str]] = []  # name, project
        self.staged: list[tuple[str, str]] = []
        self.groups: list[tuple[str, str]] = []
        self.held: dict[str, dict[str, Any]] = {}
        self.real: dict[str, str | None] = {}  # claim -> task
        self.acknowledged: dict[str, str | None] = {}  # claim -> task
        self.count = 0

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def who(self, name: str) -> Person:
        return getattr(self.world, name)

    def call(self, person: str, method: str, path: str, body: Any = None) -> Any:
        """The JSON of the answer, or None where the server refused; it may refuse, but never fail."""
        response = self.run(self.who(person).call(method, path, body))
        assert response.status_code < 500, response.text
        return response.json() if response.status_code == 200 else None

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix} {self.count}"

    @initialize()
    def begin(self) -> None:
        async def start() -> None:
            if not self.database_url.startswith("sqlite"):
                await empty(self.database_url)
            self.db = await open_database(self.database_url, LISTENERS)
            self.world = await World.make(self.db, Clock())

        if self.database_url.startswith("sqlite"):
            self.folder = tempfile.mkdtemp()
            shutil.copy(self.database_url.removeprefix("sqlite:///"), f"{self.folder}/studio.db")
            self.database_url = f"sqlite:///{self.folder}/studio.db"
        self.run(start())
        for pipeline in ("standard_task", "consensus_task"):
            self.add_project(pipeline, 2)
        for name in WORKERS:
            self.assign(name, 0)
            self.assign(name, 1)
        self.add_batch(0, False, 3)
        self.add_batch(1, False, 2)
        self.add_batch(0, True, 2)
        self.add_batch(0, False, 2)

    def teardown(self) -> None:
        async def stop() -> None:
            await self.world.close()
            await self.db.close()

        if hasattr(self, "world"):
            self.run(stop())
        self.runner.close()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(pipeline=st.sampled_from(["standard_task", "consensus_task"]), wanted=st.integers(2, 4))
    def add_project(self, pipeline: str, wanted: int) -> None:
        name = self.fresh("project")
        body = {"name": name, "type": "categorization", "studio": True, "pipeline": pipeline}
        body |= {"params": {"categories": CATEGORIES}}
        if pipeline == "consensus_task":
            body["consensus_attempts"] = wanted
        ok(self.run(self.world.ana.call("POST", "/projects", body)))
        self.projects.append(name)

    @rule(project=index, calibration=st.booleans(), tasks=st.integers(0, 3))
    def add_batch(self, project: int, calibration: bool, tasks: int) -> None:
        name, project_name = self.fresh("batch"), self.projects[project % len(self.projects)]
        body = {"name": name, "project": project_name, "calibration_batch": calibration}
        ok(self.run(self.world.ana.call("POST", "/batches", body)))
        for _ in range(tasks):
            self.add_task(project_name, name)
        ok(self.run(self.world.ana.call("POST", f"/batches/{name}/finalize")))
        self.batches.append((name, project_name))

    def add_task(self, project: str, batch: str | None) -> None:
        body = {"project": project, "attachment": "a picture", "attachment_type": "text"}
        if batch is not None:
            body["batch"] = batch
        ok(self.run(self.world.mia.call("POST", "/task/categorization", body)))

    @rule(project=index)
    def add_task_without_batch(self, project: int) -> None:
        self.add_task(self.projects[project % len(self.projects)], None)

    @rule(project=index)
    def add_training_task(self, project: int) -> None:
        name = self.projects[project % len(self.projects)]
        body = {"project": name, "attachment": "a picture", "expected_response": {"category": "a"}}
        ok(self.run(self.world.ana.call("POST", "/training_tasks/categorization", body)))

    @rule(person=worker, project=index)
    def assign(self, person: str, project: int) -> None:
        body = {"emails": [self.who(person).email], "projects": [self.projects[project % len(self.projects)]]}
        self.call("ana", "POST", "/studio/assignments/add", body)

    @rule(person=worker, project=index)
    def unassign(self, person: str, project: int) -> None:
        name = self.projects[project % len(self.projects)]
        self.call("max", "POST", "/studio/assignments/remove", {"emails": [self.who(person).email], "projects": [name]})

    @rule(project=index, people=st.lists(worker, min_size=1, max_size=2, unique=True))
    def add_group(self, project: int, people: list[str]) -> None:
        name, project_name = self.fresh("group"), self.projects[project % len(self.projects)]
        body = {"name": name, "emails": [self.who(person).email for person in people]}
        if self.call("ana", "POST", f"/studio/projects/{project_name}/groups", body):
            self.groups.append((name, project_name))

    @rule(group=index, person=worker, add=st.booleans())
    def change_group(self, group: int, person: str, add: bool) -> None:
        if self.groups:
            name, project = self.groups[group % len(self.groups)]
            body = {"add_emails" if add else "remove_emails": [self.who(person).email]}
            self.call("ana", "PUT", f"/studio/projects/{project}/groups/{name}", body)

    @rule(batch=index, group=index, alone=st.none() | worker)
    def give_batch(self, batch: int, group: int, alone: str | None) -> None:
        name, project = self.batches[batch % len(self.batches)]
        mine = [other for other, of in self.groups if of == project]
        groups = [self.who(alone).email] if alone else mine[group % len(mine) :][:2] if mine else []
        self.call("ana", "PUT", f"/studio/batches/{name}", {"groups": groups})

    @rule(data=st.data())
    def set_priorities(self, data: st.DataObject) -> None:
        pending = [batch["name"] for batch in self.call("ana", "GET", "/studio/batches")]
        chosen = data.draw(st.permutations(pending))[: data.draw(st.integers(1, 4))]
        after = [
            batch["name"] for batch in self.call("ana", "POST", "/studio/batches/set_priorities", {"batches": chosen})
        ]
        assert after == chosen + [name for name in pending if name not in chosen]

    @rule()
    def reset_priorities(self) -> None:
        after = self.call("ana", "POST", "/studio/batches/reset_priorities")
        kinds = [batch["batchType"] != "Calibration" for batch in after]
        assert kinds == sorted(kinds)

    @rule(project=index, pipeline=st.sampled_from(["standard_task", "consensus_task"]), wanted=st.integers(2, 4))
    def change_pipeline(self, project: int, pipeline: str, wanted: int) -> None:
        body: dict[str, Any] = {"pipeline": pipeline}
        if pipeline == "consensus_task":
            body["consensus_attempts"] = wanted
        self.call("ana", "POST", f"/projects/{self.projects[project % len(self.projects)]}/updatePipelineConfig", body)

    @rule(batch=index)
    def send_to_completed(self, batch: int) -> None:
        name, project = self.batches[batch % len(self.batches)]
        self.call("ana", "POST", f"/studio/projects/{project}/send_tasks_to_completed", {"batches": [name]})

    @rule(task=index)
    def cancel_task(self, task: int) -> None:
        tasks = self.call("ana", "GET", "/tasks?status=pending")["docs"]
        if tasks:
            self.call("ana", "POST", f"/task/{tasks[task % len(tasks)]['task_id']}/cancel")

    @rule(person=st.sampled_from(["ben", "dee"]))
    def disable_and_bring_back(self, person: str) -> None:
        email = self.who(person).email
        assert self.call("max", "POST", "/teams/disable", {"emails": [email]})
        assert self.run(self.who(person).call("POST", "/work/claim")).status_code == 401
        assert self.call("max", "POST", "/teams/set_role", {"emails": [email], "team_role": "labeler"})

        async def new_key() -> str:
            from refonte_studio.teams import service as teams

            who = self.who(person)
            _, key = await self.db.write(teams.create_key, who.team_id, who.id, "live", "again", self.world.clock())
            return key

        self.who(person).keys["live"] = self.run(new_key())

    @rule(person=worker)
    def claim(self, person: str) -> None:
        who, now = self.who(person), self.world.clock()
        before = self.run(self.db.read(snapshot))
        overdue = {c["id"] for c in before.claims if c["state"] == "held" and c["lease_expires_at"] <= now}
        live = [
            c for c in before.claims if c["teammate_id"] == who.id and c["state"] == "held" and c["id"] not in overdue
        ]
        response = self.run(who.call("POST", "/work/claim"))
        assert response.status_code in (200, 204), response.text
        given = response.json() if response.status_code == 200 else None
        if live:
            assert given is not None
            assert given["claim_id"] == live[0]["id"]
            task = live[0]["task_id"]
        else:
            self.run(self.db.write(termination.expire_leases, now))
            after = self.run(self.db.read(snapshot))
            task = None
            if given is not None:  # as it was before this claim
                (task,) = (c["task_id"] for c in after.claims if c["id"] == given["claim_id"])
                after.tables["claims"] = [c for c in after.claims if c["id"] != given["claim_id"]]
                again = {item["task_id"] for item in after.rework_items if item["teammate_id"] == who.id}
                for place in after.task_slots:
                    if place["task_id"] not in again and place["task_id"] == task and place["batch_id"]:
                        place["open"] += 1
            expected = may_have(after, who.id, "live")
            assert task == (expected[0] if expected else None)
        if given is not None:
            self.held[person] = given
            self.real[given["claim_id"]] = task

    @rule(
        steps=st.lists(st.tuples(worker, st.sampled_from(DOINGS), st.sampled_from(CATEGORIES)), min_size=1, max_size=8)
    )
    def work(self, steps: list[tuple[str, str, str]]) -> None:
        """Most of what happens in a day."""
        for person, what, answer in steps:
            self.claim(person)
            if what == "submit":
                self.submit(person, answer)
            elif what != "hold":
                self.put_down(person, what)
            self.the_database_is_sound()

    @rule(person=worker, answer=st.sampled_from(CATEGORIES))
    def submit(self, person: str, answer: str) -> None:
        if held := self.held.get(person):
            body = {"response": {"category": answer}}
            path = f"/work/{held['claim_id']}/submit"
            if done := self.call(person, "POST", path, body):
                assert self.call(person, "POST", path, body) == done, "the same submission answers the same"
                assert done["task_id"] == held["task"]["task_id"]
                self.acknowledged[held["claim_id"]] = self.real[held["claim_id"]]

    @rule(person=worker, what=st.sampled_from(["skip", "release", "extend"]))
    def put_down(self, person: str, what: str) -> None:
        if held := self.held.get(person):
            self.call(person, "POST", f"/work/{held['claim_id']}/{what}")

    @rule(minutes=st.sampled_from([1, 10, 31, 90]))
    def wait(self, minutes: int) -> None:
        self.world.clock.forward(minutes=minutes)

    @invariant()
    def the_database_is_sound(self) -> None:
        if not hasattr(self, "world"):
            return
        now = self.run(self.db.read(snapshot))
        check(now)
        attempts = {attempt["id"]: attempt["task_id"] for attempt in now.attempts}
        for claim, task in self.acknowledged.items():
            assert attempts.get(claim) == task, "an acknowledged submission is lost"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("reach", ["noted seldom", "noted always"])
def test_random_work_breaks_no_rule(
    engine: str,
    reach: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
):
    if reach == "noted always":
        monkeypatch.setattr(choice_policy, "NOTE_EVERY", 1)
        monkeypatch.setattr(choice_policy, "LOOK_BACK_EVERY", 1)
    run_days(Studio, engine, request, examples=8, steps=40)


def run_days(kind: type[Studio], engine: str, request: pytest.FixtureRequest, examples: int, steps: int) -> None:
    """Runs a machine on an engine."""
    template = request.getfixturevalue("sqlite_template") if engine == "sqlite" else None
    url = f"sqlite:///{template}" if template else request.getfixturevalue("postgres_url")
    machine = type("StudioOn", (kind,), {"database_url": url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),  # shrinking takes minutes; the run is the same every time anyway
            suppress_health_check=list(HealthCheck),
        ),
    )
