"""The SQL of slots: what pending tasks still want, one narrow row a task.

Whoever ends a task or changes what it wants locks this row first.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from refonte_studio.db import Row, Tx
from refonte_studio.db.commit_order import COMMIT_NUMBER
from refonte_studio.kit.caller import Mode
from refonte_studio.projects.model import CONSENSUS, MIN_ATTEMPTS, settings_of
from refonte_studio.tasks.model import CompletionRules, Task, TaskSlots
from refonte_studio.tasks.store.tasks import TASK

COLUMNS = ("team_id", "batch_id", "task_id", "wanted", "attempts", "open", "opened")

_TASK = TASK.select("t")


# What a slot and its project's rules are read from: of `task_slots s` and `projects p`.
_SLOTS = """s.batch_id AS slots_in, s.wanted, s.attempts, s.open, s.reviewing, s.judging,
    p.pipeline, p.consensus_attempts, p.quality"""


def _slots_of(row: Row) -> TaskSlots:
    rules = rules_of(row["pipeline"], row["consensus_attempts"], row["quality"])
    return TaskSlots(
        row["slots_in"],
        row["id"],
        row["wanted"],
        row["attempts"],
        row["open"],
        bool(row["reviewing"]),
        bool(row["judging"]),
        rules,
    )


@lru_cache(maxsize=256)
def rules_of(pipeline: str, consensus_attempts: int, quality: str | None) -> CompletionRules:
    """A project's rules from its columns."""
    settings = settings_of(quality)
    consensus = pipeline == CONSENSUS
    most = consensus_attempts if consensus else 1
    adaptive = consensus and settings.adaptive
    least = min(settings.min_attempts or MIN_ATTEMPTS, most) if adaptive else most
    return CompletionRules(most, least, adaptive, settings)


async def present_stamp(tx: Tx) -> int:
    """The stamp of what opens in this transaction."""
    row = await tx.one(f"SELECT {COMMIT_NUMBER[tx.engine]} AS stamp")
    assert row is not None
    return row["stamp"]


async def insert(tx: Tx, team_id: str, slots: Sequence[TaskSlots], opened: int | None) -> None:
    """New slots. `opened` is their stamp, if their batch is being worked already."""
    rows = [(team_id, each.batch_id, each.task_id, each.wanted, each.attempts, each.open, opened) for each in slots]
    await tx.insert("task_slots", COLUMNS, rows)


async def lock(tx: Tx, team_id: str, batch_id: str, task_id: str) -> None:
    """Keeps a pending task as it is, until this transaction ends."""
    await tx.one(
        """SELECT task_id FROM task_slots
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id FOR UPDATE""",
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
    )


async def lock_pending(tx: Tx, team_id: str, mode: Mode, task_id: str) -> tuple[Task, TaskSlots] | None:
    """A pending task and its slots, as they stay until this transaction ends; None for a task that has ended."""
    row = await tx.one(
        f"""SELECT {_TASK}, {_SLOTS}
            FROM tasks t JOIN task_slots s
              ON s.task_id = t.id AND s.batch_id = CASE WHEN t.kind = 'work' THEN t.batch_id ELSE '' END
            JOIN projects p ON p.id = t.project_id AND p.team_id = t.team_id
            WHERE t.id = :task_id AND t.team_id = :team_id AND t.mode = :mode AND s.team_id = :team_id
            FOR UPDATE OF s""",
        team_id=team_id,
        mode=mode,
        task_id=task_id,
    )
    return (TASK.of(row), _slots_of(row)) if row else None


async def wants_one(tx: Tx, team_id: str, batch_id: str, task_id: str, again: bool = False) -> bool:
    """Whether one attempt is all that a pending task wants, and it has none, or may have some (`again`)."""
    row = await tx.one(
        """SELECT task_id FROM task_slots WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id
           AND (attempts = 0 OR :again) AND wanted = 1""",
        again=again,
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
    )
    return row is not None


async def count_attempt(tx: Tx, team_id: str, slots: TaskSlots) -> None:
    """Counts one more attempt of a task whose slots are locked."""
    await tx.run(
        """UPDATE task_slots SET attempts = attempts + 1
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        batch_id=slots.batch_id,
        task_id=slots.task_id,
    )


async def ask_one_more(tx: Tx, team_id: str, slots: TaskSlots) -> None:
    """Counts one more attempt of a task whose slots are locked, and opens a slot for another."""
    await tx.run(
        f"""UPDATE task_slots SET attempts = attempts + 1, wanted = wanted + 1, open = open + 1,
              opened = CASE WHEN open > 0 THEN opened ELSE {COMMIT_NUMBER[tx.engine]} END
            WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        batch_id=slots.batch_id,
        task_id=slots.task_id,
    )


async def ask_for(tx: Tx, team_id: str, batch_id: str, task_id: str, wanted: int) -> None:
    """How many attempts a task wants whose slots are locked; the open slots follow."""
    await set_wanted(tx, team_id, batch_id, [task_id], wanted)


async def hold_for_review(tx: Tx, team_id: str, batch_id: str, task_id: str, attempts: int) -> None:
    """Keeps a task whose slots are locked from being worked while a review decides; it has so many attempts."""
    await tx.run(
        """UPDATE task_slots SET attempts = :attempts, open = 0, reviewing = true, judging = false
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
        attempts=attempts,
    )


async def hold_for_result(tx: Tx, team_id: str, batch_id: str, attempts: Mapping[str, int]) -> None:
    """Keeps tasks whose slots are locked from being worked while their result is made; each has so many attempts, and
    wants no more."""
    by_count: dict[int, list[str]] = {}
    for task_id, count in attempts.items():
        by_count.setdefault(count, []).append(task_id)
    for count, task_ids in by_count.items():
        await tx.run(
            """UPDATE task_slots
               SET attempts = :attempts, wanted = :attempts, open = 0, reviewing = false, judging = true
               WHERE batch_id = :batch_id AND task_id IN :task_ids[] AND team_id = :team_id""",
            team_id=team_id,
            batch_id=batch_id,
            task_ids=task_ids,
            attempts=count,
        )


async def end_judging(tx: Tx, team_id: str, batch_id: str, task_id: str) -> None:
    """The result of a task whose slots are locked is made."""
    await tx.run(
        """UPDATE task_slots SET judging = false
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
    )


