"""The two auditors, the product's by SQL and the tests' by looking at every row, find every kind of damage."""

from dataclasses import dataclass
from functools import partial

import pytest

from refonte_studio.aggregation import policy as aggregation_policy
from refonte_studio.annotator_models.service import fitting_process
from refonte_studio.db import Tx
from refonte_studio.invariants.service import RULES, audit
from refonte_studio.kit.caller import Role
from refonte_studio.tasks.service import aggregating
from tests.invariants import Snapshot, check, snapshot
from tests.makers import answer, batch, claim, project, task
from tests.reviews import makers as reviewing
from tests.world import World


@dataclass(frozen=True)
class Damage:
    """What was done to a good database. `loose` are tables whose constraints would have refused it."""

    rule: str  # that it breaks
    statements: tuple[str, ...]
    loose: tuple[str, ...] = ()


def damage(rule: str, *statements: str, loose: tuple[str, ...] = ()) -> Damage:
    return Damage(rule, statements, loose)


def one(table: str, where: str, key: str = "id") -> str:
    """A row of a table, for a WHERE."""
    return f"{key} = (SELECT MIN({key}) FROM {table} WHERE {where})"


WORK = "batch_id <> ''"
HELD = "(SELECT task_id FROM claims WHERE state = 'held')"
CLAIM = "id, team_id, mode, task_id, project_id, batch_id, teammate_id, state, claimed_at, lease_expires_at, ended_at"
TWICE = "(SELECT task_id FROM attempts WHERE number = 2)"
SUBMITTED = one("claims", "state = 'submitted'")
REVIEW = (
    "id, team_id, mode, project_id, batch_id, task_id, level, state, reason, proposed, reviewer_id, created_at, "
    "started_at, lease_expires_at"
)
LIVE_DONE = "status = 'completed' AND kind = 'work' AND mode = 'live'"

