"""If several errors apply, a filter that names nothing is reported before bad input."""

import pytest

from refonte_studio.batches import service as batches
from refonte_studio.main import OPERATIONS
from refonte_studio.web import Operation
from refonte_studio.web.params import fields_of
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

BOTH = [
    operation
    for operation in OPERATIONS
    if operation.locate is batches.check_filters and {"project", "batch"} <= fields_of(operation.params).keys()
]


@pytest.mark.parametrize("operation", BOTH, ids=[operation.name for operation in BOTH])
async def test_a_project_and_another_projects_batch_are_404(world: World, operation: Operation):
    for project, batch in (("Album", "Monday"), ("Zoo", "Tuesday")):
        await world.ana.post("/projects", {"name": project, "type": "categorization", "studio": True})
        await world.ana.post("/batches", {"project": project, "name": batch})
    path, method = operation.path.removeprefix("/v1"), operation.methods[0]
    for more in ("", "&bogus=1"):
        told = await world.ana.refused(404, method, f"{path}?project=Album&batch=Tuesday{more}")
        assert "'Album'" in told
        assert "'Tuesday'" in told
    assert "'bogus'" in await world.ana.refused(400, method, f"{path}?project=Album&batch=Monday&bogus=1")


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
