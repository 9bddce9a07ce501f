"""The managers of a soak, who change everything while the labelers work."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from bench.soak.caller import DONE, Caller, SoakState, endpoint_name
from bench.soak.connection import ResponseLost
from bench.soak.labelers import Labeler
from bench.soak.team import GROUPS, MOVING, PROJECTS, STUDIO, Team

QUEUE_LENGTH = 60  # beyond it, old batches are opened to everyone and sent to completion
ABSENCE_S = (0.2, 2.0)  # how long somebody is disabled or off a project
DONE_OR_LATE = (*DONE, 400, 404, 409)  # others may have changed something in the meantime

# What managers do, and its relative frequency.
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
    """Keeps doing what `ACTS` names, chosen at random."""

    def __init__(self, state: SoakState, team: Team, number: int) -> None:
        super().__init__(state, f"manager{number}")
        self.key = team.admin.key
        self.team = team

    async def run(self) -> None:
        while not self.state.ending:
            (act,) = self.chance.choices(list(ACTS), list(ACTS.values()))
            try:
                await getattr(self, f"_{act.replace(' ', '_')}")()
                self.state.events[act] += 1
            except ResponseLost:
                self.state.events["answers lost"] += 1
            await self.rest(0.1)
        self.connection.close()

    async def _do(self, method: str, path: str, body: Any = None, accepted: Sequence[int] = DONE_OR_LATE) -> Any:
        response = await self.ask(f"{method} {endpoint_name(path)}", accepted, method, path, body)
        return response.json if response is not None and response.status == 200 else None

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
        """Lets labelers who failed or declined training start again."""
        paused = await self._do("GET", "/quality/pauses?limit=100", None, DONE) or {"docs": []}
        for each in paused["docs"]:
            body = {"project": each["project"], "emails": [each["labeler_email"]]}
            await self._do("POST", "/quality/pauses/lift", body)

    async def _read(self) -> None:
        """Reads one of the lists that a console shows."""
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
        """Ends old batches when the queue is long: opens them to everyone, and completes what has an attempt."""
        batches = await self._do("GET", "/studio/batches", None, DONE) or []
        if len(batches) < QUEUE_LENGTH:
            return
        for batch in sorted(batches, key=lambda batch: batch["id"])[:5]:
            await self._do("PUT", f"/studio/batches/{quote(batch['name'])}", {"groups": []})
            if batch["projectName"] in MOVING:
                path = f"/studio/projects/{quote(batch['projectName'])}/send_tasks_to_completed"
                await self._do("POST", path, {"batches": [batch["name"]]})


class PeopleManager(Caller):
    """Takes people off projects and out of the team, and brings them back.

    Each has its share of the labelers, because nobody can be assigned while another manager has disabled them.
    """

    def __init__(self, state: SoakState, team: Team, number: int, managers: int) -> None:
        super().__init__(state, f"people-manager{number}")
        self.key = team.admin.key
        self.team = team
        self.mine = team.labelers[number::managers]

    async def run(self) -> None:
        while not self.state.ending:
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
        with self.state.holders.losing(labeler.name):
            await self.insist("POST", "/studio/assignments/remove", body)
        self.state.events["unassigned"] += 1
        await asyncio.sleep(self.chance.uniform(*ABSENCE_S))
        await self.insist("POST", "/studio/assignments/add", body)

    async def _out_of_the_team(self, labeler: Labeler) -> None:
        labeler.disabled = True
        with self.state.holders.losing(labeler.name):
            await self.insist("POST", "/teams/disable", {"emails": [labeler.email]})
        self.state.events["disabled"] += 1
        await asyncio.sleep(self.chance.uniform(*ABSENCE_S))
        await self.insist("POST", "/teams/set_role", {"emails": [labeler.email], "team_role": "labeler"})
        for _ in range(30):
            if await self.team.new_key(labeler):
                labeler.disabled = False
                self.state.events["brought back"] += 1
                return
            await self.rest(0.5)
        self.state.events["not brought back"] += 1
