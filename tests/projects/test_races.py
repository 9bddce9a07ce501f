"""Two overlapping transactions on projects."""

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Role
from refonte_studio.projects import service
from refonte_studio.teams.service import membership
from tests.transaction_gate import closed_gate
from tests.world import World


async def staffed(world: World) -> None:
    await world.ana.post("/projects", {"name": "Dogs", "type": "categorization", "studio": True})
    await world.ana.post("/studio/assignments/add", {"emails": ["ben@example.com"], "projects": ["Dogs"]})


async def test_unassigning_takes_people_out_of_a_group_that_is_just_being_made(world: World, database_url: str) -> None:
    await staffed(world)
    async with closed_gate(database_url) as gate:

        async def make(tx: Tx) -> None:
            project = await service.find(tx, world.ana.team_id, "live", "Dogs")
            await service.create_group(tx, project, "Night", ["ben@example.com"], world.clock())
            await gate.wait(tx)

        body = {"emails": ["ben@example.com"]}
        await gate.during(world.db.write(make), world.ana.post("/studio/assignments/remove", body))
    (group,) = await world.ana.get("/studio/projects/Dogs/groups")
    assert group["workers"] == []


async def test_nobody_who_is_just_being_disabled_is_assigned_beside_it(world: World, database_url: str) -> None:
    """Or else they could claim by the new assignment, which disabling does not know of."""
    await staffed(world)
    await world.ana.post("/projects", {"name": "Cats", "type": "categorization", "studio": True})
    async with closed_gate(database_url) as gate:

        async def disable(tx: Tx) -> None:
            caller = Caller(world.ana.team_id, world.ana.id, "ana@example.com", Role.ADMIN, "live")
            await membership.disable(tx, caller, ["ben@example.com"], world.clock())
            await gate.wait(tx)

        body = {"emails": ["ben@example.com"], "projects": ["Cats"]}
        _, refused = await gate.during(world.db.write(disable), world.ana.call("POST", "/studio/assignments/add", body))
    assert (refused.status_code, "is disabled" in refused.json()["error"]) == (400, True)


async def test_a_new_version_of_parameters_starts_from_the_one_just_being_made(world: World, database_url: str) -> None:
    await staffed(world)
    async with closed_gate(database_url) as gate:

        async def change(tx: Tx) -> None:
            project = await service.find(tx, world.ana.team_id, "live", "Dogs")
            await service.set_params(tx, project, lambda present: {**present, "title": "One"}, world.clock())
            await gate.wait(tx)

        body = {"patch": True, "description": "Two"}
        _, changed = await gate.during(world.db.write(change), world.ana.post("/projects/Dogs/setParams", body))
    assert (changed["version"], changed["params"]) == (3, {"title": "One", "description": "Two"})


async def test_a_pipeline_waits_for_those_who_hold_the_project(world: World, database_url: str) -> None:
    await staffed(world)
    async with closed_gate(database_url) as gate:

        async def make_tasks(tx: Tx) -> int:
            project = await service.find(tx, world.ana.team_id, "live", "Dogs")
            held = await service.hold(tx, project)
            await gate.wait(tx)
            again = await service.hold(tx, project)
            assert again.attempts_wanted == held.attempts_wanted
            return held.attempts_wanted

        async def change(tx: Tx) -> int:
            project = await service.find(tx, world.ana.team_id, "live", "Dogs")
            return (await service.set_pipeline(tx, project, "consensus_task", 4)).attempts_wanted

        made = await gate.during(world.db.write(make_tasks), world.db.write(change))
    assert made == (1, 4)


async def test_the_same_person_is_given_one_group_of_their_own(world: World, database_url: str) -> None:
    await staffed(world)
    async with closed_gate(database_url) as gate:

        async def give(tx: Tx) -> str:
            project = await service.find(tx, world.ana.team_id, "live", "Dogs")
            (group,) = await service.groups_for_batch(tx, project, ["ben@example.com"], world.clock())
            await gate.wait(tx)
            return group.id

        async def give_at_once(tx: Tx) -> str:
            project = await service.find(tx, world.ana.team_id, "live", "Dogs")
            (group,) = await service.groups_for_batch(tx, project, ["Ben@example.com"], world.clock())
            return group.id

        first, second = await gate.during(world.db.write(give), world.db.write(give_at_once))
    assert first == second
