"""The labelers of a soak, who do what people, their programs and their networks do."""

import asyncio
import time
from collections import deque
from datetime import datetime
from typing import Any

from bench.soak.caller import Caller, SoakState
from bench.soak.connection import HttpResponse, ResponseLost
from bench.soak.responses import another_response, response_to

PATIENCE_S = 90.0  # for a submission whose response was lost, or that the server could not take
# What is done with a claim, and its relative frequency.
CLAIM_ENDINGS = {
    "submit": 66,
    "submit again": 6,
    "submit something else afterwards": 3,
    "submit what does not fit": 1,
    "extend": 4,
    "skip": 3,
    "release": 3,
    "hold too long": 2,
    "claim again": 3,
    "cut the submission": 4,
    "cut the submission in the middle": 2,
    "cut the next claim": 2,
    "touch another's claim": 1,
}


class Labeler(Caller):
    """Works until the soak ends."""

    def __init__(self, state: SoakState, number: int) -> None:
        super().__init__(state, f"labeler{number}")
        self._mine: deque[str] = deque(maxlen=state.claims.maxlen)
        self._sent = ""  # the claim of the latest submission, which may still be in flight

    async def run(self) -> None:
        while not self.state.ending:
            try:
                await self._turn()
            except ResponseLost:
                self.state.events["answers lost"] += 1
                await self.rest(0.05)
            await self.rest(self.state.pause_s)
        self.connection.close()

    async def _turn(self) -> None:
        claimed = await self._claim()
        if claimed is None:
            await self.rest(0.2)
            return
        (doing,) = self.chance.choices(list(CLAIM_ENDINGS), list(CLAIM_ENDINGS.values()))
        self.state.events[doing] += 1
        self.doing = doing
        await getattr(self, f"_{doing.replace(' ', '_').replace(chr(39), '')}")(claimed)

    async def _claim(self) -> dict[str, Any] | None:
        asked_at = time.monotonic()
        response = await self.ask("claim", (200, 204), "POST", "/work/claim")
        if response is None or response.status == 204:
            if response is not None:
                self.state.idle.add(self.name)
            return None
        self.state.idle.discard(self.name)
        claimed = response.json
        self.state.claims.append(claimed["claim_id"])
        self._mine.append(claimed["claim_id"])
        self.state.holders.note(claimed, self.name, asked_at, self.state.faults)
        return claimed

    async def _on(
        self, claimed: dict[str, Any], what: str, accepted: tuple[int, ...], body: Any = None
    ) -> HttpResponse | None:
        """Ends a claim; repeats the call until it is answered, as a good program does."""
        self.state.holders.may_end(claimed)
        until = time.monotonic() + PATIENCE_S
        while not self.state.ending and time.monotonic() < until:
            try:
                response = await self.ask(what, accepted, "POST", f"/work/{claimed['claim_id']}/{what}", body)
            except ResponseLost:
                self.state.events["answers lost"] += 1
                await self.rest(0.05)
                continue
            if response is not None or self.disabled:
                return response
        return None

    def _response(self, claimed: dict[str, Any]) -> dict[str, Any]:
        """The body of a submission for a claim."""
        self._sent = claimed["claim_id"]
        return {"response": response_to(claimed["claim_id"], claimed["task"]["type"])}

    async def _submit(self, claimed: dict[str, Any]) -> HttpResponse | None:
        """Submits; returns the acknowledgement, or None if there is none."""
        response = await self._on(claimed, "submit", (200, 409), self._response(claimed))
        if response is None or response.status == 409:
            return None
        done = response.json
        if done["task_id"] != claimed["task"]["task_id"]:
            self.state.faults.add(f"claim {claimed['claim_id']} was acknowledged for another task: {done}")
        self.state.ledger.add(claimed["claim_id"], done["task_id"])
        return response

    async def _submit_again(self, claimed: dict[str, Any]) -> None:
        first = await self._submit(claimed)
        second = await self._on(claimed, "submit", (200, 409), self._response(claimed)) if first is not None else None
        if first is not None and second is not None and first.body != second.body:
            self.state.faults.add(f"the same submission was answered {first.body!r}, then {second.body!r}")

    async def _submit_something_else_afterwards(self, claimed: dict[str, Any]) -> None:
        if await self._submit(claimed) is not None:
            other = {"response": another_response(claimed["claim_id"], claimed["task"]["type"])}
            await self._on(claimed, "submit", (409,), other)

    async def _submit_what_does_not_fit(self, claimed: dict[str, Any]) -> None:
        path = f"/work/{claimed['claim_id']}/submit"
        await self.ask("submit", (400, 409), "POST", path, {"response": {"nonsense": 1}})
        await self._submit(claimed)

    async def _extend(self, claimed: dict[str, Any]) -> None:
        await self.ask("extend", (200, 409), "POST", f"/work/{claimed['claim_id']}/extend")
        await self._submit(claimed)

    async def _skip(self, claimed: dict[str, Any]) -> None:
        await self._on(claimed, "skip", (200, 409), {"reason": "too hard"})

    async def _release(self, claimed: dict[str, Any]) -> None:
        await self._on(claimed, "release", (200, 409))

    async def _hold_too_long(self, claimed: dict[str, Any]) -> None:
        """Waits until the lease has expired, after which no submission may be accepted."""
        if self._sent == claimed["claim_id"]:  # a submission that was cut off may have been accepted
            await self._submit(claimed)
            return
        left_s = datetime.fromisoformat(claimed["lease_expires_at"]).timestamp() - time.time()
        await asyncio.sleep(max(0.0, left_s) + 0.01)
        await self._on(claimed, "submit", (409,), self._response(claimed))

    async def _claim_again(self, claimed: dict[str, Any]) -> None:
        await self._submit(await self._claim() or claimed)

    async def _cut_the_submission(self, claimed: dict[str, Any]) -> None:
        """Cuts the connection before the response; the next claim may or may not bring the same task."""
        self.state.holders.may_end(claimed)
        body, after_s = self._response(claimed), self.chance.choice((0.0, 0.002, 0.02))
        await self.connection.cut(self.key, "POST", f"/work/{claimed['claim_id']}/submit", body, after_s)
        await self._after_the_cut(claimed)

    async def _cut_the_submission_in_the_middle(self, claimed: dict[str, Any]) -> None:
        self.state.holders.may_end(claimed)
        path = f"/work/{claimed['claim_id']}/submit"
        await self.connection.cut_in_the_middle(self.key, "POST", path, self._response(claimed))
        await self._after_the_cut(claimed)

    async def _after_the_cut(self, claimed: dict[str, Any]) -> None:
        again = await self._claim()
        if again is not None:
            await self._submit(again)
        if again is None or again["claim_id"] != claimed["claim_id"]:
            await self._submit(claimed)

    async def _cut_the_next_claim(self, claimed: dict[str, Any]) -> None:
        await self._submit(claimed)
        await self.connection.cut(self.key, "POST", "/work/claim", None, self.chance.choice((0.0, 0.002, 0.02)))

    async def _touch_anothers_claim(self, claimed: dict[str, Any]) -> None:
        other = self.chance.choice(list(self.state.claims))
        what = self.chance.choice(("submit", "extend", "skip", "release"))
        if other not in self._mine:
            body = {"response": response_to(other, "categorization")} if what == "submit" else None
            await self.ask(f"{what} another's", (404,), "POST", f"/work/{other}/{what}", body)
        await self._submit(claimed)