DAMAGES = (
    damage("slots-while-pending", f"DELETE FROM task_slots WHERE {one('task_slots', WORK, 'task_id')}"),
    damage(
        "slots-while-pending",
        f"""INSERT INTO task_slots (team_id, batch_id, task_id, wanted, attempts, open)
            SELECT team_id, batch_id, id, 2, 1, 1 FROM tasks WHERE {one("tasks", LIVE_DONE)}""",
    ),
    damage("slots-while-pending", f"UPDATE task_slots SET batch_id = 'x' WHERE {one('task_slots', WORK, 'task_id')}"),
    # a place that somebody holds is open to another
    damage("slots-add-up", f"UPDATE task_slots SET open = open + 1 WHERE task_id IN {HELD}"),
    damage("slots-add-up", f"UPDATE task_slots SET open = 1 WHERE {one('task_slots', 'NOT ' + WORK, 'task_id')}"),
    damage("slots-add-up", "UPDATE claims SET state = 'expired', ended_at = 1 WHERE state = 'held'"),
    damage(
        "slots-count-attempts",
        "UPDATE task_slots SET attempts = attempts + 1, open = open - 1"
        f" WHERE {one('task_slots', 'wanted > 2', 'task_id')}",
    ),
    damage("pending-for-a-reason", "UPDATE task_slots SET wanted = attempts, open = 0 WHERE attempts = 2"),
    damage("pending-for-a-reason", "UPDATE task_slots SET wanted = 16, open = 14 WHERE attempts = 2"),
    damage("attempts-numbered", "UPDATE attempts SET number = 3 WHERE number = 2"),
    damage("attempts-numbered", "UPDATE attempts SET number = 1 WHERE number = 2"),
    damage("completed-by-its-last-attempt", "UPDATE attempts SET wanted = 1 WHERE number = 2"),
    damage("completed-by-its-last-attempt", f"UPDATE attempts SET wanted = 1 WHERE number = 1 AND task_id IN {TWICE}"),
    damage(
        "completed-by-its-last-attempt",
        f"UPDATE tasks SET completed_at = completed_at + 1 WHERE {one('tasks', LIVE_DONE)}",
    ),
    # somebody's work is lost without a trace
    damage(
        "completed-by-somebody",
        f"DELETE FROM claims WHERE {one('tasks', LIVE_DONE).replace('id =', 'task_id =', 1)}",
        f"DELETE FROM attempts WHERE {one('tasks', LIVE_DONE).replace('id =', 'task_id =', 1)}",
    ),
    damage("completed-by-somebody", "UPDATE tasks SET completed_at = completed_at + 1 WHERE mode = 'test'"),
    damage("completed-by-somebody", "UPDATE attempts SET mode = 'test'"),
    damage("completed-with-a-response", f"UPDATE tasks SET response = NULL WHERE {one('tasks', LIVE_DONE)}"),
    damage("completed-with-a-response", f"UPDATE tasks SET completed_at = NULL WHERE {one('tasks', LIVE_DONE)}"),
    damage("completed-with-a-response", "UPDATE tasks SET response = '{}' WHERE status = 'canceled'"),
    damage("quality-tasks-stay", "DELETE FROM quality_tasks"),
    damage(
        "quality-tasks-stay",
        "UPDATE tasks SET status = 'completed', response = '{}', completed_at = 1 WHERE kind = 'training'",
        "DELETE FROM task_slots WHERE task_id IN (SELECT id FROM tasks WHERE kind = 'training')",
    ),
    damage("quality-tasks-stay", "UPDATE tasks SET kind = 'evaluation' WHERE status = 'canceled'"),
    damage("held-while-pending", "UPDATE claims SET state = 'held', ended_at = NULL WHERE state = 'ended'"),
    damage(
        "held-one-at-a-time",
        "UPDATE claims SET state = 'held', ended_at = NULL WHERE state = 'released'",
        loose=("claims",),
    ),
    damage(
        "held-by-those-who-may",
        "UPDATE teammates SET state = 'disabled' WHERE id IN (SELECT teammate_id FROM claims WHERE state = 'held')",
    ),
    damage("held-by-those-who-may", "DELETE FROM assignments"),
    damage("archived-for-everybody", "UPDATE projects SET archived_at = 1"),
    damage("archived-for-everybody", "UPDATE assignments SET archived = true"),
    damage(
        "taken-once",
        f"""INSERT INTO claims ({CLAIM}) SELECT {CLAIM.replace("id", "'copy'", 1).replace("state", "'skipped'", 1)}
            FROM claims WHERE {SUBMITTED}""",
        loose=("claims",),
    ),
    damage(
        "attempted-once",
        f"UPDATE attempts SET teammate_id = (SELECT MIN(teammate_id) FROM attempts WHERE task_id IN {TWICE})"
        f" WHERE task_id IN {TWICE}",
        loose=("attempts",),
    ),
    damage("submitted-is-attempted", f"DELETE FROM attempts WHERE {one('attempts', 'number = 1')}"),
    damage(
        "submitted-is-attempted",
        f"UPDATE claims SET state = 'expired' WHERE {SUBMITTED}",
    ),
    damage("submitted-is-attempted", "UPDATE attempts SET teammate_id = 'x' WHERE number = 2"),
    damage("ended-when-not-held", "UPDATE claims SET ended_at = NULL WHERE state = 'skipped'"),
    damage("ended-when-not-held", "UPDATE claims SET ended_at = 1 WHERE state = 'held'"),
    damage("claims-fit-their-tasks", "UPDATE claims SET project_id = 'x' WHERE state = 'submitted'"),
    damage("claims-fit-their-tasks", "UPDATE claims SET batch_id = 'x' WHERE state = 'skipped'"),
    damage("attempts-fit-their-tasks", "UPDATE attempts SET team_id = 'x' WHERE number = 2"),
    damage(
        "reach-hides-nothing",
        "DELETE FROM dispatch_cursors",
        f"""INSERT INTO dispatch_cursors (team_id, teammate_id, batch_id, reached, seen)
            SELECT p.team_id, m.id, p.batch_id, 'ffffffffffffffffffffffff', 0 FROM task_slots p JOIN teammates m
            ON m.email = 'mia@example.com' WHERE p.task_id IN {HELD}""",
    ),
    damage("quality-attempts-scored", "DELETE FROM quality_attempts"),
    damage("quality-attempts-scored", "UPDATE quality_attempts SET number = 2"),
    damage("quality-attempts-scored", "UPDATE quality_attempts SET teammate_id = 'x'"),
    damage(
        "quality-attempts-scored",
        """INSERT INTO quality_attempts (id, team_id, mode, task_id, teammate_id, number, score, passed)
           SELECT id, team_id, mode, task_id, teammate_id, 1, 1, true FROM attempts WHERE number = 2""",
    ),
    damage("reviewed-one-by-one", "DELETE FROM reviews WHERE state = 'held'"),
    damage(
        "reviewed-one-by-one",
        f"""INSERT INTO reviews ({REVIEW}) SELECT {REVIEW.replace("id", "'copy'", 1)} FROM reviews
            WHERE state = 'held'""",
        loose=("reviews",),
    ),
    damage("reviewed-one-by-one", "UPDATE task_slots SET reviewing = false, wanted = 2, open = 1 WHERE reviewing"),
    damage(
        "nobody-works-under-review",
        "UPDATE claims SET state = 'held', ended_at = NULL WHERE state = 'submitted'"
        " AND task_id IN (SELECT task_id FROM task_slots WHERE reviewing)",
        loose=("claims",),
    ),
    damage(
        "nobody-works-under-review",
        "UPDATE rework_items SET task_id = (SELECT MIN(task_id) FROM task_slots WHERE reviewing)",
    ),
    damage("reviews-in-a-state", "UPDATE reviews SET lease_expires_at = NULL WHERE state = 'held'"),
    damage("reviews-in-a-state", "UPDATE reviews SET comments = NULL WHERE state = 'rejected'"),
    damage("reviews-in-a-state", "UPDATE reviews SET response = NULL WHERE state = 'fixed'"),
    damage("reviews-in-a-state", "UPDATE reviews SET decided_at = 1 WHERE state = 'open'"),
    damage(
        "reviews-held-one-at-a-time",
        """UPDATE reviews SET state = 'held', started_at = 1, lease_expires_at = 2,
              reviewer_id = (SELECT reviewer_id FROM reviews WHERE state = 'held') WHERE state = 'open'""",
        loose=("reviews",),
    ),
    damage(
        "reviewed-by-others",
        "UPDATE reviews SET reviewer_id = (SELECT MIN(teammate_id) FROM attempts"
        " WHERE attempts.task_id = reviews.task_id) WHERE state = 'accepted'",
    ),
    damage(
        "every-level-by-another",
        "UPDATE reviews SET reviewer_id = (SELECT reviewer_id FROM reviews WHERE state = 'fixed')"
        " WHERE state = 'accepted'",
    ),
    damage(
        "reviews-carried-out",
        "UPDATE tasks SET reviewed = false WHERE id IN (SELECT task_id FROM reviews WHERE state = 'accepted')",
    ),
    damage("reviews-carried-out", "UPDATE attempts SET rejected_at = 1 WHERE rejected_at IS NOT NULL"),
    damage("reviews-fit-their-tasks", "UPDATE reviews SET project_id = 'x' WHERE state = 'rejected'"),
    damage("reviews-fit-their-tasks", "UPDATE rework_items SET batch_id = 'x'"),
    damage("done-again-by-those-who-may", "UPDATE rework_items SET teammate_id = 'x'"),
    damage(
        "done-again-by-those-who-may",
        "UPDATE claims SET state = 'submitted' WHERE state = 'retaken'",
    ),
    damage("results-postponed-once", "UPDATE task_slots SET judging = false, wanted = 3, open = 1 WHERE judging"),
    damage("results-postponed-once", "DELETE FROM postponed_results WHERE done_at IS NULL"),
    damage(
        "results-postponed-once",
        "UPDATE claims SET state = 'held', ended_at = NULL WHERE state = 'submitted'"
        " AND task_id IN (SELECT task_id FROM task_slots WHERE judging)",
        loose=("claims",),
    ),
    damage("results-postponed-once", "UPDATE postponed_results SET project_id = 'x'"),
    damage("completed-by-its-last-attempt", "UPDATE postponed_results SET done_at = 1 WHERE done_at IS NOT NULL"),
    damage("counts-are-the-rows", f"UPDATE tasks SET status = 'canceled' WHERE {one('tasks', LIVE_DONE)}"),
    damage("counts-are-the-rows", "DELETE FROM batch_deltas", "DELETE FROM batch_counts"),
    damage(
        "counts-are-the-rows",
        """INSERT INTO batch_deltas (team_id, batch_id, pending, completed, canceled)
           SELECT team_id, id, -1, 1, 0 FROM batches WHERE name = 'Monday'""",
    ),
    damage(
        "batches-follow-their-tasks",
        "UPDATE batches SET state = 'completed', position = NULL, completed_at = 1 WHERE name = 'Monday'",
    ),
    damage(
        "batches-follow-their-tasks",
        "UPDATE batches SET state = 'in_progress', position = 77, completed_at = NULL WHERE name = 'Friday'",
    ),
    damage("batches-in-a-state", "UPDATE batches SET completed_at = NULL WHERE name = 'Friday'"),
    damage("batches-in-a-state", "UPDATE batches SET finalized_at = 1 WHERE name = 'Sunday'"),
    damage("batches-in-a-state", "UPDATE batches SET state = 'staging', position = NULL WHERE is_default AND studio"),
    damage("queue-of-the-pending", "UPDATE batches SET position = NULL WHERE name = 'Monday'"),
    damage("queue-of-the-pending", "UPDATE batches SET position = 77 WHERE name = 'Friday'"),
    damage("queue-one-by-one", "UPDATE batches SET position = 1 WHERE position IS NOT NULL"),
    damage(
        "told-once",
        """INSERT INTO callbacks (id, team_id, mode, url, event, subject_id, state, tries, next_try_at, created_at)
           SELECT 'copy', team_id, mode, url, event, subject_id, state, tries, next_try_at, created_at FROM callbacks
           WHERE event = 'task.completed'""",
    ),
    damage("told-once", "UPDATE callbacks SET event = 'task.canceled' WHERE event = 'task.completed'"),
    damage("told-once", "UPDATE callbacks SET subject_id = (SELECT id FROM batches WHERE name = 'Monday')"),
)


