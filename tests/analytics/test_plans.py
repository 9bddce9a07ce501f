"""The query plans of figures on SQLite, which has no statistics on the size of tables."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from refonte_studio.analytics.model import Scope, Subject
from refonte_studio.analytics.store import answers as answer_store
from refonte_studio.analytics.store import figures as figure_store
from refonte_studio.analytics.store import forecasts as forecast_store
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Role
from tests.tasks.test_plans import explained
from tests.world import World

ME = Caller("t", "m", "m@example.com", Role.ADMIN, "live")
SCOPES = (Scope(1_000, 2_000), Scope(None, 2_000, project_id="p", batch_id="b", people=["m"]))
LOOK_UPS: dict[str, Callable[[Tx], Any]] = {
    **{
        f"{look_up.__name__} by {subject}, {number}": lambda tx, look_up=look_up, subject=subject, scope=scope: look_up(
            tx, ME, subject, ["k"], scope
        )
        for look_up in (figure_store.done, figure_store.skipped, figure_store.evaluated)
        for subject in get_args(Subject)
        for number, scope in enumerate(SCOPES)
    },
    **{
        f"{read.__name__}, {number}": lambda tx, read=read, scope=scope: read(tx, ME, "p", scope, None, 10)
        for read in (answer_store.with_results, answer_store.with_expected, answer_store.side_by_side)
        for number, scope in enumerate(SCOPES)
    },
    "labelers": lambda tx: figure_store.labelers_page(tx, ME, SCOPES[1], 10, None),
    "what is left": lambda tx: forecast_store.left(tx, "t", ["b"]),
    "what people have had": lambda tx: forecast_store.had(tx, "t", ["b"]),
    "what people worked": lambda tx: forecast_store.worked(tx, ME, ["m"], 1_000, 2_000),
    "when people began": lambda tx: forecast_store.began(tx, "t", ["m"]),
}


async def plans(tx: Tx) -> dict[str, list[str]]:
    return {name: await explained(tx, look_up) for name, look_up in LOOK_UPS.items()}


@pytest.mark.parametrize("table", ["t", "a", "c", "q", "task_slots"])
async def test_no_table_that_grows_is_read_whole(world: World, table: str):
    if world.db.engine != "sqlite":
        return
    for name, plan in (await world.db.read(plans)).items():
        for step in plan:
            assert not f"{step} ".startswith(f"SCAN {table} "), (name, plan)
            tasks = step.startswith("SEARCH t USING") and "teammates" not in step
            assert not (tasks and "(team_id=?" in step), (name, plan)
