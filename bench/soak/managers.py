"""The managers of a soak: who sets the team up, keeps it in work, and changes everything while it works."""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from bench.soak.connection import Answer, Lost
from bench.soak.labelers import Labeler
from bench.soak.shared import CATEGORIES, QUALITY, Caller, Load

PASSWORD = "correct horse battery"
AT_ONCE = 8  # people who join at the same time
NAMES_KEPT = 300  # of batches, for what is done to a batch by chance
QUEUE_LENGTH = 60  # beyond it, old batches are opened to everybody and sent to completion
GROUPS = 4  # in each Studio project
OUT_S = (0.2, 2.0)  # how long somebody is disabled, or off a project

CATEGORIZATION = {"type": "categorization", "params": {"categories": CATEGORIES}}
TRANSCRIPTION = {"type": "transcription", "params": {"fields": {"said": "What is said"}}}
CONSENSUS = {"pipeline": "consensus_task", "consensus_attempts": 3}
PROJECTS: dict[str, dict[str, Any]] = {
    "Steady": {**CATEGORIZATION, "studio": True},
    "Steady by three": {**TRANSCRIPTION, **CONSENSUS, "studio": True},
    "Moving": {**CATEGORIZATION, **CONSENSUS, "studio": True},
    "Moving, too": {**TRANSCRIPTION, "studio": True},
    "Plain": {**CATEGORIZATION},  # no Studio project: its batches take tasks at any time, and reopen
}
STUDIO = [name for name, body in PROJECTS.items() if body.get("studio")]
MOVING = [name for name in STUDIO if name.startswith("Moving")]
STEADY = {"Steady": 1, "Steady by three": 3}  # the places of each of their tasks, always
DONE = (200, 204)
LATE = (200, 400, 404, 409)  # for what others may have changed in the meantime


