"""Where several errors apply, a filter that names nothing is told of before bad input."""

import pytest

from tests.world import World

FILTERS = [
    ("GET", "/tasks?project=nope&bogus=1"),
    ("GET", "/tasks?project=nope&limit=0"),
    ("GET", "/tasks?batch=nope&limit=0"),
    ("GET", "/tasks/export?project=nope&attempts=zz"),
    ("GET", "/tasks/export?batch=nope&bogus=1"),
    ("GET", "/batches?project=nope&limit=0"),
    ("GET", "/studio/batches?project=nope&bogus=1"),
    ("GET", "/studio/batches?group=nope&bogus=1"),
    ("POST", "/work/claim?project=nope&bogus=1"),
    ("POST", "/work/claim?batch=nope&bogus=1"),
]


@pytest.mark.parametrize(("method", "path"), FILTERS)
async def test_an_unknown_filter_goes_before_bad_input(world: World, method: str, path: str):
    assert "'nope'" in await world.ana.refused(404, method, path)
    assert "'nope'" not in await world.ana.refused(400, method, path.replace("=nope", "=").split("?")[0] + "?bogus=1")


async def test_an_unknown_invitation_goes_before_bad_input(world: World):
    for body in ({"token": "zzz", "password": "x"}, {"token": "zzz", "bogus": 1}):
        response = await world.http.post("/v1/invitations/accept", json=body)
        assert response.status_code == 404, response.text


@pytest.mark.parametrize("name", [".", ".."])
async def test_a_name_that_no_client_could_send_is_refused(world: World, name: str):
    body = {"name": name, "type": "categorization", "studio": True}
    assert repr(name) in await world.ana.refused(400, "POST", "/projects", body)
    await world.ana.post("/projects", {**body, "name": "Pets"})
    assert repr(name) in await world.ana.refused(400, "POST", "/batches", {"project": "Pets", "name": name})
    assert repr(name) in await world.ana.refused(400, "POST", "/studio/projects/Pets/groups", {"name": name})
