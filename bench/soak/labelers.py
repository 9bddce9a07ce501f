"""The labelers of a soak: what people, their programs and their networks do."""

import asyncio
import time
from collections import deque
from datetime import datetime
from typing import Any

from bench.soak.connection import Answer, Lost
from bench.soak.shared import Caller, Load, another_response, response_to

PATIENCE_S = 90.0  # with a submission whose answer was lost, or that the server could not take
# What is done with a claim, and how often.
DOINGS = {
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

    def __init__(self, load: Load, number: int) -> None:
        super().__init__(load, f"labeler{number}")
        self._mine: deque[str] = deque(maxlen=load.claims.maxlen)
        self._sent = ""  # the claim that they sent the latest submission for, which may still be under way

    async def run(self) -> None:
        while not self.load.ending:
            try:
                await self._turn()
            except Lost:
                self.load.events["answers lost"] += 1
                await self.rest(0.05)
            await self.rest(self.load.pause_s)
        self.connection.close()

    async def _turn(self) -> None:
        given = await self._claim()
        if given is None:
            await self.rest(0.2)
            return
        (doing,) = self.chance.choices(list(DOINGS), list(DOINGS.values()))
        self.load.events[doing] += 1
        self.doing = doing
        await getattr(self, f"_{doing.replace(' ', '_').replace(chr(39), '')}")(given)

    async def _claim(self) -> dict[str, Any] | None:
        asked_at = time.monotonic()
        answer = await self.ask("claim", (200, 204), "POST", "/work/claim")
        if answer is None or answer.status == 204:
            if answer is not None:
                self.load.idle.add(self.name)
            return None
        self.load.idle.discard(self.name)
        given = answer.json
        self.load.claims.append(given["claim_id"])
        self._mine.append(given["claim_id"])
        self.load.holders.took(given, self.name, asked_at, self.load.faults)
        return given

    async def _on(self, given: dict[str, Any], what: str, fine: tuple[int, ...], body: Any = None) -> Answer | None:
        """Something done to a claim that ends it; asked again until it is answered, as a good program does."""
        self.load.holders.may_end(given)
        until = time.monotonic() + PATIENCE_S
        while not self.load.ending and time.monotonic() < until:
            try:
                answer = await self.ask(what, fine, "POST", f"/work/{given['claim_id']}/{what}", body)
            except Lost:
                self.load.events["answers lost"] += 1
                await self.rest(0.05)
                continue
            if answer is not None or self.disabled:
                return answer
        return None

    def _response(self, given: dict[str, Any]) -> dict[str, Any]:
        """What is sent for a claim, from now on."""
        self._sent = given["claim_id"]
        return {"response": response_to(given["claim_id"], given["task"]["type"])}

    async def _submit(self, given: dict[str, Any]) -> Answer | None:
        """The acknowledgement; None if there is none."""
        answer = await self._on(given, "submit", (200, 409), self._response(given))
        if answer is None or answer.status == 409:
            return None
        done = answer.json
        if done["task_id"] != given["task"]["task_id"]:
            self.load.faults.add(f"claim {given['claim_id']} was acknowledged for another task: {done}")
        self.load.ledger.add(given["claim_id"], done["task_id"])
        return answer

    async def _submit_again(self, given: dict[str, Any]) -> None:
        first = await self._submit(given)
        second = await self._on(given, "submit", (200, 409), self._response(given)) if first is not None else None
        if first is not None and second is not None and first.body != second.body:
            self.load.faults.add(f"the same submission was answered {first.body!r}, then {second.body!r}")

    async def _submit_something_else_afterwards(self, given: dict[str, Any]) -> None:
        if await self._submit(given) is not None:
            other = {"response": another_response(given["claim_id"], given["task"]["type"])}
            await self._on(given, "submit", (409,), other)

    async def _submit_what_does_not_fit(self, given: dict[str, Any]) -> None:
        path = f"/work/{given['claim_id']}/submit"
        await self.ask("submit", (400, 409), "POST", path, {"response": {"nonsense": 1}})
        await self._submit(given)

    async def _extend(self, given: dict[str, Any]) -> None:
        await self.ask("extend", (200, 409), "POST", f"/work/{given['claim_id']}/extend")
        await self._submit(given)

    async def _skip(self, given: dict[str, Any]) -> None:
        await self._on(given, "skip", (200, 409), {"reason": "too hard"})

    async def _release(self, given: dict[str, Any]) -> None:
        await self._on(given, "release", (200, 409))

    async def _hold_too_long(self, given: dict[str, Any]) -> None:
        """Nobody extends the lease, so that after it no submission may be taken."""
        if self._sent == given["claim_id"]:  # cut off before, and perhaps taken meanwhile
            await self._submit(given)
            return
        left_s = datetime.fromisoformat(given["lease_expires_at"]).timestamp() - time.time()
        await asyncio.sleep(max(0.0, left_s) + 0.01)
        await self._on(given, "submit", (409,), self._response(given))

    async def _claim_again(self, given: dict[str, Any]) -> None:
        await self._submit(await self._claim() or given)

    async def _cut_the_submission(self, given: dict[str, Any]) -> None:
        """The connection goes before the answer; then the person asks for work, and gets this task again or not."""
        self.load.holders.may_end(given)
        body, after_s = self._response(given), self.chance.choice((0.0, 0.002, 0.02))
        await self.connection.cut(self.key, "POST", f"/work/{given['claim_id']}/submit", body, after_s)
        await self._after_the_cut(given)

    async def _cut_the_submission_in_the_middle(self, given: dict[str, Any]) -> None:
        self.load.holders.may_end(given)
        path = f"/work/{given['claim_id']}/submit"
        await self.connection.cut_in_the_middle(self.key, "POST", path, self._response(given))
        await self._after_the_cut(given)

    async def _after_the_cut(self, given: dict[str, Any]) -> None:
        again = await self._claim()
        if again is not None:
            await self._submit(again)
        if again is None or again["claim_id"] != given["claim_id"]:
            await self._submit(given)

    async def _cut_the_next_claim(self, given: dict[str, Any]) -> None:
        await self._submit(given)
        await self.connection.cut(self.key, "POST", "/work/claim", None, self.chance.choice((0.0, 0.002, 0.02)))

    async def _touch_anothers_claim(self, given: dict[str, Any]) -> None:
        other = self.chance.choice(list(self.load.claims))
        what = self.chance.choice(("submit", "extend", "skip", "release"))
        if other not in self._mine:
            body = {"response": response_to(other, "categorization")} if what == "submit" else None
            await self.ask(f"{what} another's", (404,), "POST", f"/work/{other}/{what}", body)
        await self._submit(given)