class Team:
    """The people, and the way in by which they get their keys."""

    def __init__(self, load: Load, labelers: Sequence[Labeler]) -> None:
        self.load = load
        self.labelers = labelers
        self.admin = Caller(load, "admin")
        self.batches: deque[tuple[str, str]] = deque(maxlen=NAMES_KEPT)  # the latest: project, name

    async def set_up(self, link: str) -> None:
        names = {"first_name": "Ana", "last_name": "Ruiz"}
        body = {"token": link, "team": "Soak", "email": self.admin.email, "password": PASSWORD, **names}
        self.admin.key = await self._key(self.load.ports[0], "/setup", body)
        invited = await self._insist(
            "POST", "/teams/invite", {"emails": [m.email for m in self.labelers], "team_role": "labeler"}
        )
        links = {one["email"]: one["inviteUrl"].rpartition("/")[2] for one in invited if "inviteUrl" in one}
        places = asyncio.Semaphore(AT_ONCE)

        async def join(labeler: Labeler) -> None:
            async with places:
                body = {"token": links[labeler.email], "first_name": "L", "last_name": "B", "password": PASSWORD}
                labeler.key = await self._key(self.load.ports[0], "/invitations/accept", body)

        await asyncio.gather(*(join(labeler) for labeler in self.labelers))

    async def _key(self, port: int, path: str, body: dict[str, str]) -> str:
        """A new key of the person whom this call signs in."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", timeout=60) as http:
            signed_in = await http.post(path, json=body)
            signed_in.raise_for_status()
            session = (await http.get("/session")).raise_for_status().json()
            headers = {"X-CSRF-Token": session["csrf_token"]}
            made = await http.post("/keys", json={"mode": "live", "name": "soak"}, headers=headers)
            return made.raise_for_status().json()["key"]

    async def new_key(self, labeler: Labeler) -> bool:
        """Signs the labeler in with their password; False if that cannot be done now."""
        try:
            port = self.admin.chance.choice(self.load.ports)
            labeler.key = await self._key(port, "/session", {"email": labeler.email, "password": PASSWORD})
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in (401, 429, 503):
                self.load.faults.add(f"signing in was answered {error.response.status_code}")
            return False
        except httpx.TransportError:
            return False
        return True

    async def _insist(self, method: str, path: str, body: Any = None) -> Any:
        return await insist(self.admin, method, path, body, had=(409,))

    async def make_projects(self) -> None:
        everybody = [labeler.email for labeler in self.labelers]
        for name, body in PROJECTS.items():
            await self._insist("POST", "/projects", {"name": name, **body})
            # by chance, hardly any answer is the right one: in one project people fail, and are let begin anew
            quality = {"training_attempts": 8} if name == "Plain" else {"pass_mark": 0}
            await self._insist("POST", f"/projects/{quote(name)}/quality", quality)
        await self._insist("POST", "/studio/assignments/add", {"emails": everybody, "projects": list(PROJECTS)})
        for name in STUDIO:
            for number in range(GROUPS):
                members = self.admin.chance.sample(everybody, max(1, len(everybody) // 3))
                path = f"/studio/projects/{quote(name)}/groups"
                await self._insist("POST", path, {"name": f"group {number}", "emails": members})


class GivenUp(Exception):
    """Something is wrong already, and an answer that was asked for may never come."""


async def insist(
    who: Caller, method: str, path: str, body: Any = None, *, had: Sequence[int] = (), fine: Sequence[int] = DONE
) -> Any:
    """The JSON of the answer, asked for until it comes: for calls that may be made twice. Raises GivenUp once anything
    is wrong.

    `had` is how the server says that it was done already, which is fine once an answer may have been lost.
    """
    while True:
        try:
            answer = await who.ask(f"{method} {_kind(path)}", fine, method, path, body)
        except Lost:
            await who.rest(0.1)
            answer = None
        if answer is not None:
            return answer.json if answer.body else None
        if who.load.faults.count:
            raise GivenUp
        fine = (*DONE, *had)


def _kind(path: str) -> str:
    """A path without the names in it, for the table of answers."""
    plain = path.partition("?")[0].strip("/").split("/")
    return "/".join(part for part in plain if part[:1].islower() and part.replace("_", "").isalpha())


class Supplier(Caller):
    """Makes tasks: batches while people are idle, and single tasks now and then."""

    def __init__(self, load: Load, team: Team, callback_url: str, number: int) -> None:
        super().__init__(load, f"supplier{number}")
        self.key = team.admin.key
        self.team = team
        self._callback_url = callback_url
        self._count = 0

    async def run(self) -> None:
        for project in self.chance.sample(list(PROJECTS), len(PROJECTS)):
            await self._quality(project, "training")
            await self._batch(project)
        while not self.load.ending:
            if len(self.load.idle) > len(self.team.labelers) // 8:
                self.load.idle.clear()
                await self._batch(self.chance.choice(list(PROJECTS)))
            elif self.chance.random() < 0.1:
                await self._quality(self.chance.choice(list(PROJECTS)), self.chance.choice(("evaluation", "training")))
            else:
                await self._single()
            await self.rest(0.1)

    def _task(self, unique_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {"attachment": f"thing {unique_id}", "unique_id": unique_id}
        if self.chance.random() < 0.1:
            body["callback_url"] = self._callback_url
        if self.chance.random() < 0.1:
            body["tags"] = ["some"]
        return body

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what} {self._count} of {self.name}"

    async def _batch(self, project: str) -> None:
        """A batch of a few tasks or of many, imported, then finalized; perhaps for some groups alone."""
        name = self._name("batch")
        body: dict[str, Any] = {"project": project, "name": name, "calibration_batch": self.chance.random() < 0.2}
        if self.chance.random() < 0.3:
            body["callback"] = self._callback_url
        await insist(self, "POST", "/batches", body, had=(409,))
        size = self.chance.choice((1, 1, 2, 3, 5, 10, 30, 80, 200))
        lines = "\n".join(json.dumps(self._task(f"{name} {number}")) for number in range(size))
        path = f"/tasks/import?project={quote(project)}&batch={quote(name)}"
        await insist(self, "POST", path, lines.encode(), had=(400,))
        if project in STUDIO and self.chance.random() < 0.4:
            groups = [f"group {n}" for n in self.chance.sample(range(GROUPS), self.chance.choice((1, 2)))]
            await insist(self, "PUT", f"/studio/batches/{quote(name)}", {"groups": groups})
        await insist(self, "POST", f"/batches/{quote(name)}/finalize")
        self.team.batches.append((project, name))
        self.load.events["batches made"] += 1
        self.load.events["tasks made"] += size

    async def _single(self) -> None:
        """A task of its own: of the default batch, or of a batch that takes tasks at any time."""
        project = self.chance.choice(list(PROJECTS))
        body = {**self._task(self._name("single")), "project": project}
        plain = [name for of, name in self.team.batches if of == "Plain"]
        if project == "Plain" and plain:
            body["batch"] = self.chance.choice(plain)
        await insist(self, "POST", f"/task/{PROJECTS[project]['type']}", body, had=(409,))
        self.load.events["tasks made"] += 1

    async def _quality(self, project: str, kind: str) -> None:
        transcription = PROJECTS[project]["type"] == "transcription"
        expected = {"fields": {"said": "well"}} if transcription else {"category": CATEGORIES[0]}
        body = {"project": project, "attachment": QUALITY, "expected_response": expected}
        await self._try_once("POST", f"/{kind}_tasks/{PROJECTS[project]['type']}", body)
        self.load.events[f"{kind} tasks made"] += 1

    async def _try_once(self, method: str, path: str, body: Any) -> Answer | None:
        try:
            return await self.ask(f"{method} {_kind(path)}", DONE, method, path, body)
        except Lost:
            return None


# What managers do, and how often.
ACTS = {
    "set priorities": 10,
    "reset priorities": 6,
    "prioritize": 4,
    "give to groups": 8,
    "change a group": 6,
    "switch the pipeline": 8,
    "send to completion": 4,
    "cancel": 6,
    "review": 4,
    "tag": 4,
    "lift": 8,
    "read": 12,
    "clear": 6,
}


class Manager(Caller):
    """Changes priorities, groups, pipelines; cancels, completes, reviews; reads. Each by chance, all the time."""

    def __init__(self, load: Load, team: Team, number: int) -> None:
        super().__init__(load, f"manager{number}")
        self.key = team.admin.key
        self.team = team

    async def run(self) -> None:
        while not self.load.ending:
            (act,) = self.chance.choices(list(ACTS), list(ACTS.values()))
            try:
                await getattr(self, f"_{act.replace(' ', '_')}")()
                self.load.events[act] += 1
            except Lost:
                self.load.events["answers lost"] += 1
            await self.rest(0.1)
        self.connection.close()

    async def _do(self, method: str, path: str, body: Any = None, fine: Sequence[int] = LATE) -> Any:
        answer = await self.ask(f"{method} {_kind(path)}", fine, method, path, body)
        return answer.json if answer is not None and answer.status == 200 else None

    def _a_batch(self, project: str | None = None) -> tuple[str, str] | None:
        known = [each for each in self.team.batches if project in (None, each[0])]
        return self.chance.choice(known) if known else None

    def _somebody(self) -> Labeler:
        return self.chance.choice(self.team.labelers)

    async def _pending(self) -> list[str]:
        return [batch["name"] for batch in await self._do("GET", "/studio/batches", None, DONE) or []]

    async def _set_priorities(self) -> None:
        pending = await self._pending()
        chosen = self.chance.sample(pending, min(len(pending), self.chance.randrange(1, 6)))
        if chosen:
            await self._do("POST", "/studio/batches/set_priorities", {"batches": chosen})

    async def _reset_priorities(self) -> None:
        body = self.chance.choice(({}, {"group": f"group {self.chance.randrange(GROUPS)}"}))
        await self._do("POST", "/studio/batches/reset_priorities", body)

    async def _prioritize(self) -> None:
        if pending := await self._pending():
            path = f"/batches/{quote(self.chance.choice(pending))}/prioritize"
            await self._do("POST", path, {"priority": self.chance.randrange(1, 9)})

    async def _give_to_groups(self) -> None:
        found = self._a_batch(self.chance.choice(STUDIO))
        if found is not None:
            group = f"group {self.chance.randrange(GROUPS)}"
            groups = self.chance.choice(([], [], [group], [self._somebody().email]))
            await self._do("PUT", f"/studio/batches/{quote(found[1])}", {"groups": groups})

    async def _change_a_group(self) -> None:
        path = f"/studio/projects/{quote(self.chance.choice(STUDIO))}/groups/group%20{self.chance.randrange(GROUPS)}"
        await self._do("PUT", path, {self.chance.choice(("add_emails", "remove_emails")): [self._somebody().email]})

    async def _switch_the_pipeline(self) -> None:
        body: dict[str, Any] = {"pipeline": "standard_task"}
        if self.chance.random() < 0.75:
            body = {"pipeline": "consensus_task", "consensus_attempts": self.chance.randrange(2, 6)}
        await self._do("POST", f"/projects/{quote(self.chance.choice(MOVING))}/updatePipelineConfig", body, DONE)

    async def _send_to_completion(self) -> None:
        project = self.chance.choice(MOVING)
        found = self._a_batch(project)
        everything = self.chance.random() < 0.2 or found is None
        body = {"all_batches": True} if everything else {"batches": [found[1] if found else ""]}
        await self._do("POST", f"/studio/projects/{quote(project)}/send_tasks_to_completed", body)

    async def _a_task(self, status: str) -> str | None:
        project = self.chance.choice([*MOVING, "Plain"])
        path = f"/tasks?project={quote(project)}&status={status}&limit={self.chance.randrange(1, 20)}"
        page = await self._do("GET", path, None, DONE)
        return page["docs"][-1]["task_id"] if page and page["docs"] else None

    async def _cancel(self) -> None:
        task = await self._a_task("pending")
        if task is not None:
            await self._do("POST", f"/task/{task}/cancel", {"clear_unique_id": self.chance.random() < 0.3})

    async def _review(self) -> None:
        task = await self._a_task("completed")
        if task is not None:
            await self._do("POST", f"/task/{task}/audit", {"accepted": self.chance.random() < 0.7})

    async def _tag(self) -> None:
        task = await self._a_task("pending")
        if task is not None:
            await self._do("PUT", f"/task/{task}/tags", ["one", "two"])

    async def _lift(self) -> None:
        """Lets those who did not pass training, or declined it, begin anew."""
        paused = await self._do("GET", "/quality/pauses?limit=100", None, DONE) or {"docs": []}
        for each in paused["docs"]:
            body = {"project": each["project"], "emails": [each["labeler_email"]]}
            await self._do("POST", "/quality/pauses/lift", body)

    async def _read(self) -> None:
        """Whatever a console shows."""
        path = self.chance.choice(
            (
                "/teams",
                "/projects",
                "/batches?limit=20",
                "/studio/assignments",
                "/tasks?limit=20",
                f"/tasks?project={quote(self.chance.choice(list(PROJECTS)))}&status=completed&limit=20",
                f"/quality/labelers?labeler_emails={quote(self._somebody().email)}",
                "/quality/accuracy?limit=20",
                "/callbacks",
            )
        )
        await self._do("GET", path, None, DONE)
        if found := self._a_batch():
            await self._do("GET", f"/batches/{quote(found[1])}/status", None, DONE)

    async def _clear(self) -> None:
        """Lets nothing wait for ever: what is old is open to everybody, and what has an answer is done."""
        batches = await self._do("GET", "/studio/batches", None, DONE) or []
        if len(batches) < QUEUE_LENGTH:
            return
        for batch in sorted(batches, key=lambda batch: batch["id"])[:5]:
            await self._do("PUT", f"/studio/batches/{quote(batch['name'])}", {"groups": []})
            if batch["projectName"] in MOVING:
                path = f"/studio/projects/{quote(batch['projectName'])}/send_tasks_to_completed"
                await self._do("POST", path, {"batches": [batch["name"]]})


class PeopleManager(Caller):
    """Takes people off projects and out of the team, and brings them back: its share of the labelers, for nobody can be
    assigned while another manager has them disabled."""

    def __init__(self, load: Load, team: Team, number: int, managers: int) -> None:
        super().__init__(load, f"people-manager{number}")
        self.key = team.admin.key
        self.team = team
        self.mine = team.labelers[number::managers]

    async def run(self) -> None:
        while not self.load.ending:
            labeler = self.chance.choice([each for each in self.mine if not each.disabled])
            if self.chance.random() < 0.6:
                await self._off_a_project(labeler)
            else:
                await self._out_of_the_team(labeler)
            await self.rest(0.2)
        self.connection.close()

    async def _off_a_project(self, labeler: Labeler) -> None:
        body: dict[str, Any] = {"emails": [labeler.email]}
        body["projects"] = self.chance.sample(list(PROJECTS), self.chance.choice((1, 1, 2, len(PROJECTS))))
        with self.load.holders.losing(labeler.name):
            await insist(self, "POST", "/studio/assignments/remove", body)
        self.load.events["unassigned"] += 1
        await asyncio.sleep(self.chance.uniform(*OUT_S))
        await insist(self, "POST", "/studio/assignments/add", body)

    async def _out_of_the_team(self, labeler: Labeler) -> None:
        labeler.disabled = True
        with self.load.holders.losing(labeler.name):
            await insist(self, "POST", "/teams/disable", {"emails": [labeler.email]})
        self.load.events["disabled"] += 1
        await asyncio.sleep(self.chance.uniform(*OUT_S))
        await insist(self, "POST", "/teams/set_role", {"emails": [labeler.email], "team_role": "labeler"})
        for _ in range(30):
            if await self.team.new_key(labeler):
                labeler.disabled = False
                self.load.events["brought back"] += 1
                return
            await self.rest(0.5)
        self.load.events["not brought back"] += 1
