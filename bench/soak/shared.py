"""What everybody in a soak shares: the count of what happened, what was acknowledged, who holds what."""

import asyncio
import random
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.soak.connection import Answer, Connection, Hangs

CATEGORIES = [f"kind {n}" for n in range(16)]
QUALITY = "for quality"  # the attachment of training and evaluation tasks, of which everybody may hold one
NOT_NOW = (429, 503)  # whoever gets one asks again after a moment
FAULTS_KEPT = 50
LEDGER_ROWS = 2_000  # kept in memory before they are written


def response_to(claim_id: str, task_type: str) -> dict[str, Any]:
    """The one response that is ever sent for a claim, so that what was sent need not be remembered."""
    if task_type == "transcription":
        return {"fields": {"said": f"heard under {claim_id}"}}
    return {"category": CATEGORIES[int(claim_id[-4:], 16) % len(CATEGORIES)]}


def another_response(claim_id: str, task_type: str) -> dict[str, Any]:
    """A response that fits the task as well, and is never to be taken."""
    if task_type == "transcription":
        return {"fields": {"said": f"misheard under {claim_id}"}}
    return {"category": CATEGORIES[(int(claim_id[-4:], 16) + 1) % len(CATEGORIES)]}


class Ledger:
    """The acknowledged submissions, on disk: 24 bytes each."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("CREATE TABLE acknowledged (claim BLOB PRIMARY KEY, task BLOB NOT NULL) WITHOUT ROWID")
        self._rows: list[tuple[bytes, bytes]] = []

    def add(self, claim_id: str, task_id: str) -> None:
        self._rows.append((bytes.fromhex(claim_id), bytes.fromhex(task_id)))
        if len(self._rows) >= LEDGER_ROWS:
            self.write()

    def write(self) -> None:
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR IGNORE INTO acknowledged VALUES (?, ?)", self._rows)
        self._file.execute("COMMIT")
        self._rows.clear()

    def __len__(self) -> int:
        self.write()
        return self._file.execute("SELECT COUNT(*) FROM acknowledged").fetchone()[0]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Claims and their tasks, in the order of the claims."""
        self.write()
        for claim, task in self._file.execute("SELECT claim, task FROM acknowledged ORDER BY claim"):
            yield claim.hex(), task.hex()

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class _Hold:
    person: str
    known_at: float  # when its answer came
    until_ms: float


class Holders:
    """Who surely holds which task of the projects whose pipeline stays as it is: the server must not give out more
    places than there are. A hold that may have ended, for whatever reason, does not count."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places  # of a task, by project
        self._by_task: dict[str, dict[str, _Hold]] = {}
        self._losing: Counter[str] = Counter()
        self._lost_at: dict[str, float] = {}

    def took(self, given: dict[str, Any], person: str, asked_at: float, faults: "Faults") -> None:
        """A claim was answered that was asked for at this moment."""
        task, claim = given["task"], given["claim_id"]
        places = self._places.get(task["project"])
        unsure = self._losing[person] or asked_at <= self._lost_at.get(person, 0.0)
        if places is None or unsure or task["params"].get("attachment") == QUALITY:
            return
        holds = self._by_task.setdefault(task["task_id"], {})
        now_ms = time.time() * 1_000
        others = [h for c, h in holds.items() if c != claim and h.known_at < asked_at and h.until_ms > now_ms]
        if len(others) >= places:
            faults.add(f"task {task['task_id']} has {places} places, and is held by {len(others) + 1} people")
        holds[claim] = _Hold(person, time.monotonic(), _ms(given["lease_expires_at"]))

    def may_end(self, given: dict[str, Any]) -> None:
        """Its holder is about to give it up."""
        holds = self._by_task.get(given["task"]["task_id"])
        if holds is not None:
            holds.pop(given["claim_id"], None)
            if not holds:
                del self._by_task[given["task"]["task_id"]]

    @contextmanager
    def losing(self, person: str) -> Iterator[None]:
        """While somebody takes from this person what they hold."""
        self._losing[person] += 1
        for holds in self._by_task.values():
            for claim in [claim for claim, hold in holds.items() if hold.person == person]:
                del holds[claim]
        try:
            yield
        finally:
            self._losing[person] -= 1
            self._lost_at[person] = time.monotonic()

    def forget_old(self) -> None:
        """Leases that have run out."""
        now_ms = time.time() * 1_000
        for task, holds in list(self._by_task.items()):
            if all(hold.until_ms < now_ms for hold in holds.values()):
                del self._by_task[task]


def _ms(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp() * 1_000


class Faults:
    """What must not happen and did. The first of them ends the soak."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[str] = []
        self.came = asyncio.Event()

    def add(self, fault: str) -> None:
        self.count += 1
        if len(self.kept) < FAULTS_KEPT:
            self.kept.append(fault)
        self.came.set()


@dataclass
class Load:
    seed: int
    ports: Sequence[int]
    ledger: Ledger
    holders: Holders
    lease_s: int
    pause_s: float  # between two tasks of a labeler, on average
    faults: Faults = field(default_factory=Faults)
    events: Counter[str] = field(default_factory=Counter[str])
    answers: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    claims: deque[str] = field(default_factory=lambda: deque(maxlen=256))  # the latest, of anybody
    idle: set[str] = field(default_factory=set[str])  # who had nothing to do when they last asked
    ending: bool = False

    def chance(self, who: str) -> random.Random:
        """The same choices for the same seed, whatever the others do."""
        return random.Random(f"{self.seed}/{who}")


class Caller:
    """Somebody with a key, and a connection of their own."""

    def __init__(self, load: Load, name: str) -> None:
        self.load = load
        self.name = name
        self.email = f"{name}@soak.example"
        self.key = ""
        self.disabled = False
        self.doing = ""
        self.chance = load.chance(name)
        self.connection = Connection(load.ports, self.chance)

    async def ask(self, kind: str, fine: Sequence[int], method: str, path: str, body: Any = None) -> Answer | None:
        """The answer, or None where the server cannot answer now. Any other status than those is a fault."""
        key = self.key
        try:
            answer = await self.connection.call(key, method, path, body)
        except Hangs as error:
            self.load.faults.add(str(error))
            return None
        self.load.answers[kind, answer.status] += 1
        if answer.status in fine:
            return answer
        if answer.status in NOT_NOW:
            await self.rest(0.2)
        elif answer.status == 401 and (self.disabled or key != self.key):
            await self.rest(0.1)
        else:
            self.load.faults.add(
                f"{kind} of {self.name}{self.doing and f' ({self.doing})'} was answered {answer.status}:"
                f" {answer.body[:300]!r}"
            )
        return None

    async def rest(self, mean_s: float) -> None:
        """A pause of about so long; nothing is waited for longer than ten times of it."""
        await asyncio.sleep(min(self.chance.expovariate(1 / mean_s), 10 * mean_s) if mean_s else 0)
