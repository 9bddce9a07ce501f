"""What everyone in a soak shares, and how they make calls."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.soak.connection import Connection, HttpResponse, NoResponse, ResponseLost
from bench.soak.faults import Faults
from bench.soak.holders import Holders
from bench.soak.ledger import Ledger

DONE = (200, 204)
NOT_NOW = (429, 503)  # the caller asks again after a pause


class GivenUp(Exception):
    """A fault was found, so a response that was asked for may never come."""


@dataclass
class SoakState:
    """The state that all callers share."""

    seed: int
    ports: Sequence[int]
    ledger: Ledger
    holders: Holders
    lease_s: int
    pause_s: float  # between two tasks of a labeler, on average
    faults: Faults = field(default_factory=Faults)
    events: Counter[str] = field(default_factory=Counter[str])
    responses: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])  # by kind of call and status
    claims: deque[str] = field(default_factory=lambda: deque(maxlen=256))  # the latest, of all labelers
    idle: set[str] = field(default_factory=set[str])  # labelers who got no task when they last claimed
    ending: bool = False

    def chance(self, who: str) -> random.Random:
        """Makes the same choices for the same seed, whatever others do."""
        return random.Random(f"{self.seed}/{who}")


class Caller:
    """A person with a key and a connection of their own."""

    def __init__(self, state: SoakState, name: str) -> None:
        self.state = state
        self.name = name
        self.email = f"{name}@soak.example"
        self.key = ""
        self.disabled = False
        self.doing = ""
        self.chance = state.chance(name)
        self.connection = Connection(state.ports, self.chance)

    async def ask(
        self, kind: str, accepted: Sequence[int], method: str, path: str, body: Any = None
    ) -> HttpResponse | None:
        """The response, or None if the server cannot serve the call now. A status that is not accepted is a fault."""
        key = self.key
        try:
            response = await self.connection.call(key, method, path, body)
        except NoResponse as error:
            self.state.faults.add(str(error))
            return None
        self.state.responses[kind, response.status] += 1
        if response.status in accepted:
            return response
        if response.status in NOT_NOW:
            await self.rest(0.2)
        elif response.status == 401 and (self.disabled or key != self.key):
            await self.rest(0.1)
        else:
            self.state.faults.add(
                f"{kind} of {self.name}{self.doing and f' ({self.doing})'} was answered {response.status}:"
                f" {response.body[:300]!r}"
            )
        return None

    async def rest(self, mean_s: float) -> None:
        """Pauses for a random time with this mean, at most ten times as long."""
        await asyncio.sleep(min(self.chance.expovariate(1 / mean_s), 10 * mean_s) if mean_s else 0)

    async def insist(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        already_done: Sequence[int] = (),
        accepted: Sequence[int] = DONE,
    ) -> Any:
        """Makes a call, which may be made twice, until it is answered; returns the JSON of the response.

        `already_done` are the statuses that say that the call was made before; they are accepted once a response may
        have been lost. Raises GivenUp as soon as there is a fault.
        """
        while True:
            try:
                response = await self.ask(f"{method} {endpoint_name(path)}", accepted, method, path, body)
            except ResponseLost:
                await self.rest(0.1)
                response = None
            if response is not None:
                return response.json if response.body else None
            if self.state.faults.count:
                raise GivenUp
            accepted = (*DONE, *already_done)


def endpoint_name(path: str) -> str:
    """The path without the names of things in it, for the table of responses."""
    plain = path.partition("?")[0].strip("/").split("/")
    return "/".join(part for part in plain if part[:1].islower() and part.replace("_", "").isalpha())
