"""Checks by reading every row that the database is in a state that the rules allow."""

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
    "assignments": "teammate_id, project_id, paused_at, archived",
    "projects": "id, team_id, mode, name, studio, pipeline, consensus_attempts, archived_at",
    "batches": "id, team_id, mode, project_id, name, studio, is_default, state, position, batch_type, finalized_at,"
    " completed_at",
    "batch_groups": "batch_id, group_id",
    "group_members": "group_id, teammate_id",
    "groups": "id, project_id, name",
    "tasks": "id, team_id, mode, project_id, batch_id, kind, status, response, created_at, completed_at, reviewed",
    "task_slots": "team_id, batch_id, task_id, wanted, attempts, open, opened, reviewing, judging",
    "postponed_results": "task_id, team_id, mode, project_id, batch_id, done_at",
    "dispatch_cursors": "teammate_id, batch_id, reached, seen",
    "attempts": "id, team_id, mode, project_id, batch_id, task_id, teammate_id, number, wanted, submitted_at, round,"
    " rejected_at, imported",
    "claims": "id, team_id, mode, task_id, project_id, batch_id, teammate_id, state, lease_expires_at, ended_at",
    "batch_counts": "batch_id, pending, completed, canceled",
    "batch_deltas": "batch_id, pending, completed, canceled",
    "callbacks": "event, subject_id",
    "reviews": "id, team_id, mode, project_id, batch_id, task_id, level, state, response, reviewer_id, comments,"
    " sent_to, started_at, lease_expires_at, decided_at",
    "rework_items": "team_id, mode, teammate_id, task_id, project_id, batch_id, created_at",
    "quality_tasks": "task_id",
    "quality_attempts": "id, task_id, teammate_id, number",
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
    """Fails with the offending row if a rule is broken. Knows nothing of the auditor, which asks the same by SQL."""
    _check_slots(now)
    _check_cursors(now)
    _check_people(now)
    _check_archived(now)
    _check_ends(now)
    _check_copies(now)
    _check_counts(now)
    _check_batches(now)
    _check_callbacks(now)
    _check_quality(now)
    _check_reviews(now)
    _check_rework(now)
    _check_results(now)


def _check_results(now: Snapshot) -> None:
    waiting = sorted(row["task_id"] for row in now.postponed_results if row["done_at"] is None)
    judged = sorted(place["task_id"] for place in now.task_slots if place["judging"])
    assert waiting == judged, ("results to be made, and tasks that wait for others", waiting, judged)


def _check_archived(now: Snapshot) -> None:
    archived = {project["id"] for project in now.projects if project["archived_at"] is not None}
    for each in now.assignments:
        assert bool(each["archived"]) == (each["project_id"] in archived), ("archived for some alone", each)


def _by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows}


def _check_slots(now: Snapshot) -> None:
    having = {(claim["task_id"], claim["teammate_id"]) for claim in now.claims if claim["state"] == "held"}
    having |= {(item["task_id"], item["teammate_id"]) for item in now.rework_items}
    held = Counter(task for task, _ in having)
    made = Counter(attempt["task_id"] for attempt in now.attempts if attempt["rejected_at"] is None)
    expected = {
        (task["batch_id"] if task["kind"] == "work" else "", task["id"], task["team_id"])
        for task in now.tasks
        if task["status"] == "pending"
    }
    given = [(place["batch_id"], place["task_id"], place["team_id"]) for place in now.task_slots]
    assert len(given) == len(set(given)), "a task has its places twice"
    assert set(given) == expected, ("places of other tasks than the pending ones", set(given) ^ expected)
    for place in now.task_slots:
        wanted, attempts = place["wanted"], place["attempts"]
        assert attempts == made[place["task_id"]], ("attempts counted wrongly", place)
        if place["batch_id"] == "":
            assert place["open"] == 0, ("a quality task has open places", place)
            continue
        if place["reviewing"]:
            assert place["open"] == 0 == held[place["task_id"]], ("somebody works under review", place)
            assert 0 < attempts <= 15, ("under review without an attempt", place)
            continue
        if place["judging"]:
            assert place["open"] == 0 == held[place["task_id"]], ("somebody works while a result is made", place)
            assert 0 < attempts == wanted, ("waiting for its result without an attempt", place)
            continue
        assert place["open"] == wanted - attempts - held[place["task_id"]], ("places counted wrongly", place)
        assert attempts < wanted <= 15, ("it has its attempts and is pending", place)


