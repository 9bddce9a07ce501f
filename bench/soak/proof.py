"""What a soak proves, while it lasts and afterwards, from the database and from the API."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from bench.soak.caller import Caller, SoakState
from bench.soak.faults import Faults
from bench.soak.ledger import Ledger
from bench.soak.responses import response_to
from bench.soak.team import PROJECTS
from refonte_studio.db import Database, Row, Tx, open_database
from refonte_studio.invariants.service import audit
from refonte_studio.kit.caller import Caller as Teammate
from refonte_studio.kit.caller import Role
from refonte_studio.kit.errors import Unavailable

PAGE = 5_000
AUDIT_PAUSE = 8.0  # between two audits, as a multiple of the time that an audit takes
AUDIT_PAUSE_S = 5.0  # at least


async def open_unharmed(database_url: str) -> Database:
    """Opens the database with connections that the soak does not cut."""
    mark = (
        "" if database_url.startswith("sqlite") else ("&" if "?" in database_url else "?") + "application_name=auditor"
    )
    return await open_database(database_url + mark, {}, 2)


async def keep_auditing(db: Database, state: SoakState) -> None:
    """Audits the database again and again during the soak: every rule must hold at every moment."""
    while True:
        began = time.monotonic()
        try:
            findings = await db.read(audit)
        except Unavailable:
            state.events["audits put off"] += 1
            findings = []
        for finding in findings:
            if finding.count:
                state.faults.add(
                    f"while it ran, {finding.rule.name} was broken {finding.count} times: {finding.examples}"
                )
        state.events["audits meanwhile"] += 1
        state.holders.forget_old()
        await asyncio.sleep(max(AUDIT_PAUSE_S, AUDIT_PAUSE * (time.monotonic() - began)))


def audit_report(database_url: str) -> str:
    """What the auditor prints when it runs as a process of its own."""
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
    """The task id that the person who made the attempt sees."""
    person = row["team_id"], row["teammate_id"], row["email"], Role(row["role"])
    return Teammate(*person, "live", alias_key=row["alias_key"]).id_of(row["task_id"])


async def compare_attempts(db: Database, ledger: Ledger, faults: Faults) -> tuple[int, int]:
    """Compares all attempts with the acknowledged submissions, both in the order of claims. Returns the number of each.

    An attempt that was not acknowledged is one whose response was lost.
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


async def _count_missing_callbacks(tx: Tx) -> int:
    """The number of tasks that have ended, ask for a callback, and have none."""
    row = await tx.one(
        """SELECT COUNT(*) AS tasks FROM tasks t LEFT JOIN callbacks c ON c.subject_id = t.id
           WHERE t.status <> 'pending' AND t.callback_url IS NOT NULL AND c.id IS NULL"""
    )
    return row["tasks"] if row else 0


async def compare_counts(db: Database, admin: Caller, faults: Faults) -> int:
    """Compares the counts that the API shows with the rows of the database. Returns the number of batches."""
    real = await db.read(_real_counts)
    names = [name async for name in _batch_names(admin)]
    for name in names:
        counts = real.get(name, Counter())
        shown = await admin.insist("GET", f"/batches/{quote(name, safe='')}/status")
        if any(shown[state] != counts[state] for state in ("pending", "completed", "canceled")):
            faults.add(f"the batch {name} is shown as {shown}, and has {dict(counts)}")
    for listed in await admin.insist("GET", "/studio/batches"):
        counts = real.get(listed["name"], Counter())
        if (listed["total"], listed["completed"]) != (counts.total(), counts["completed"]):
            faults.add(f"the batch {listed['name']} is listed as {listed}, and has {dict(counts)}")
    shown_tasks = [(await admin.insist("GET", f"/tasks?project={quote(name)}&limit=1"))["total"] for name in PROJECTS]
    if sum(shown_tasks) != sum(counts.total() for counts in real.values()):
        faults.add(
            f"the lists of tasks show {shown_tasks} by project, and there are {sum(map(Counter.total, real.values()))}"
        )
    if missing := await db.read(_count_missing_callbacks):
        faults.add(f"{missing} tasks have ended without a callback")
    return len(names)


async def _batch_names(admin: Caller) -> AsyncIterator[str]:
    offset = 0
    while True:
        page: Any = await admin.insist("GET", f"/batches?limit=100&offset={offset}")
        for batch in page["docs"]:
            yield batch["name"]
        offset += len(page["docs"])
        if not page["has_more"]:
            return
