"""The team of a soak: its projects, its people, and how they get their keys."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from bench.soak.caller import Caller, SoakState
from bench.soak.labelers import Labeler
from bench.soak.responses import CATEGORIES

PASSWORD = "correct horse battery"
JOINING_AT_ONCE = 8  # people
NAMES_KEPT = 300  # of batches, from which managers choose
GROUPS = 4  # in each Studio project

CATEGORIZATION = {"type": "categorization", "params": {"categories": CATEGORIES}}
TRANSCRIPTION = {"type": "transcription", "params": {"fields": {"said": "What is said"}}}
CONSENSUS = {"pipeline": "consensus_task", "consensus_attempts": 3}
PROJECTS: dict[str, dict[str, Any]] = {
    "Steady": {**CATEGORIZATION, "studio": True},
    "Steady by three": {**TRANSCRIPTION, **CONSENSUS, "studio": True},
    "Moving": {**CATEGORIZATION, **CONSENSUS, "studio": True},
    "Moving, too": {**TRANSCRIPTION, "studio": True},
    "Plain": {**CATEGORIZATION},  # not a Studio project: its batches take tasks at any time, and are reopened
}
STUDIO = [name for name, body in PROJECTS.items() if body.get("studio")]
MOVING = [name for name in STUDIO if name.startswith("Moving")]
STEADY = {"Steady": 1, "Steady by three": 3}  # the slots of each task; these projects never change


class Team:
    """The people of the soak, and what they need before they can work."""

    def __init__(self, state: SoakState, labelers: Sequence[Labeler]) -> None:
        self.state = state
        self.labelers = labelers
        self.admin = Caller(state, "admin")
        self.batches: deque[tuple[str, str]] = deque(maxlen=NAMES_KEPT)  # the latest: project, name

    async def set_up(self, link: str) -> None:
        """Makes the team with the token of a set-up link, and lets the labelers join it."""
        names = {"first_name": "Ana", "last_name": "Ruiz"}
        body = {"token": link, "team": "Soak", "email": self.admin.email, "password": PASSWORD, **names}
        self.admin.key = await self._key(self.state.ports[0], "/setup", body)
        invited = await self._insist(
            "POST", "/teams/invite", {"emails": [m.email for m in self.labelers], "team_role": "labeler"}
        )
        links = {one["email"]: one["inviteUrl"].rpartition("/")[2] for one in invited if "inviteUrl" in one}
        at_once = asyncio.Semaphore(JOINING_AT_ONCE)

        async def join(labeler: Labeler) -> None:
            async with at_once:
                body = {"token": links[labeler.email], "first_name": "L", "last_name": "B", "password": PASSWORD}
                labeler.key = await self._key(self.state.ports[0], "/invitations/accept", body)

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
        """Signs the labeler in with their password to make a key; False if that is not possible now."""
        try:
            port = self.admin.chance.choice(self.state.ports)
            labeler.key = await self._key(port, "/session", {"email": labeler.email, "password": PASSWORD})
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in (401, 429, 503):
                self.state.faults.add(f"signing in was answered {error.response.status_code}")
            return False
        except httpx.TransportError:
            return False
        return True

    async def _insist(self, method: str, path: str, body: Any = None) -> Any:
        return await self.admin.insist(method, path, body, already_done=(409,))

    async def make_projects(self) -> None:
        everybody = [labeler.email for labeler in self.labelers]
        for name, body in PROJECTS.items():
            await self._insist("POST", "/projects", {"name": name, **body})
            # responses are chosen at random, so hardly any is right: only in one project do people fail training
            quality = {"training_attempts": 8} if name == "Plain" else {"pass_mark": 0}
            await self._insist("POST", f"/projects/{quote(name)}/quality", quality)
        await self._insist("POST", "/studio/assignments/add", {"emails": everybody, "projects": list(PROJECTS)})
        for name in STUDIO:
            for number in range(GROUPS):
                members = self.admin.chance.sample(everybody, max(1, len(everybody) // 3))
                path = f"/studio/projects/{quote(name)}/groups"
                await self._insist("POST", path, {"name": f"group {number}", "emails": members})