def _taken(now: Snapshot) -> Counter[tuple[str, str]]:
    return Counter(
        (claim["task_id"], claim["teammate_id"])
        for claim in now.claims
        if claim["state"] in ("held", "submitted", "skipped")
    )


def _check_cursors(now: Snapshot) -> None:
    taken = _taken(now)
    for reach in now.dispatch_cursors:
        passed = (
            place["task_id"]
            for place in now.task_slots
            if place["batch_id"] == reach["batch_id"]
            and place["open"] > 0
            and place["task_id"] < reach["reached"]
            and (place["opened"] is None or place["opened"] <= reach["seen"])
        )
        hidden = [task for task in passed if not taken[task, reach["teammate_id"]]]
        assert not hidden, ("open tasks that the person will not be given", reach, hidden)


def _check_people(now: Snapshot) -> None:
    people = _by_id(now.teammates)
    assigned = {(row["teammate_id"], row["project_id"]) for row in now.assignments}
    holders = Counter((claim["teammate_id"], claim["mode"]) for claim in now.claims if claim["state"] == "held")
    assert all(count == 1 for count in holders.values()), ("a person holds two claims", holders)
    pending = {task["id"] for task in now.tasks if task["status"] == "pending"}
    for claim in now.claims:
        assert (claim["state"] == "held") == (claim["ended_at"] is None), ("an end, or none, by mistake", claim)
        if claim["state"] != "held":
            assert claim["state"] in ("submitted", "skipped", "released", "expired", "ended", "retaken"), claim
            continue
        person = people[claim["teammate_id"]]
        assert person["state"] == "active", ("a disabled person holds a claim", claim)
        assert person["team_id"] == claim["team_id"], ("somebody of another team holds a claim", claim)
        assert (claim["teammate_id"], claim["project_id"]) in assigned, ("held by an unassigned person", claim)
        assert claim["task_id"] in pending, ("somebody holds a task that has ended", claim)
    taken = _taken(now)
    assert all(count == 1 for count in taken.values()), ("a person has a task twice", taken)
    submitted = {
        (c["id"], c["task_id"], c["teammate_id"]) for c in now.claims if c["state"] in ("submitted", "retaken")
    }
    attempted = {(a["id"], a["task_id"], a["teammate_id"]) for a in now.attempts}
    assert submitted == attempted, ("attempts and submitted claims differ", submitted ^ attempted)
    assert len(attempted) == len(now.attempts), "an attempt is there twice"
    again = {claim["id"] for claim in now.claims if claim["state"] == "retaken"}
    pairs = Counter((made["task_id"], made["teammate_id"]) for made in now.attempts if made["id"] not in again)
    assert all(count == 1 for count in pairs.values()), ("a person attempted a task twice", pairs)
    rounds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for made in now.attempts:
        rounds[made["task_id"], made["teammate_id"]].append(made["round"])
    assert all(sorted(each) == list(range(1, len(each) + 1)) for each in rounds.values()), (
        "a round is missing",
        rounds,
    )


