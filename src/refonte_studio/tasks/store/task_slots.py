"""The SQL of task slots: one narrow row for each pending task.

A transaction that ends a task or changes how many attempts it wants locks this row first.
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
    """Returns a project's rules from its columns."""
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
    """Inserts slots. `opened` is their commit number if their batch is in progress, else None."""
    rows = [(team_id, each.batch_id, each.task_id, each.wanted, each.attempts, each.open, opened) for each in slots]
    await tx.insert("task_slots", COLUMNS, rows)


async def lock(tx: Tx, team_id: str, batch_id: str, task_id: str) -> None:
    """Locks the slots of a pending task until this transaction ends."""
    await tx.one(
        """SELECT task_id FROM task_slots
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id FOR UPDATE""",
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
    )


async def lock_pending(tx: Tx, team_id: str, mode: Mode, task_id: str) -> tuple[Task, TaskSlots] | None:
    """Returns a pending task and its slots, locked until this transaction ends; None if the task has ended."""
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
    """Returns whether a pending task wants one attempt and has none; with `again`, it may have some."""
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
    """Sets the number of attempts that a task wants; adjusts its open slots. Its slots must be locked."""
    await set_wanted(tx, team_id, batch_id, [task_id], wanted)


async def hold_for_review(tx: Tx, team_id: str, batch_id: str, task_id: str, attempts: int) -> None:
    """Closes a task for work until a review decides. Its slots must be locked."""
    await tx.run(
        """UPDATE task_slots SET attempts = :attempts, open = 0, reviewing = true, judging = false
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
        attempts=attempts,
    )


async def hold_for_result(tx: Tx, team_id: str, batch_id: str, attempts: Mapping[str, int]) -> None:
    """Closes tasks for work while their results are computed; `attempts` are their counts by task id.

    Their slots must be locked.
    """
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
    """Records that the result of a task is computed. Its slots must be locked."""
    await tx.run(
        """UPDATE task_slots SET judging = false
           WHERE batch_id = :batch_id AND task_id = :task_id AND team_id = :team_id""",
        team_id=team_id,
        batch_id=batch_id,
        task_id=task_id,
    )


async def begin_anew(tx: Tx, team_id: str, batch_id: str, task_id: str, wanted: int, slots: int) -> None:
    """Reopens a task that was under review: it wants `wanted` new attempts, of which `slots` are open to everybody."""
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
    """Deletes the slots of tasks that end."""
    await tx.run(
        "DELETE FROM task_slots WHERE batch_id = :batch_id AND task_id IN :task_ids[] AND team_id = :team_id",
        team_id=team_id,
        batch_id=batch_id,
        task_ids=list(task_ids),
    )


async def pending_in_batch(tx: Tx, team_id: str, batch_id: str, limit: int) -> int:
    """Returns the number of pending tasks of a batch, counted up to `limit`, from the newest, which change least."""
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
    """Returns pending tasks of a batch with an attempt, after id `after`, and locks their slots; each with whether its
    result is being computed."""
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


async def lock_to_update_wanted(
    tx: Tx, team_id: str, batch_id: str, wanted: int, after: str, limit: int
) -> list[tuple[Task, int]]:
    """Returns pending tasks of a batch that do not want `wanted` attempts, after id `after`, and locks their slots;
    each with its number of attempts."""
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
    """Sets the number of attempts that these tasks want; adjusts their open slots."""
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
    """Sets the number of attempts that a project's quality tasks appear to want, so that they look like the others."""
    await tx.run(
        """UPDATE task_slots SET wanted = :wanted
           WHERE batch_id = '' AND team_id = :team_id AND task_id IN (
             SELECT id FROM tasks WHERE project_id = :project_id AND kind <> 'work' AND team_id = :team_id)""",
        team_id=team_id,
        project_id=project_id,
        wanted=wanted,
    )


async def batches_without(tx: Tx, limit: int) -> list[tuple[str, str]]:
    """Returns the team and id of batches in progress that have tasks, none of which is pending."""
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
