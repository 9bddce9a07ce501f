"""Reads the database alone and proves that it is in a state that the rules allow."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from refonte_studio.db import Tx

Record = Mapping[str, Any]


@dataclass
class Snapshot:
    """Every row that dispatch depends on."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __getattr__(self, table: str) -> list[dict[str, Any]]:
        return self.tables[table]


_TABLES = {
    "teammates": "id, team_id, role, state",
    "assignments": "teammate_id, project_id",
    "projects": "id, team_id, mode, name, studio, pipeline, consensus_attempts",
    "batches": "id, team_id, mode, project_id, name, studio, is_default, state, position, batch_type",
    "batch_groups": "batch_id, group_id",
    "group_members": "group_id, teammate_id",
    "groups": "id, project_id, name",
    "tasks": "id, team_id, mode, project_id, batch_id, kind, status, wanted, attempts, open_places, response",
    "attempts": "id, task_id, teammate_id, number, wanted",
    "claims": "id, mode, task_id, project_id, batch_id, teammate_id, state, lease_expires_at",
    "batch_counts": "batch_id, pending, completed, canceled",
    "batch_deltas": "batch_id, pending, completed, canceled",
}


async def snapshot(tx: Tx) -> Snapshot:
    """Every row, by table."""
    return Snapshot(
        {
            table: [dict(row) for row in await tx.all(f"SELECT {columns} FROM {table}")]
            for table, columns in _TABLES.items()
        }
    )


def check(now: Snapshot) -> None:
    """Fails with the offending row if a rule is broken."""
    _check_places(now)
    _check_people(now)
    _check_ends(now)
    _check_batches(now)


def _check_places(now: Snapshot) -> None:
    held = Counter(claim["task_id"] for claim in now.claims if claim["state"] == "held")
    made = Counter(attempt["task_id"] for attempt in now.attempts)
    for task in now.tasks:
        assert task["attempts"] == made[task["id"]], ("attempts counted wrongly", task)
        if task["kind"] != "work":
            continue
        if task["status"] == "pending":
            places = task["wanted"] - task["attempts"] - held[task["id"]]
            assert task["open_places"] == places, ("places counted wrongly", task, held[task["id"]])
            assert task["attempts"] < task["wanted"], ("it has its attempts and is pending", task)
        else:
            assert held[task["id"]] == 0, ("somebody holds a task that has ended", task)
            assert task["open_places"] <= 0, ("an ended task has open places", task)
        assert (task["response"] is not None) == (task["status"] == "completed"), ("no result", task)


def _check_people(now: Snapshot) -> None:
    active = {person["id"] for person in now.teammates if person["state"] == "active"}
    assigned = {(row["teammate_id"], row["project_id"]) for row in now.assignments}
    holders = Counter((claim["teammate_id"], claim["mode"]) for claim in now.claims if claim["state"] == "held")
    assert all(count == 1 for count in holders.values()), ("a person holds two claims", holders)
    for claim in now.claims:
        if claim["state"] == "held":
            assert claim["teammate_id"] in active, ("a disabled person holds a claim", claim)
            assert (claim["teammate_id"], claim["project_id"]) in assigned, ("held by an unassigned person", claim)
    taken = Counter(
        (claim["task_id"], claim["teammate_id"])
        for claim in now.claims
        if claim["state"] in ("held", "submitted", "skipped")
    )
    assert all(count == 1 for count in taken.values()), ("a person has a task twice", taken)
    submitted = {claim["id"] for claim in now.claims if claim["state"] == "submitted"}
    assert submitted == {attempt["id"] for attempt in now.attempts}, "attempts and submitted claims differ"
    pairs = Counter((attempt["task_id"], attempt["teammate_id"]) for attempt in now.attempts)
    assert all(count == 1 for count in pairs.values()), ("a person attempted a task twice", pairs)


def _check_ends(now: Snapshot) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for attempt in now.attempts:
        numbers[attempt["task_id"]].append(attempt["number"])
    for task_id, seen in numbers.items():
        assert sorted(seen) == list(range(1, len(seen) + 1)), ("attempts are not numbered 1, 2, …", task_id, seen)


def _check_batches(now: Snapshot) -> None:
    shown: dict[str, Counter[str]] = defaultdict(Counter)
    for row in [*now.batch_counts, *now.batch_deltas]:
        for state in ("pending", "completed", "canceled"):
            shown[row["batch_id"]][state] += row[state]
    real: dict[str, Counter[str]] = defaultdict(Counter)
    for task in now.tasks:
        if task["kind"] == "work":
            real[task["batch_id"]][task["status"]] += 1
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for batch in now.batches:
        for state in ("pending", "completed", "canceled"):
            assert shown[batch["id"]][state] == real[batch["id"]][state], ("a count differs", batch, state)
        pending = real[batch["id"]]["pending"]
        if batch["state"] == "completed":
            assert not pending, ("a completed batch has pending tasks", batch)
            assert not (batch["studio"] and batch["is_default"]), ("a default batch completed", batch)
        if batch["state"] == "in_progress" and batch["studio"] and not batch["is_default"]:
            assert pending, ("a batch whose tasks have all ended is not completed", batch)
        in_queue = batch["studio"] and batch["state"] == "in_progress"
        assert (batch["position"] is not None) == bool(in_queue), ("wrongly in or out of the queue", batch)
        if in_queue:
            places[batch["team_id"], batch["mode"]].append(batch["position"])
    for queue in places.values():
        assert len(set(queue)) == len(queue), ("two batches at one place of the queue", queue)


def may_have(now: Snapshot, teammate_id: str, mode: str) -> list[str]:
    """The work and training tasks that a person may claim, in the order of dispatch, by the contract's words."""
    assigned = {row["project_id"] for row in now.assignments if row["teammate_id"] == teammate_id}
    mine = {row["group_id"] for row in now.group_members if row["teammate_id"] == teammate_id}
    groups: dict[str, set[str]] = defaultdict(set)
    for row in now.batch_groups:
        groups[row["batch_id"]].add(row["group_id"])
    taken = {
        claim["task_id"]
        for claim in now.claims
        if claim["teammate_id"] == teammate_id and claim["state"] in ("held", "submitted", "skipped")
    }
    mates = [task for task in now.tasks if task["project_id"] in assigned and task["mode"] == mode]
    free = sorted((task for task in mates if task["id"] not in taken), key=lambda task: task["id"])
    order = [task["id"] for task in free if task["kind"] == "training" and task["status"] == "pending"]
    open_batches = [
        batch
        for batch in now.batches
        if batch["project_id"] in assigned
        and batch["mode"] == mode
        and batch["state"] == "in_progress"
        and (not groups[batch["id"]] or groups[batch["id"]] & mine)
    ]
    open_batches.sort(key=lambda batch: (batch["position"] is None, batch["position"], batch["id"]))
    for batch in open_batches:
        order += [
            task["id"]
            for task in free
            if task["batch_id"] == batch["id"] and task["kind"] == "work" and task["open_places"] > 0
        ]
    return order