def _check_ends(now: Snapshot) -> None:
    made: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for attempt in now.attempts:
        if attempt["rejected_at"] is None:
            made[attempt["task_id"]].append(attempt)
    under_review = {review["task_id"] for review in now.reviews}
    postponed: dict[str, list[int | None]] = defaultdict(list)
    for row in now.postponed_results:
        postponed[row["task_id"]].append(row["done_at"])
    for task in now.tasks:
        completed = task["status"] == "completed"
        assert task["status"] in ("pending", "completed", "canceled"), task
        assert (task["response"] is not None) == completed, ("a response, or none, by mistake", task)
        assert (task["completed_at"] is not None) == completed, ("completed at no time, or not at a time", task)
        attempts = sorted(made[task["id"]], key=lambda attempt: attempt["number"])
        numbers = [attempt["number"] for attempt in attempts]
        if task["kind"] == "work":  # whose maker is told of another task gets a number by chance
            assert numbers == list(range(1, len(numbers) + 1)), ("attempts are not numbered 1, 2, …", task, numbers)
        if task["mode"] == "test":
            assert completed, ("a task in test mode that is not completed", task)
            assert task["completed_at"] == task["created_at"], ("not completed from the start", task)
            assert not attempts, ("somebody attempted a task in test mode", task)
        elif task["kind"] != "work":
            assert not completed, ("a quality task is completed", task)
        elif task["id"] in under_review:
            assert not completed or attempts, ("completed by nobody", task)
        elif postponed[task["id"]] and (
            task["status"] == "canceled" or task["completed_at"] in postponed[task["id"]]
        ):  # it waits for its result (both are None), or ended by it
            assert attempts, ("a result of nothing", task)
        else:
            _check_end(task, attempts)


def _check_end(task: dict[str, Any], attempts: list[dict[str, Any]]) -> None:
    """Of a task for work: it ends by the attempt that is enough, or by a manager's word after at least one."""
    for attempt in attempts[:-1]:
        assert attempt["imported"] or attempt["number"] < attempt["wanted"], (
            "it had enough attempts, and got another",
            task,
            attempt,
        )
    if not attempts:
        assert task["status"] != "completed", ("completed by nobody", task)
        return
    last = attempts[-1]
    if last["imported"]:  # all that come count; whether they are enough, its places tell
        return
    assert last["number"] <= last["wanted"], ("more attempts than were wanted", task, last)
    if last["number"] == last["wanted"]:
        assert task["status"] == "completed", ("it has its attempts and did not complete", task, last)
        assert task["completed_at"] == last["submitted_at"], ("completed at another time than by its attempt", task)


def _check_copies(now: Snapshot) -> None:
    tasks = _by_id(now.tasks)
    for row in [*now.claims, *now.attempts, *now.reviews, *now.rework_items, *now.postponed_results]:
        task = tasks[row["task_id"]]
        said = ["team_id", "mode", "project_id", *(["batch_id"] if task["kind"] == "work" else [])]
        assert all(row[name] == task[name] for name in said), ("it says other things than its task", row, task)


def _real_counts(now: Snapshot) -> dict[str, Counter[str]]:
    real: dict[str, Counter[str]] = defaultdict(Counter)
    for task in now.tasks:
        if task["kind"] == "work":
            real[task["batch_id"]][task["status"]] += 1
    return real


def _check_counts(now: Snapshot) -> None:
    shown: dict[str, Counter[str]] = defaultdict(Counter)
    for row in [*now.batch_counts, *now.batch_deltas]:
        for state in ("pending", "completed", "canceled"):
            shown[row["batch_id"]][state] += row[state]
    real = _real_counts(now)
    for batch_id in {*shown, *real}:
        for state in ("pending", "completed", "canceled"):
            assert shown[batch_id][state] == real[batch_id][state], ("a count differs", batch_id, state)


def _check_batches(now: Snapshot) -> None:
    real = _real_counts(now)
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for batch in now.batches:
        state, pending = batch["state"], real[batch["id"]]["pending"]
        lasting = batch["studio"] and batch["is_default"]
        assert state in ("staging", "in_progress", "completed"), batch
        assert (batch["completed_at"] is not None) == (state == "completed"), ("completed at no time", batch)
        if state == "staging":
            assert batch["studio"], ("a batch outside Studio projects is staging", batch)
            assert not batch["is_default"], ("a default batch is staging", batch)
        if batch["studio"] and not batch["is_default"]:
            assert (batch["finalized_at"] is not None) == (state != "staging"), ("finalized, or not?", batch)
        if state == "completed":
            assert not pending, ("a completed batch has pending tasks", batch)
            assert not lasting, ("a default batch completed", batch)
        if state == "in_progress" and not pending and not lasting:
            never_any = not batch["studio"] and not real[batch["id"]].total()
            assert never_any, ("a batch whose tasks have all ended is not completed", batch)
        in_queue = batch["studio"] and state == "in_progress"
        assert (batch["position"] is not None) == bool(in_queue), ("wrongly in or out of the queue", batch)
        if in_queue:
            places[batch["team_id"], batch["mode"]].append(batch["position"])
    for queue in places.values():
        assert len(set(queue)) == len(queue), ("two batches at one place of the queue", queue)


