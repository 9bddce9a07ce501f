"""Hundreds of random calls of every kind by several people of a team.

The same seed makes the same calls, as long as the responses are the same.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from refonte_studio.kit.caller import Role
from refonte_studio.server.background import CHORES
from refonte_studio.teams import service as teams
from tests.world import Person, World

CATEGORIES = ["a", "b", "c"]
LABELERS = ("ben", "dee", "eve", "fay", "gus")
WORKERS = (*LABELERS, "mia", "max")


@dataclass(frozen=True)
class RecordedCall:
    """One call and its response."""

    doing: str
    call: str
    status: int
    answer: Any


@dataclass
class RandomCalls:
    """Makes random calls, and remembers what the next choice depends on."""

    world: World
    chance: random.Random
    people: dict[str, Person] = field(default_factory=dict)
    said: list[RecordedCall] = field(default_factory=list)
    projects: list[str] = field(default_factory=list)
    staged: list[tuple[str, str]] = field(default_factory=list)  # project, batch
    batches: list[tuple[str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)  # the latest claim of each person
    sent: dict[str, Any] = field(default_factory=dict)  # the latest submission of each person
    doing: str = ""
    count: int = 0

    async def run(self, calls: int) -> list[RecordedCall]:
        await self._begin()
        deck: list[str] = []
        while len(self.said) < calls:
            if not deck:
                deck = [name for name, times in ACTIONS.items() for _ in range(times)]
                self.chance.shuffle(deck)
            self.doing = deck.pop()
            self.world.clock.forward(seconds=self.chance.choice((0.001, 0.5, 7, 60)))
            await getattr(self, self.doing)()
        return self.said

    async def _begin(self) -> None:
        self.people = {name: getattr(self.world, name) for name in ("ana", "max", "mia", "ben", "dee", "cid")}
        for name in LABELERS[2:]:
            self.people[name] = await self.world.person(name, self.world.ana.team_id, Role.LABELER)
        self.doing = "add_project"
        for _ in range(3):
            await self.add_project()
            self.doing = "assign_everybody"
            emails = [self.people[name].email for name in WORKERS]
            await self.ask("ana", "POST", "/studio/assignments/add", {"emails": emails, "projects": self.projects})
        for name in ("add_batch", "add_batch", "add_task"):
            self.doing = name
            await getattr(self, name)()

    async def ask(self, who: str, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a call if it is a success; every response is recorded.

        Each call has a moment of its own, so that an id identifies the call that made it.
        """
        self.world.clock.forward(seconds=0.001)
        answer = await self.people[who].call(method, path, body, **options)
        try:
            found = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            found = answer.text
        called = f"{who}: {method} {path} {body if body is not None else ''} {options or ''}"
        self.said.append(RecordedCall(self.doing, called, answer.status_code, found))
        return found if answer.status_code == 200 else None

    def fresh(self, what: str) -> str:
        self.count += 1
        return f"{what} {self.count}"

    def some(self, known: list[Any]) -> Any:
        """One of them, or something that does not exist."""
        return self.chance.choice(known) if known else ("nowhere", "nothing")

    def worker(self) -> str:
        return self.chance.choice(WORKERS)

    def project(self) -> str:
        return self.chance.choice(self.projects)

    # ------------------------------------------------------------------------------- projects, batches, tasks

    async def add_project(self) -> None:
        name = self.fresh("project")
        body: dict[str, Any] = {"name": name, "type": "categorization", "params": {"categories": CATEGORIES}}
        body["studio"] = self.chance.random() < 0.8 or not self.projects
        if body["studio"] and self.chance.random() < 0.5:
            body |= {"pipeline": "consensus_task", "consensus_attempts": self.chance.randrange(2, 4)}
        if await self.ask("ana", "POST", "/projects", body):
            self.projects.append(name)

    async def add_batch(self) -> None:
        name, project = self.fresh("batch"), self.project()
        body = {"name": name, "project": project, "calibration_batch": self.chance.random() < 0.3}
        if self.chance.random() < 0.4:
            body["callback"] = "https://example.com/hook"
        await self.ask("ana", "POST", "/batches", body)
        self.staged.append((project, name))
        lines = b"\n".join(msgspec.json.encode(self._task()) for _ in range(self.chance.randrange(4)))
        params = {"project": project, "batch": name}
        if lines:
            await self.ask("ana", "POST", "/tasks/import", params=params, content=lines)
        if self.chance.random() < 0.8:
            await self.finalize()

    async def finalize(self) -> None:
        found = self.some(self.staged)
        if await self.ask("max", "POST", f"/batches/{quote(found[1])}/finalize") and found not in self.batches:
            self.batches.append(found)

    def _task(self) -> dict[str, Any]:
        body: dict[str, Any] = {"attachment": self.fresh("picture"), "attachment_type": "text"}
        if self.chance.random() < 0.4:
            body["unique_id"] = f"unique {self.chance.randrange(60)}"
        if self.chance.random() < 0.3:
            body["callback_url"] = "https://example.com/hook"
        if self.chance.random() < 0.3:
            body["tags"] = self.chance.sample(["red", "green", "blue"], self.chance.randrange(1, 3))
        if self.chance.random() < 0.3:
            body["metadata"] = {"source": self.chance.choice(["here", "there"])}
        return body

    async def add_task(self) -> None:
        body = {**self._task(), "project": self.project()}
        if self.chance.random() < 0.5:
            body["project"], body["batch"] = self.some([*self.staged, *self.batches])
        mode = "test" if self.chance.random() < 0.2 else "live"
        if mode == "test":
            body.pop("project"), body.pop("batch", None)
            body["categories"] = CATEGORIES
        made = await self.ask("mia", "POST", "/task/categorization", body, mode=mode)
        if made:
            self.tasks.append(made["task_id"])

    async def add_quality_task(self) -> None:
        kind = self.chance.choice(("training", "evaluation"))
        expected = {"category": self.chance.choice(CATEGORIES)}
        body = {"project": self.project(), "attachment": self.fresh("picture"), "expected_response": expected}
        await self.ask("ana", "POST", f"/{kind}_tasks/categorization", body)

    async def change_a_task(self) -> None:
        task = self.some(self.tasks)
        method, path, body = self.chance.choice(
            (
                ("POST", "cancel", {"clear_unique_id": self.chance.random() < 0.5}),
                ("POST", "cancel", None),
                ("POST", "audit", {"accepted": self.chance.random() < 0.5, "comments": "seen"}),
                ("PUT", "tags", ["red", "white"]),
                ("POST", "tags", ["black"]),
                ("DELETE", "tags", ["red"]),
                ("POST", "setMetadata", {"seen": True}),
                ("POST", "unique_id", {"unique_id": f"unique {self.chance.randrange(60)}"}),
                ("DELETE", "unique_id", None),
            )
        )
        await self.ask("max", method, f"/task/{task}/{path}", body)

    # ------------------------------------------------------------------------------- people

    async def assign(self) -> None:
        what = self.chance.choice(("add", "add", "remove"))
        emails = [self.people[name].email for name in self.chance.sample(WORKERS, 2)]
        await self.ask("max", "POST", f"/studio/assignments/{what}", {"emails": emails, "projects": [self.project()]})

    async def disable_and_bring_back(self) -> None:
        name = self.chance.choice(LABELERS)
        person = self.people[name]
        await self.ask("max", "POST", "/teams/disable", {"emails": [person.email]})
        await self.ask(name, "POST", "/work/claim")
        await self.ask("max", "POST", "/teams/set_role", {"emails": [person.email], "team_role": "labeler"})
        _, person.keys["live"] = await self.world.db.write(
            teams.create_key, person.team_id, person.id, "live", "again", self.world.clock()
        )

    async def invite(self) -> None:
        role = self.chance.choice(("labeler", "labeler", "member", "king"))
        emails = [f"guest{self.chance.randrange(4)}@example.com"]
        await self.ask("ana", "POST", "/teams/invite", {"emails": emails, "team_role": role})

    async def add_group(self) -> None:
        name, project = self.chance.choice(("night", "day", self.fresh("group"))), self.project()
        emails = [self.people[name].email for name in self.chance.sample(WORKERS, self.chance.randrange(1, 4))]
        if await self.ask("ana", "POST", f"/studio/projects/{quote(project)}/groups", {"name": name, "emails": emails}):
            self.groups.append((project, name))

    async def change_group(self) -> None:
        project, name = self.some(self.groups)
        body = {self.chance.choice(("add_emails", "remove_emails")): [self.people[self.worker()].email]}
        await self.ask("ana", "PUT", f"/studio/projects/{quote(project)}/groups/{quote(name)}", body)

    # ------------------------------------------------------------------------------- studio actions

    async def give_batch(self) -> None:
        project, name = self.some(self.batches)
        mine = [group for of, group in self.groups if of == project]
        groups = self.chance.choice(([], mine[:2], [self.people[self.worker()].email], ["nobody's"]))
        await self.ask("ana", "PUT", f"/studio/batches/{quote(name)}", {"groups": groups})

    async def set_priorities(self) -> None:
        pending = [each["name"] for each in await self.ask("ana", "GET", "/studio/batches")]
        chosen = self.chance.sample(pending, min(len(pending), self.chance.randrange(1, 4)))
        if self.chance.random() < 0.2:
            chosen.append("nothing")
        await self.ask("ana", "POST", "/studio/batches/set_priorities", {"batches": chosen})

    async def reset_priorities(self) -> None:
        body = {"group": self.some(self.groups)[1]} if self.chance.random() < 0.4 else None
        await self.ask("ana", "POST", "/studio/batches/reset_priorities", body)

    async def prioritize(self) -> None:
        pending = [each["name"] for each in await self.ask("ana", "GET", "/studio/batches")]
        name = self.chance.choice([*pending, *pending, "nothing"])
        await self.ask("max", "POST", f"/batches/{quote(name)}/prioritize", {"priority": self.chance.randrange(1, 5)})

    async def switch_pipeline(self) -> None:
        body: dict[str, Any] = {"pipeline": "standard_task"}
        if self.chance.random() < 0.7:
            body = {"pipeline": "consensus_task", "consensus_attempts": self.chance.randrange(2, 5)}
        await self.ask("ana", "POST", f"/projects/{quote(self.project())}/updatePipelineConfig", body)

    async def send_to_completed(self) -> None:
        project, name = self.some(self.batches)
        body = {"all_batches": True} if self.chance.random() < 0.3 else {"batches": [name]}
        path = f"/studio/projects/{quote(self.chance.choice((project, self.project())))}/send_tasks_to_completed"
        await self.ask("ana", "POST", path, body)

    # ------------------------------------------------------------------------------- work

    async def claim(self) -> None:
        for name in self.chance.sample(WORKERS, 3):
            body = None
            if self.chance.random() < 0.2:
                body = {"project": self.project()}
            elif self.chance.random() < 0.1:
                body = {"batch": self.some(self.batches)[1]}
            if given := await self.ask(name, "POST", "/work/claim", body):
                self.held[name] = given

    async def submit(self) -> None:
        for name in list(self.held):
            if self.chance.random() < 0.7:
                body = {"response": {"category": self.chance.choice(CATEGORIES)}}
                self.sent[name] = (self.held[name]["claim_id"], body)
                await self._submit(name, *self.sent[name])

    async def _submit(self, name: str, claim_id: str, body: Any) -> None:
        await self.ask(name, "POST", f"/work/{claim_id}/submit", body)

    async def submit_again(self) -> None:
        for name, (claim_id, body) in list(self.sent.items())[:2]:
            await self._submit(name, claim_id, body)
            await self._submit(name, claim_id, {"response": {"category": self.chance.choice([*CATEGORIES, "d"])}})
            await self._submit(self.worker(), claim_id, body)

    async def put_down(self) -> None:
        for name in list(self.held)[:2]:
            what = self.chance.choice(("skip", "release", "extend", "extend"))
            body = {"reason": "too dark"} if what == "skip" else None
            await self.ask(name, "POST", f"/work/{self.held[name]['claim_id']}/{what}", body)

    async def look_at_own_work(self) -> None:
        name = self.worker()
        await self.ask(name, "GET", "/work/queue")
        page = await self.ask(name, "GET", "/work/history", params={"limit": 2})
        while page and page["has_more"]:
            page = await self.ask(name, "GET", "/work/history", params={"limit": 2, "next_token": page["next_token"]})

    # ------------------------------------------------------------------------------- lists, pages

    async def list_tasks(self) -> None:
        params: dict[str, Any] = {"limit": self.chance.choice((1, 3, 100))}
        for name, values in (
            ("status", ("pending", "completed", "canceled")),
            ("project", self.projects),
            ("tags", ("red", "blue")),
            ("unique_id", [f"unique {n}" for n in range(5)]),
            ("customer_review_status", ("accepted", "pending")),
        ):
            if self.chance.random() < 0.25:
                params[name] = self.chance.choice(values)
        page = await self.ask("ana", "GET", "/tasks", params=params)
        for _ in range(3):
            if page and page["has_more"]:
                page = await self.ask("ana", "GET", "/tasks", params={**params, "next_token": page["next_token"]})

    async def list_batches(self) -> None:
        await self.ask("ana", "GET", "/batches", params={"limit": 3, "offset": self.chance.randrange(4)})
        await self.ask("ana", "GET", "/batches", params={"project": self.project(), "status": "in_progress"})
        await self.ask("ana", "GET", "/studio/batches", params={"project": self.project()})
        await self.ask("ana", "GET", "/studio/batches", params={"group": self.some(self.groups)[1]})
        await self.ask("ana", "GET", f"/batches/{quote(self.some([*self.batches, *self.staged])[1])}/status")

    async def look_around(self) -> None:
        path = self.chance.choice(
            (
                "/teams",
                "/projects",
                "/studio/assignments",
                f"/studio/projects/{quote(self.project())}/groups",
                f"/task/{self.some(self.tasks)}",
                "/callbacks?limit=5",
                "/tasks/export?attempts=true",
                f"/tasks/export?project={quote(self.project())}&status=completed&attempts=true",
                "/quality/labelers?limit=3&labeler_emails=" + ",".join(self.people[n].email for n in LABELERS),
            )
        )
        await self.ask(self.chance.choice(("ana", "max", "mia", "ben", "cid")), "GET", path)

    # ------------------------------------------------------------------------------- time

    async def let_time_pass(self) -> None:
        self.world.clock.forward(minutes=self.chance.choice((1, 5, 31)))
        await self.ask("ana", "GET", "/studio/batches")

    async def run_a_chore(self) -> None:
        chore = self.chance.choice(CHORES)
        done = await self.world.db.write(chore.use_case, self.world.clock())
        self.said.append(RecordedCall(self.doing, chore.name, 200, done))


# What is done, and how often.
ACTIONS: Counter[str] = Counter(
    {
        **dict.fromkeys(("claim", "submit"), 12),
        **dict.fromkeys(("add_batch", "add_task", "put_down", "change_a_task", "assign"), 4),
        **dict.fromkeys(("submit_again", "list_tasks", "look_around", "switch_pipeline", "give_batch"), 3),
        **dict.fromkeys(("set_priorities", "let_time_pass", "run_a_chore", "send_to_completed", "add_group"), 2),
        **dict.fromkeys(("reset_priorities", "prioritize", "change_group", "add_quality_task", "finalize"), 2),
        **dict.fromkeys(("add_project", "disable_and_bring_back", "invite", "list_batches", "look_at_own_work"), 1),
    }
)