async def busy(world: World) -> None:
    """A team with something of every kind: done, declined, held, canceled, told, scored, waiting."""
    name = await project(world, people=(world.ben, world.dee, world.max))
    await batch(world, name, "Friday", callback="https://example.com/hook")
    await answer(world.ben, "cat")
    await batch(world, name, "Monday", tasks=4)
    await task(world, name, callback_url="https://example.com/hook")
    await world.ana.post("/batches", {"project": name, "name": "Sunday"})
    await batch(world, await project(world, "Birds", wanted=3), "Tuesday", tasks=2)
    await answer(world.ben, project="Birds")
    await answer(world.dee, project="Birds")
    await answer(world.max, batch=f"{name} (default)")
    for what in ("skip", "release"):
        given = await claim(world.dee, project=name)
        assert given is not None
        await world.dee.post(f"/work/{given['claim_id']}/{what}")
    given = await claim(world.max, project=name)
    assert given is not None
    await world.ana.post(f"/task/{given['task']['task_id']}/cancel")
    for kind in ("training", "evaluation"):
        body = {"project": name, "attachment": "a picture", "expected_response": {"category": "cat"}}
        await world.ana.post(f"/{kind}_tasks/categorization", body)
    await answer(world.ben)  # the training task
    await judged(world)
    assert await claim(world.dee, project="Birds")
    await reviewed(world)
    await project(world, "Fish", people=(), studio=False)
    await batch(world, "Fish", "Wednesday")
    await world.ana.post("/task/comparison", {"attachments": ["a", "b"], "choices": ["1", "2"]}, mode="test")