async def begin_anew(tx: Tx, team_id: str, batch_id: str, task_id: str, wanted: int, slots: int) -> None:
    """Lets a task that was under review be attempted again, so many times, of which so many by anybody who may."""
    await tx.run(
        f"""UPDATE task_slots SET attempts = 0, wanted = :wanted, open = :slots, reviewing = false,
              opened = {COMMIT_NUMBER[tx.engine]}
            WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
        wanted=wanted,
        slots=slots,
    )


async def end(tx: Tx, team_id: str, batch_id: str, task_ids: Sequence[str]) -> None:
    """Takes away the slots of tasks that end."""
    await tx.run(
        "DELETE FROM task_slots WHERE batch_id = :batch_id AND task_id IN :task_ids[] AND team_id = :team_id",
        team_id=team_id,
        batch_id=batch_id,
        task_ids=list(task_ids),
    )


async def pending_in_batch(tx: Tx, team_id: str, batch_id: str, limit: int) -> int:
    """How many tasks of the batch are pending, counted up to a limit: from the newest, where nobody works yet."""
    row = await tx.one(
        """SELECT COUNT(*) AS pending FROM (
             SELECT task_id FROM task_slots WHERE batch_id = :batch_id AND team_id = :team_id
             ORDER BY task_id DESC LIMIT :limit) AS few""",
        batch_id=batch_id,
        team_id=team_id,
        limit=limit,
    )
    return row["pending"] if row else 0


async def lock_attempted(tx: Tx, team_id: str, batch_id: str, after: str, limit: int) -> list[tuple[Task, bool]]:
    """Pending tasks of a batch that have an attempt, their slots locked, in order of their ids beyond `after`; each
    with whether its result is being made."""
    rows = await tx.all(
        f"""SELECT {_TASK}, s.judging FROM task_slots s JOIN tasks t ON t.id = s.task_id
            WHERE s.batch_id = :batch_id AND s.task_id > :after AND s.attempts > 0 AND s.team_id = :team_id
            ORDER BY s.task_id LIMIT :limit FOR UPDATE OF s""",
        team_id=team_id,
        batch_id=batch_id,
        after=after,
        limit=limit,
    )
    return [(TASK.of(row), bool(row["judging"])) for row in rows]


async def lock_to_retarget(
    tx: Tx, team_id: str, batch_id: str, wanted: int, after: str, limit: int
) -> list[tuple[Task, int]]:
    """Pending tasks of a batch that want another number of attempts, their slots locked, in order of their ids
    beyond `after`; each with the attempts it has."""
    rows = await tx.all(
        f"""SELECT {_TASK}, s.attempts FROM task_slots s JOIN tasks t ON t.id = s.task_id
            WHERE s.batch_id = :batch_id AND s.task_id > :after AND s.wanted <> :wanted AND s.team_id = :team_id
              AND NOT s.reviewing AND NOT s.judging
            ORDER BY s.task_id LIMIT :limit FOR UPDATE OF s""",
        team_id=team_id,
        batch_id=batch_id,
        wanted=wanted,
        after=after,
        limit=limit,
    )
    return [(TASK.of(row), row["attempts"]) for row in rows]


async def set_wanted(tx: Tx, team_id: str, batch_id: str, task_ids: Sequence[str], wanted: int) -> None:
    """How many attempts these tasks want; the open slots follow."""
    await tx.run(
        f"""UPDATE task_slots SET wanted = :wanted, open = open + :wanted - wanted,
              opened = CASE WHEN open <= 0 THEN {COMMIT_NUMBER[tx.engine]} ELSE opened END
            WHERE batch_id = :batch_id AND task_id IN :task_ids[] AND team_id = :team_id""",
        team_id=team_id,
        batch_id=batch_id,
        task_ids=list(task_ids),
        wanted=wanted,
    )


async def set_wanted_of_quality(tx: Tx, team_id: str, project_id: str, wanted: int) -> None:
    """Lets a project's quality tasks look like its others."""
    await tx.run(
        """UPDATE task_slots SET wanted = :wanted
           WHERE batch_id = '' AND team_id = :team_id AND task_id IN (
             SELECT id FROM tasks WHERE project_id = :project_id AND kind <> 'work' AND team_id = :team_id)""",
        team_id=team_id,
        project_id=project_id,
        wanted=wanted,
    )


async def batches_without(tx: Tx, limit: int) -> list[tuple[str, str]]:
    """The team and id of batches in progress that had tasks, of which none is pending any more."""
    rows = await tx.all(
        """SELECT b.team_id, b.id FROM batches b
           WHERE b.state = 'in_progress' AND NOT (b.studio AND b.is_default)
             AND NOT EXISTS (SELECT 1 FROM task_slots s WHERE s.batch_id = b.id AND s.team_id = b.team_id)
             AND EXISTS (SELECT 1 FROM tasks t
                         WHERE t.batch_id = b.id AND t.kind = 'work' AND t.team_id = b.team_id)
           ORDER BY b.id LIMIT :limit""",
        limit=limit,
    )
    return [(row["team_id"], row["id"]) for row in rows]