def _check_callbacks(now: Snapshot) -> None:
    tasks, batches = _by_id(now.tasks), _by_id(now.batches)
    again = ("task.changed", "task.audited", "task.resent")  # what may be told of a task that has ended already
    told = Counter(callback["subject_id"] for callback in now.callbacks if callback["event"] not in again)
    for callback in now.callbacks:
        subject, (noun, _, ended) = callback["subject_id"], callback["event"].partition(".")
        if callback["event"] in ("labeler.paused", *again):
            continue
        if noun == "task":
            assert tasks[subject]["status"] == ended, ("an end was told that is not so", callback)
        elif not batches[subject]["studio"]:
            continue  # it may have been reopened
        else:
            assert batches[subject]["state"] == ended, ("an end was told that is not so", callback)
        assert told[subject] == 1, ("an end was told twice", callback)


def _check_quality(now: Snapshot) -> None:
    known = {task["id"] for task in now.tasks if task["kind"] != "work"}
    assert {row["task_id"] for row in now.quality_tasks} == known, "quality tasks, and expected responses of others"
    scored = {(score["id"], score["task_id"], score["teammate_id"]) for score in now.quality_attempts}
    attempted = {(a["id"], a["task_id"], a["teammate_id"]) for a in now.attempts if a["task_id"] in known}
    assert scored == attempted, ("attempts at quality tasks, and scores of others", scored ^ attempted)
    rounds = {made["id"]: made["round"] for made in now.attempts}
    assert all(score["number"] == rounds[score["id"]] for score in now.quality_attempts), "a score of another attempt"


def _check_reviews(now: Snapshot) -> None:
    tasks, kept = _by_id(now.tasks), {place["task_id"] for place in now.task_slots if place["reviewing"]}
    pending = [review["task_id"] for review in now.reviews if review["state"] in ("open", "held")]
    assert sorted(pending) == sorted(kept), ("tasks under review, and reviews of others", pending, kept)
    held = Counter((review["reviewer_id"], review["mode"]) for review in now.reviews if review["state"] == "held")
    assert all(count == 1 for count in held.values()), ("a person holds two reviews", held)
    mine = {(attempt["task_id"], attempt["teammate_id"]) for attempt in now.attempts}
    of_task: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for review in sorted(now.reviews, key=lambda review: review["id"]):
        of_task[review["task_id"]].append(review)
        _check_review(review)
        if review["reviewer_id"] is not None:
            assert (review["task_id"], review["reviewer_id"]) not in mine, ("somebody reviews their own work", review)
    rejected = {(made["task_id"], made["rejected_at"]) for made in now.attempts if made["rejected_at"] is not None}
    rejections = {(row["task_id"], row["decided_at"]) for row in now.reviews if row["state"] == "rejected"}
    assert rejected == rejections, ("rejected attempts, and other rejections", rejected ^ rejections)
    for task_id, reviews in of_task.items():
        _check_rounds(tasks[task_id], reviews)


def _check_review(review: dict[str, Any]) -> None:
    state = review["state"]
    assert state in ("open", "held", "accepted", "fixed", "rejected", "ended"), review
    assert (review["decided_at"] is None) == (state in ("open", "held")), ("decided, or not?", review)
    if state not in ("open", "ended"):
        assert review["reviewer_id"] is not None, ("decided by nobody", review)
        assert review["started_at"] is not None, ("decided without a beginning", review)
    assert state != "held" or review["lease_expires_at"] is not None, ("held without a lease", review)
    assert (review["response"] is not None) == (state == "fixed"), ("fixed, or not?", review)
    assert (review["sent_to"] is not None) == (state == "rejected"), ("sent back, or not?", review)
    assert state != "rejected" or review["comments"], ("rejected without a word", review)


