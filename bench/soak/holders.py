"""Who holds which task in a soak, as far as the callers can be sure."""

import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.soak.caller import Faults

QUALITY = "for quality"  # the attachment of training and evaluation tasks, each of which anyone may hold


@dataclass(slots=True)
class _Hold:
    person: str
    known_at: float  # when the claim was answered
    until_ms: float


class Holders:
    """Who certainly holds which task of the projects whose pipeline never changes.

    The server must not give out more slots of a task than there are. A hold that may have ended does not count.
    """

    def __init__(self, slots: Mapping[str, int]) -> None:
        self._slots = slots  # of each task, by project
        self._by_task: dict[str, dict[str, _Hold]] = {}
        self._losing: Counter[str] = Counter()
        self._lost_at: dict[str, float] = {}

    def note(self, claimed: dict[str, Any], person: str, asked_at: float, faults: Faults) -> None:
        """Notes a claim that was asked for at `asked_at`; a fault if the task had no slot left."""
        task, claim = claimed["task"], claimed["claim_id"]
        slots = self._slots.get(task["project"])
        unsure = self._losing[person] or asked_at <= self._lost_at.get(person, 0.0)
        if slots is None or unsure or task["params"].get("attachment") == QUALITY:
            return
        holds = self._by_task.setdefault(task["task_id"], {})
        now_ms = time.time() * 1_000
        others = [h for c, h in holds.items() if c != claim and h.known_at < asked_at and h.until_ms > now_ms]
        if len(others) >= slots:
            faults.add(f"task {task['task_id']} has {slots} slots, and is held by {len(others) + 1} people")
        holds[claim] = _Hold(person, time.monotonic(), _ms(claimed["lease_expires_at"]))

    def may_end(self, claimed: dict[str, Any]) -> None:
        """The holder of the claim is about to give it up."""
        holds = self._by_task.get(claimed["task"]["task_id"])
        if holds is not None:
            holds.pop(claimed["claim_id"], None)
            if not holds:
                del self._by_task[claimed["task"]["task_id"]]

    @contextmanager
    def losing(self, person: str) -> Generator[None]:
        """While it lasts, a manager takes away what this person holds."""
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
        """Forgets tasks whose leases have all expired."""
        now_ms = time.time() * 1_000
        for task, holds in list(self._by_task.items()):
            if all(hold.until_ms < now_ms for hold in holds.values()):
                del self._by_task[task]


def _ms(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp() * 1_000
