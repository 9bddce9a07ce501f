"""What both engines promise."""

import asyncio

import pytest

from refonte_studio.db import Database, Tx
from refonte_studio.db.engine import Duplicate, ForeignAwait
from refonte_studio.teams import service as teams
from tests.world import World

NOW = 1_770_000_000_000


async def test_a_use_case_that_fails_leaves_nothing_behind(db: Database):
    async def half_done(tx: Tx) -> None:
        await teams.create_team(tx, "Half", NOW)
        raise LookupError("the second half failed")

    with pytest.raises(LookupError):
        await db.write(half_done)
    assert await db.read(count_teams) == 0


async def test_a_failing_neighbour_in_a_group_commit_harms_nobody(db: Database):
    async def fails(tx: Tx) -> None:
        await teams.create_team(tx, "Never", NOW)
        raise LookupError

    calls = [db.write(teams.create_team, f"Team {n}", NOW) for n in range(20)] + [db.write(fails) for _ in range(20)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, LookupError) for result in results) == 20
    assert await db.read(count_teams) == 20


async def test_a_unique_constraint_is_the_referee(db: Database):
    async def raw(tx: Tx) -> None:
        await tx.insert(
            "teams",
            ["id", "name", "callback_secret", "alias_key", "created_at"],
            [("a", "x", "", "", 1), ("b", "x", "", "", 1)],
        )

    with pytest.raises(Duplicate):
        await db.write(raw)


async def test_awaiting_anything_but_the_tx_is_refused(db: Database):
    async def strays(tx: Tx) -> None:
        await asyncio.sleep(0)

    with pytest.raises(ForeignAwait):
        await db.write(strays)
    assert await db.read(count_teams) == 0


async def test_a_list_parameter_reaches_the_database_whole(db: Database):
    for name in ("a", "b,c", "d'e"):
        await db.write(teams.create_team, name, NOW)

    async def named(tx: Tx) -> set[str]:
        rows = await tx.all("SELECT name FROM teams WHERE name IN :names[]", names=["b,c", "d'e", "z"])
        return {row["name"] for row in rows}

    assert await db.read(named) == {"b,c", "d'e"}


async def count_teams(tx: Tx) -> int:
    row = await tx.one("SELECT count(*) AS n FROM teams")
    assert row is not None
    return row["n"]


async def test_the_world_can_be_called(world: World):
    response = await world.http.get("/v1/nothing")
    assert response.status_code == 404
    assert response.json() == {"status_code": 404, "error": "there is no GET /v1/nothing"}
