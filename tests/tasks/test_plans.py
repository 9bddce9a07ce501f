"""The query plans of tasks on SQLite, which has no statistics: no query reads all tasks of a team."""

from collections.abc import Callable
from typing import Any

import pytest

from refonte_studio.db.engine import Engine, Tx
from refonte_studio.kit.pages import PageCursor
from refonte_studio.tasks.model import TaskFilter
from refonte_studio.tasks.store import (
    attempts as attempt_store,
)
from refonte_studio.tasks.store import (
    lists as list_store,
)
from refonte_studio.tasks.store import (
    task_slots as slot_store,
)
from refonte_studio.tasks.store import (
    tasks as task_store,
)
from tests.world import World

ID = "0" * 24
LOOKUPS: dict[str, Callable[[Tx], Any]] = {
    "by ids": lambda tx: task_store.tasks_by_ids(tx, "t", [ID]),
    "update_wanted_attempts": lambda tx: slot_store.set_wanted(tx, "t", ID, [ID], 2),
    "taken": lambda tx: list_store.taken(tx, "t", "live", ["u"]),
    "by unique_id": lambda tx: list_store.newest(tx, "t", "live", TaskFilter(unique_ids=("u",)), PageCursor(), 10),
    "by tag": lambda tx: list_store.newest(tx, "t", "live", TaskFilter(tags=("x",)), PageCursor(), 10),
    "of a project": lambda tx: list_store.newest(tx, "t", "live", TaskFilter(project_id=ID), PageCursor(ID), 10),
    "of a batch": lambda tx: list_store.oldest_sizes(tx, "t", "live", TaskFilter(batch_id=ID), ID, 10),
    "an export": lambda tx: list_store.between(tx, "t", "live", TaskFilter(project_id=ID), ID, ID),
    "attempts": lambda tx: attempt_store.attempts_of(tx, "t", [ID]),
    "attempted": lambda tx: slot_store.lock_attempted(tx, "t", ID, "", 10),
    "pending": lambda tx: slot_store.pending_in_batch(tx, "t", ID, 10),
}


class Explaining:
    """A transaction that asks how each statement would be run, and runs none."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.plan: list[str] = []

    @property
    def engine(self) -> Engine:
        return self._tx.engine

    async def all(self, sql: str, **values: Any) -> list[Any]:
        self.plan += [row["detail"] for row in await self._tx.all(f"EXPLAIN QUERY PLAN {sql}", **values)]
        return []

    async def one(self, sql: str, **values: Any) -> None:
        await self.all(sql, **values)

    async def run(self, sql: str, **values: Any) -> int:
        await self.all(sql, **values)
        return 0


async def explained(tx: Tx, look_up: Callable[[Any], Any]) -> list[str]:
    asking = Explaining(tx)
    await look_up(asking)
    return asking.plan


@pytest.mark.parametrize("name", LOOKUPS)
async def test_a_look_up_never_reads_the_index_of_the_whole_team(world: World, name: str) -> None:
    if world.db.engine != "sqlite":
        return
    plan = await world.db.read(explained, LOOKUPS[name])
    assert plan
    for step in plan:
        assert "SCAN tasks" not in step, plan
        assert "(team_id=?)" not in step, plan
        assert "(team_id=? AND mode=?)" not in step, plan
