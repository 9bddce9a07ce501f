"""The use-case of a task's history: who did what and when, by which version of the instructions, and how long."""

from collections.abc import Iterator, Sequence

from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.reviews.model import DECIDED, Happening, TaskHistory
from refonte_studio.reviews.policy import in_order, said
from refonte_studio.reviews.store import history as history_store
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import ReviewStatus, Task, TaskStatus

LIMIT = 1_000  # upper bound on each of the claims, reviews and audits that are shown


async def history(tx: Tx, caller: Caller, task_id: str) -> TaskHistory:
    """Returns everything that happened to a task, oldest first, from its claims, attempts, reviews and audits.

    Raises NotFound.
    """
    task = await tasks.find(tx, caller.team_id, caller.mode, task_id)
    claims = await history_store.claims(tx, task.team_id, task.id, LIMIT + 1)
    reviews = await history_store.reviews(tx, task.team_id, task.id, LIMIT + 1)
    audits = await history_store.audits(tx, task.team_id, task.id, LIMIT + 1)
    happenings = [
        *_of_task(task),
        *(one for row in claims[:LIMIT] for one in _of_claim(row, task)),
        *(one for row in reviews[:LIMIT] for one in _of_review(row)),
        *_of_audits(audits[:LIMIT], task),
    ]
    whole = max(map(len, (claims, reviews, audits))) <= LIMIT
    return TaskHistory(task.id, task.project_version, in_order(happenings), whole)


def _of_task(task: Task) -> Iterator[Happening]:
    yield Happening(task.created_at, "created", None, said(instructions_version=task.project_version, kind=task.kind))
    if task.status is TaskStatus.COMPLETED and task.completed_at is not None:
        more = said(confidence=task.confidence, agreement=task.agreement, reviewed=task.reviewed)
        yield Happening(task.completed_at, "completed", None, more)
    elif task.status is TaskStatus.CANCELED:
        yield Happening(task.updated_at, "canceled")


def _of_claim(row: Row, task: Task) -> Iterator[Happening]:
    said_of_all = {"claim_id": row["id"], "instructions_version": task.project_version}
    if row["imported"]:  # an external attempt: its duration and its instructions are unknown
        more = said(
            imported=True, imported_by=row["imported_by"], round=row["round"], rejected=row["rejected_at"] is not None
        )
        yield Happening(row["submitted_at"], "submitted", row["email"], more)
        return
    yield Happening(row["claimed_at"], "claimed", row["email"], said(**said_of_all))
    if row["submitted_at"] is not None:
        more = said(
            **said_of_all,
            duration_ms=row["submitted_at"] - row["started_at"],
            round=row["round"],
            rejected=row["rejected_at"] is not None,
        )
        yield Happening(row["submitted_at"], "submitted", row["email"], more)
    elif row["ended_at"] is not None:
        yield Happening(row["ended_at"], row["state"], row["email"], said(claim_id=row["id"], reason=row["reason"]))


def _of_review(row: Row) -> Iterator[Happening]:
    level = row["level"]
    yield Happening(row["created_at"], "review_opened", None, said(level=level, reason=row["reason"]))
    if row["decided_at"] is None:
        return
    if row["state"] not in DECIDED:
        yield Happening(row["decided_at"], "review_ended", None, said(level=level))
        return
    more = said(
        level=level,
        duration_ms=row["decided_at"] - row["started_at"],
        comments=row["comments"],
        send_to=row["sent_to"],
    )
    yield Happening(row["decided_at"], f"review_{row['state']}", row["email"], more)


def _of_audits(rows: Sequence[Row], task: Task) -> Iterator[Happening]:
    for number, row in enumerate(rows, 1):
        fixed = True if number == len(rows) and task.review_status == ReviewStatus.FIXED else None
        more = said(accepted=bool(row["accepted"]), fixed=fixed, comments=row["comments"])
        yield Happening(row["created_at"], "audited", row["email"], more)