async def judged(world: World) -> None:
    """Tasks whose result is made in the background: one that has it, one that waits for it, one not answered."""
    await batch(world, await project(world, "Ants", wanted=2), "Anthill", tasks=3)
    with pytest.MonkeyPatch.context() as patch:
        for module in (aggregation_policy, aggregating):
            patch.setattr(module, "INLINE_STEPS", 0)
        for number in range(2):
            await answer(world.ben, project="Ants")
            await answer(world.dee, project="Ants")
            world.clock.forward(seconds=1)
            if number == 0:
                await fitting_process.results_next(world.db, world.clock, partial(fitting_process.make_here, world.db))


async def reviewed(world: World) -> None:
    """Tasks at every stage of review: fixed and accepted, sent back, held, waiting."""
    bees = await reviewing.project(world, world.mia, world.ana, name="Bees", levels=2)
    eve = await world.person("eve", world.ana.team_id, Role.LABELER)
    await world.ana.post("/studio/assignments/add", {"emails": [eve.email], "projects": [bees]})
    await batch(world, bees, "Hive", tasks=5)
    await answer(eve)
    await reviewing.decide(world.mia, "fix", response={"category": "dog"})
    await reviewing.decide(world.ana, "accept")
    for _ in range(3):
        await answer(eve)
    await reviewing.decide(world.mia, "reject", comments="no", send_to="same")
    assert await reviewing.claim(world.mia)


