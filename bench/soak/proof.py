"""What is proven after a soak, and while it lasts, from the database and from what the API shows."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from bench.soak.managers import PROJECTS, insist
from bench.soak.shared import Caller, Faults, Ledger, Load, response_to
from refonte_studio.db import Database, Row, Tx, open_database
from refonte_studio.invariants.service import audit
from refonte_studio.kit.caller import Caller as Teammate
from refonte_studio.kit.caller import Role
from refonte_studio.kit.errors import Unavailable

PAGE = 5_000
AUDIT_PAUSE = 8.0  # times as long as an audit takes, between two of them
AUDIT_PAUSE_S = 5.0  # at least


async def opened(database_url: str) -> Database:
    """The database, by connections that are not among those that are cut."""
    mark = (
        "" if database_url.startswith("sqlite") else ("&" if "?" in database_url else "?") + "application_name=auditor"
    )
    return await open_database(database_url + mark, {}, 2)


async def keep_auditing(db: Database, load: Load) -> None:
    """Audits the database again and again while it is worked on: every moment of it must be sound."""
    while True:
        began = time.monotonic()
        try:
            findings = await db.read(audit)
        except Unavailable:
            load.events["audits put off"] += 1
            findings = []
        for finding in findings:
            if finding.count:
                load.faults.add(
                    f"while it ran, {finding.rule.name} was broken {finding.count} times: {finding.examples}"
                )
        load.events["audits meanwhile"] += 1
        load.holders.forget_old()
        await asyncio.sleep(max(AUDIT_PAUSE_S, AUDIT_PAUSE * (time.monotonic() - began)))


def audited(database_url: str) -> str:
    """What the auditor prints, a process of its own. Its last line is a fault unless every rule is kept."""
    command = [sys.executable, "-m", "refonte_studio.cli", "audit", "--database", database_url]
    done = subprocess.run(command, capture_output=True, text=True)
    return (
        done.stdout if done.returncode == 0 else f"{done.stdout}{done.stderr}the auditor ended with {done.returncode}"
    )


async def _attempts_after(tx: Tx, after: str) -> list[Row]:
    return list(
        await tx.all(
            """SELECT a.id, a.task_id, a.response, t.type, a.team_id, a.teammate_id, p.email, p.role, g.alias_key
               FROM attempts a JOIN tasks t ON t.id = a.task_id
               JOIN teammates p ON p.id = a.teammate_id JOIN teams g ON g.id = a.team_id
               WHERE a.id > :after ORDER BY a.id LIMIT :page""",
            after=after,
            page=PAGE,
        )
    )


async def _attempts(db: Database) -> AsyncIterator[Row]:
    after = ""
    while rows := await db.read(_attempts_after, after):
        for row in rows:
            yield row
        after = rows[-1]["id"]


def _known_as(row: Row) -> str:
    """The id by which the person who made the attempt knows its task."""
    person = row["team_id"], row["teammate_id"], row["email"], Role(row["role"])
    return Teammate(*person, "live", alias_key=row["alias_key"]).id_of(row["task_id"])


async def compare_attempts(db: Database, ledger: Ledger, faults: Faults) -> tuple[int, int]:
    """Holds every attempt against what was acknowledged, both in the order of claims; how many there are of each.

    An attempt that was not acknowledged is one whose answer was lost.
    """
    expected = iter(ledger)
    acknowledged, made = next(expected, None), 0
    known = 0
    async for row in _attempts(db):
        made += 1
        if json.loads(row["response"]) != response_to(row["id"], row["type"]):
            faults.add(f"attempt {row['id']} has another response than was sent: {row['response']}")
        while acknowledged is not None and acknowledged[0] < row["id"]:
            faults.add(f"the acknowledged submission {acknowledged[0]} is lost")
            acknowledged, known = next(expected, None), known + 1
        if acknowledged is not None and acknowledged[0] == row["id"]:
            if acknowledged[1] != _known_as(row):
                faults.add(f"attempt {row['id']} is at {_known_as(row)}, and was acknowledged for {acknowledged[1]}")
            acknowledged, known = next(expected, None), known + 1
    while acknowledged is not None:
        faults.add(f"the acknowledged submission {acknowledged[0]} is lost")
        acknowledged, known = next(expected, None), known + 1
    return known, made


async def _real_counts(tx: Tx) -> dict[str, Counter[str]]:
    rows = await tx.all(
        """SELECT b.name, t.status, COUNT(*) AS tasks FROM tasks t JOIN batches b ON b.id = t.batch_id
           WHERE t.kind = 'work' GROUP BY b.name, t.status"""
    )
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row["name"], Counter())[row["status"]] = row["tasks"]
    return found


async def _untold(tx: Tx) -> int:
    """How many tasks have ended of whose end nobody is told who asked for it."""
    row = await tx.one(
        """SELECT COUNT(*) AS tasks FROM tasks t LEFT JOIN callbacks c ON c.subject_id = t.id
           WHERE t.status <> 'pending' AND t.callback_url IS NOT NULL AND c.id IS NULL"""
    )
    return row["tasks"] if row else 0


async def compare_counts(db: Database, admin: Caller, faults: Faults) -> int:
    """Holds what the API shows of every batch and of every project's tasks against the rows; how many batches."""
    real = await db.read(_real_counts)
    names = [name async for name in _batch_names(admin)]
    for name in names:
        counts = real.get(name, Counter())
        shown = await insist(admin, "GET", f"/batches/{quote(name, safe='')}/status")
        if any(shown[state] != counts[state] for state in ("pending", "completed", "canceled")):
            faults.add(f"the batch {name} is shown as {shown}, and has {dict(counts)}")
    for listed in await insist(admin, "GET", "/studio/batches"):
        counts = real.get(listed["name"], Counter())
        if (listed["total"], listed["completed"]) != (counts.total(), counts["completed"]):
            faults.add(f"the batch {listed['name']} is listed as {listed}, and has {dict(counts)}")
    shown_tasks = [(await insist(admin, "GET", f"/tasks?project={quote(name)}&limit=1"))["total"] for name in PROJECTS]
    if sum(shown_tasks) != sum(counts.total() for counts in real.values()):
        faults.add(
            f"the lists of tasks show {shown_tasks} by project, and there are {sum(map(Counter.total, real.values()))}"
        )
    if untold := await db.read(_untold):
        faults.add(f"{untold} tasks have ended without a callback")
    return len(names)


async def _batch_names(admin: Caller) -> AsyncIterator[str]:
    offset = 0
    while True:
        page: Any = await insist(admin, "GET", f"/batches?limit=100&offset={offset}")
        for batch in page["docs"]:
            yield batch["name"]
        offset += len(page["docs"])
        if not page["has_more"]:
            return
