"""Which operation or page a path leads to, and what a path answers to methods that it does not take."""

import re
from collections import defaultdict

import pytest

from refonte_studio.main import OPERATIONS
from tests.world import World


@pytest.mark.parametrize("path", ["/v1/projects/", "//v1//projects", "/v1/pr%6Fjects", "/v1/projects//"])
async def test_slashes_and_encodings_that_change_nothing_lead_to_the_same_operation(world: World, path: str):
    headers = {"Authorization": f"Bearer {world.ana.keys['live']}"}
    response = await world.http.request("GET", f"http://studio.test{path}", headers=headers)
    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize("path", ["/v1", "/v1/nothing", "/nothing", "/V1/projects", "/v1/projects%2F", "/docs%00"])
async def test_a_path_that_nothing_has_is_named(world: World, path: str):
    response = await world.http.get(path)
    assert response.status_code == 404
    assert response.json() == {"status_code": 404, "error": f"there is no GET {path}"}


async def test_a_name_may_hold_an_encoded_slash(world: World):
    assert "'a/b c'" in await world.ana.refused(404, "GET", "/projects/a%2Fb%20c")


async def test_every_path_tells_its_methods(world: World):
    methods: dict[str, set[str]] = defaultdict(set)
    for operation in OPERATIONS:
        methods[re.sub(r"\{\w+\}", "x", operation.path)].update(operation.methods)
    for path, taken in methods.items():
        allow = ", ".join(sorted([*taken, "OPTIONS"]))
        told = await world.http.options(path)
        assert (told.status_code, told.content, told.headers["allow"]) == (204, b"", allow)
        refused = await world.http.patch(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, allow)
        assert refused.json()["error"] == f"there is no PATCH {path}"


async def test_pages_take_the_methods_of_browsers_and_load_balancers(world: World):
    assert (await world.http.head("/healthz")).status_code == 200
    assert (await world.http.options("/docs")).headers["allow"] == "GET, HEAD, OPTIONS"
    assert (await world.http.post("/docs")).status_code == 405
    assert (await world.http.head("/invite/token")).status_code == 405


@pytest.mark.parametrize("path", ["/v1/work/claim", "/docs", "/nothing"])
async def test_a_host_that_cannot_be_one_is_refused(world: World, path: str):
    response = await world.http.post(path, headers={"Host": "a host"})
    assert (response.status_code, response.json()["error"]) == (400, "Invalid host header")


async def test_a_path_that_is_not_utf_8_is_refused(world: World):
    response = await world.http.get("/v1/projects/%FF")
    assert response.status_code == 400
    assert response.json()["error"] == r"the path is not UTF-8: b'/v1/projects/\xff'"