async def broken(tx: Tx) -> list[str]:
    return [finding.rule.name for finding in await audit(tx) if finding.count]


class Undone(Exception):
    """Ends a transaction without a trace."""


async def loosen(tx: Tx, table: str) -> None:
    """The same rows without any constraint."""
    await tx.run(f"CREATE TABLE loose AS SELECT * FROM {table}")
    await tx.run(f"DROP TABLE {table}")
    await tx.run(f"ALTER TABLE loose RENAME TO {table}")


async def found(world: World, done: Damage) -> tuple[list[str], bool]:
    """Which rules the auditor names after the damage, and whether the tests' own auditor agrees that one is broken."""
    seen: list[tuple[list[str], bool]] = []

    async def look(tx: Tx) -> None:
        for table in done.loose:
            await loosen(tx, table)
        changed = [await tx.run(statement) for statement in done.statements]
        assert any(changed), f"nothing was damaged by {done}"
        seen.append((await broken(tx), _is_broken(await snapshot(tx))))
        raise Undone

    with pytest.raises(Undone):
        await world.db.write(look)
    return seen[0]


def _is_broken(now: Snapshot) -> bool:
    try:
        check(now)
    except AssertionError:
        return True
    return False


async def test_the_auditor_names_every_kind_of_damage(world: World):
    await busy(world)
    assert await world.db.read(broken) == []
    check(await world.db.read(snapshot))
    missed: list[object] = []
    for done in DAMAGES:
        named, agreed = await found(world, done)
        if done.rule not in named or not agreed:
            missed.append((done, named, agreed))
    assert not missed
    assert await world.db.read(broken) == [], "the damages were undone"


def test_every_rule_has_a_damage_that_breaks_it():
    assert {done.rule for done in DAMAGES} == {rule.name for rule in RULES}


async def test_a_finding_counts_every_breach_and_shows_a_few(world: World):
    await project(world)
    tasks = await batch(world, "Pets", tasks=7)

    async def spoil(tx: Tx) -> None:
        await tx.run("UPDATE task_slots SET open = 5")

    await world.db.write(spoil)
    (finding,) = [each for each in await world.db.read(audit) if each.count]
    assert (finding.rule.name, finding.count, len(finding.examples)) == ("slots-add-up", 7, 5)
    assert {breach.id for breach in finding.examples} < set(tasks)
    assert finding.examples[0].found == "wanted 1, attempts 0, held or kept 0, and open 5"


async def test_an_empty_database_keeps_every_rule(world: World):
    assert await world.db.read(broken) == []
