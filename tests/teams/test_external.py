"""External annotators: people known only by imported work, until they are invited."""

import pytest

from refonte_studio.kit.caller import Role
from refonte_studio.kit.errors import BadInput
from refonte_studio.teams import service as teams
from tests import makers
from tests.imports.external_attempts import attempt_by, check_invariants, export_tasks, import_lines, task_line
from tests.teams.makers import Browser, accept, invited, person
from tests.world import World, ok

EVE = "eve@example.com"


@pytest.fixture
async def crowd(world: World) -> World:
    """Eve and worker 896 have answered one task, of two people each, of the project Pets."""
    await makers.project(world, wanted=3)
    await import_lines(world.ana, task_line(attempt_by(EVE), attempt_by("worker 896")), project="Pets")
    return world


async def test_an_external_annotator_is_not_of_the_team(crowd: World) -> None:
    listed = [teammate["email"] for teammate in await crowd.ana.get("/teams")]
    assert listed == ["ana@example.com", "max@example.com", "mia@example.com", "ben@example.com", "dee@example.com"]
    assert EVE not in await crowd.ana.get("/studio/assignments")
    for password in ("", "correct horse battery"):
        assert (await Browser(crowd).sign_in(EVE, password)).status_code in (400, 401)
    assert (await crowd.ana.get("/quality/labelers", labeler_emails=EVE))["docs"] == []
    assert (await crowd.ana.get("/quality/labelers", labeler_emails="worker 896"))["docs"] == []
    assert "'Worker 896'" in await crowd.ana.refused(
        400, "GET", "/quality/labelers", params={"labeler_emails": "Worker 896"}
    )


@pytest.mark.parametrize("name", [EVE, "worker 896"])
async def test_an_external_annotator_is_given_nothing(crowd: World, name: str) -> None:
    await crowd.ana.post("/batches", {"project": "Pets", "name": "Monday"})
    refused = (
        ("/teams/set_role", {"emails": [name], "team_role": "manager"}),
        ("/teams/disable", {"emails": [name]}),
        ("/studio/assignments/add", {"emails": [name], "projects": ["Pets"]}),
        ("/studio/assignments/remove", {"emails": [name]}),
        ("/studio/projects/Pets/groups", {"name": "Night", "emails": [name]}),
        ("/studio/batches/Monday", {"groups": [name]}),
    )
    for path, body in refused:
        assert repr(name) in await crowd.ana.refused(400, "POST", path, body), path
    found = await crowd.db.read(teams.find_person, name)
    with pytest.raises(BadInput):
        await crowd.db.write(teams.appoint, found, Role.ADMIN)
    with pytest.raises(BadInput):
        await crowd.db.write(teams.create_key, found.team_id, found.id, "live", "key", crowd.clock())


async def test_an_invitation_makes_a_teammate_of_them_with_what_they_have_done(crowd: World) -> None:
    token = await invited(crowd, EVE)
    eve = person(await crowd.ana.get("/teams"), EVE)
    assert (eve["role"], eve["isStudioLabeler"]) == ("invited", True)
    ok(await accept(crowd, token))
    await crowd.ana.post("/studio/assignments/add", {"emails": [EVE], "projects": ["Pets"]})
    browser = Browser(crowd)
    ok(await browser.sign_in(EVE))
    [done] = ok(await browser.call("GET", "/work/history"))["docs"]
    assert done["response"] == {"category": "cat"}
    assert (await browser.call("POST", "/work/claim")).status_code == 204, "they have had the only task"
    [task] = await export_tasks(crowd.ana)
    assert [each["labeler"] for each in task["attempts"]] == [EVE, "worker 896"]
    await crowd.ana.post("/teams/disable", {"emails": [EVE]})
    await import_lines(crowd.ana, task_line(attempt_by(EVE)), project="Pets")
    assert person(await crowd.ana.get("/teams"), EVE)["role"] == "disabled", "an import brings nobody back"
    await check_invariants(crowd)


async def test_the_command_line_makes_a_teammate_of_them_too(crowd: World) -> None:
    known = await crowd.db.read(teams.find_person, EVE)
    made = await crowd.db.write(teams.create_teammate, known.team_id, EVE, Role.MANAGER, crowd.clock())
    assert made == known.id
    assert person(await crowd.ana.get("/teams"), EVE)["role"] == "manager"