def _check_rounds(task: dict[str, Any], reviews: list[dict[str, Any]]) -> None:
    """Each round goes up level by level, each by another person, until it ends."""
    earlier: list[str] = []
    for review in reviews:
        assert task["kind"] == "work", ("a quality task is reviewed", review)
        assert review["level"] == len(earlier) + 1 or review["level"] == 1, ("a level is left out", review)
        if review["state"] not in ("open", "ended"):
            assert review["reviewer_id"] not in earlier, ("reviewed at two levels by one person", review)
        goes_up = review["state"] in ("accepted", "fixed")
        earlier = [*earlier, review["reviewer_id"]] if goes_up else []
    if reviews[-1]["state"] in ("accepted", "fixed"):
        assert task["status"] == "completed", ("accepted, and not completed", task)
        assert task["reviewed"], ("accepted, and not marked so", task)
        assert task["completed_at"] == reviews[-1]["decided_at"], ("completed at another time", task)


def _check_rework(now: Snapshot) -> None:
    active = {person["id"] for person in now.teammates if person["state"] == "active"}
    assigned = {(row["teammate_id"], row["project_id"]) for row in now.assignments}
    pending = {task["id"] for task in now.tasks if task["status"] == "pending"}
    rejected = {(made["task_id"], made["teammate_id"]) for made in now.attempts if made["rejected_at"] is not None}
    had = {(row["task_id"], row["teammate_id"]) for row in now.claims if row["state"] in ("submitted", "skipped")}
    for item in now.rework_items:
        pair = item["task_id"], item["teammate_id"]
        assert item["task_id"] in pending, ("to do again, and not pending", item)
        assert item["teammate_id"] in active, ("to do again by somebody who is not active", item)
        assert (item["teammate_id"], item["project_id"]) in assigned, ("to do again by somebody not assigned", item)
        assert pair in rejected, ("to do again, and never rejected", item)
        assert pair not in had, ("to do again, and done or declined", item)


def may_have(now: Snapshot, teammate_id: str, mode: str) -> list[str]:
    """The work and training tasks that a person may claim, in the order of dispatch, by the contract's words."""
    mates = [row for row in now.assignments if row["teammate_id"] == teammate_id]
    assigned = {row["project_id"] for row in mates if row["paused_at"] is None}
    mine = {row["group_id"] for row in now.group_members if row["teammate_id"] == teammate_id}
    groups: dict[str, set[str]] = defaultdict(set)
    for row in now.batch_groups:
        groups[row["batch_id"]].add(row["group_id"])
    taken = {
        claim["task_id"]
        for claim in now.claims
        if claim["teammate_id"] == teammate_id and claim["state"] in ("held", "submitted", "skipped")
    }
    near = [task for task in now.tasks if task["project_id"] in assigned and task["mode"] == mode]
    free = sorted((task for task in near if task["id"] not in taken), key=lambda task: task["id"])
    order = [task["id"] for task in free if task["kind"] == "training" and task["status"] == "pending"]
    again = sorted(
        (item["created_at"], item["task_id"]) for item in now.rework_items if item["teammate_id"] == teammate_id
    )
    order += [task_id for _, task_id in again]
    open_batches = [
        batch
        for batch in now.batches
        if batch["project_id"] in assigned
        and batch["mode"] == mode
        and batch["state"] == "in_progress"
        and (not groups[batch["id"]] or groups[batch["id"]] & mine)
    ]
    open_batches.sort(key=lambda batch: (batch["position"] is None, batch["position"], batch["id"]))
    open_tasks = {place["task_id"] for place in now.task_slots if place["open"] > 0}
    for batch in open_batches:
        order += [task["id"] for task in free if task["batch_id"] == batch["id"] and task["id"] in open_tasks]
    return order
