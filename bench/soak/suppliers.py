"""The suppliers of a soak, who make its tasks."""

import json
from typing import Any
from urllib.parse import quote

from bench.soak.caller import DONE, Caller, SoakState, endpoint_name
from bench.soak.connection import HttpResponse, ResponseLost
from bench.soak.holders import QUALITY
from bench.soak.responses import CATEGORIES
from bench.soak.team import GROUPS, PROJECTS, STUDIO, Team


class Supplier(Caller):
    """Makes batches while labelers are idle, and single tasks now and then."""

    def __init__(self, state: SoakState, team: Team, callback_url: str, number: int) -> None:
        super().__init__(state, f"supplier{number}")
        self.key = team.admin.key
        self.team = team
        self._callback_url = callback_url
        self._count = 0

    async def run(self) -> None:
        for project in self.chance.sample(list(PROJECTS), len(PROJECTS)):
            await self._quality(project, "training")
            await self._batch(project)
        while not self.state.ending:
            if len(self.state.idle) > len(self.team.labelers) // 8:
                self.state.idle.clear()
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
        """Imports and finalizes a batch of a few tasks or of many, sometimes for some groups only."""
        name = self._name("batch")
        body: dict[str, Any] = {"project": project, "name": name, "calibration_batch": self.chance.random() < 0.2}
        if self.chance.random() < 0.3:
            body["callback"] = self._callback_url
        await self.insist("POST", "/batches", body, already_done=(409,))
        size = self.chance.choice((1, 1, 2, 3, 5, 10, 30, 80, 200))
        lines = "\n".join(json.dumps(self._task(f"{name} {number}")) for number in range(size))
        path = f"/tasks/import?project={quote(project)}&batch={quote(name)}"
        await self.insist("POST", path, lines.encode(), already_done=(400,))
        if project in STUDIO and self.chance.random() < 0.4:
            groups = [f"group {n}" for n in self.chance.sample(range(GROUPS), self.chance.choice((1, 2)))]
            await self.insist("PUT", f"/studio/batches/{quote(name)}", {"groups": groups})
        await self.insist("POST", f"/batches/{quote(name)}/finalize")
        self.team.batches.append((project, name))
        self.state.events["batches made"] += 1
        self.state.events["tasks made"] += size

    async def _single(self) -> None:
        """Makes one task, in the default batch or in a batch that takes tasks at any time."""
        project = self.chance.choice(list(PROJECTS))
        body = {**self._task(self._name("single")), "project": project}
        plain = [name for of, name in self.team.batches if of == "Plain"]
        if project == "Plain" and plain:
            body["batch"] = self.chance.choice(plain)
        await self.insist("POST", f"/task/{PROJECTS[project]['type']}", body, already_done=(409,))
        self.state.events["tasks made"] += 1

    async def _quality(self, project: str, kind: str) -> None:
        transcription = PROJECTS[project]["type"] == "transcription"
        expected = {"fields": {"said": "well"}} if transcription else {"category": CATEGORIES[0]}
        body = {"project": project, "attachment": QUALITY, "expected_response": expected}
        await self._try_once("POST", f"/{kind}_tasks/{PROJECTS[project]['type']}", body)
        self.state.events[f"{kind} tasks made"] += 1

    async def _try_once(self, method: str, path: str, body: Any) -> HttpResponse | None:
        try:
            return await self.ask(f"{method} {endpoint_name(path)}", DONE, method, path, body)
        except ResponseLost:
            return None
