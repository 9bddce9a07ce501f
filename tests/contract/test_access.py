"""Who may call what, for every operation; a new operation is covered automatically."""

import base64
from typing import Any

import httpx
import pytest

from refonte_studio.kit.caller import Role
from refonte_studio.main import OPERATIONS
from refonte_studio.web import Operation
from tests.contract import response_checks
from tests.contract.examples import BY_NAME, EXAMPLES, VARIANTS, Request
from tests.contract.permission_matrix import ALLOWED_ROLES, OF_VARIANTS
from tests.world import Person, World

EVERY = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
WITH_KEY = [operation for operation in OPERATIONS if operation.permission is not None]
BY_ROLE = {Role.ADMIN: "ana", Role.MANAGER: "max", Role.MEMBER: "mia", Role.LABELER: "ben"}
# Operations whose example is a refusal, since what would succeed cannot be had more than once.
REFUSED = {"set_up": 404, "change_password": 400, "import_file": 400}
# Paths that name no thing of a team's own, or a thing that is the same in both modes.
NOT_OWNED = {"create_task", "create_training_task", "create_evaluation_task"}
BOTH_MODES = {"revoke_key"}


async def send(person: Person, operation: Operation, method: str, request: Request, **more: Any) -> httpx.Response:
    return await person.call(method, request.url(operation), **request.options(method), **more)


def test_every_operation_has_its_row_and_its_example():
    assert set(ALLOWED_ROLES) == set(BY_NAME)
    assert set(EXAMPLES) == set(BY_NAME)
    assert set(VARIANTS) == set(OF_VARIANTS)


def test_no_two_operations_share_a_name_or_a_route():
    assert len(BY_NAME) == len(OPERATIONS)
    routes = [(method, operation.path) for operation in OPERATIONS for method in operation.methods]
    assert len(set(routes)) == len(routes)


async def test_nothing_is_open_without_a_key(world: World):
    for operation in WITH_KEY:
        path = Request(dict.fromkeys(names_in(operation), "x")).url(operation)
        for method in operation.methods:
            response = await world.http.request(method, f"/v1{path}", json={} if method != "GET" else None)
            assert response_checks.error(response, 401), (operation.name, method)
            assert response.headers["www-authenticate"].startswith(("Basic ", "Bearer ")), operation.name


def basic(user: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def test_the_header_comes_in_every_form_that_clients_send(world: World):
    key = world.ana.keys["live"]
    encoded = basic(key).partition(" ")[2]
    for header in (
        f"Bearer {key}",
        f"bearer {key}",
        f"BEARER  {key}",
        basic(key),
        f"basic {encoded}",
        f"BASIC {encoded}",
    ):
        response = await world.http.get("/v1/teams", headers={"Authorization": header})
        assert response.status_code == 200, header


async def test_a_malformed_or_unknown_credential_is_401(world: World):
    key = world.ana.keys["live"]
    headers = [
        *("", "Bearer", "Bearer ", "Basic", "Basic ", f"Bearer{key}"),
        *("Basic !!!!", "Basic " + base64.b64encode(b"\xff\xfe:").decode()),
        *(basic(key, "password"), basic("", key), "Basic " + base64.b64encode(key.encode()).decode()),
        *(f"Bearer {key}x", f"Bearer {key[:-1]}", f"Bearer {key.upper()}", basic(key + "x"), basic(f" {key}")),
        *("Bearer live_", "Bearer null", f"Bearer {key} {key}", f"Bearer {key},{key}"),
    ]
    for header in headers:
        response = await world.http.get("/v1/teams", headers={"Authorization": header})
        assert response_checks.error(response, 401), header


async def test_a_wrong_header_is_not_saved_by_a_good_cookie(world: World):
    async with world.client() as browser:
        await signed_in(world, browser)
        assert (await browser.get("/v1/session")).status_code == 200
        assert (await browser.get("/v1/session", headers={"Authorization": "Bearer x"})).status_code == 401


async def signed_in(world: World, browser: httpx.AsyncClient) -> str:
    """Signs a new manager in; answers the CSRF token."""
    team = await world.ana.post("/teams/invite", {"emails": ["eve@example.com"], "team_role": "manager"})
    token = next(each["inviteUrl"] for each in team if each["email"] == "eve@example.com").rpartition("/")[2]
    body = {"token": token, "first_name": "Eve", "last_name": "Stone", "password": "correct horse battery"}
    assert (await browser.post("/v1/invitations/accept", json=body)).status_code == 200
    return (await browser.get("/v1/session")).json()["csrf_token"]


async def test_a_cookie_alone_changes_nothing(world: World):
    async with world.client() as browser:
        token = await signed_in(world, browser)
        for operation in (each for each in WITH_KEY if each.changes):
            path = f"/v1{Request(dict.fromkeys(names_in(operation), 'x')).url(operation)}"
            for method in operation.methods:
                response = await browser.request(method, path)
                assert response_checks.error(response, 401 if method == "GET" else 403), (operation.name, method)
                wrong = await browser.request(method, path, headers={"X-CSRF-Token": token[:-1]})
                assert response_checks.error(wrong, 401 if method == "GET" else 403), (operation.name, method)
        for operation in (each for each in WITH_KEY if not each.changes and "{" not in each.path):
            assert (await browser.get(operation.path)).status_code in (200, 400), operation.name
        made = await browser.post(
            "/v1/projects", json={"name": "P", "type": "categorization"}, headers={"X-CSRF-Token": token}
        )
        assert made.status_code == 200


@EVERY
async def test_each_role_may_do_what_the_table_says(world: World, operation: Operation):
    allowed = ALLOWED_ROLES[operation.name].split()
    for role, who in BY_ROLE.items():
        person = getattr(world, who)
        for method in operation.methods:
            if not allowed:  # public
                request = await EXAMPLES[operation.name](world, person)
                response = await world.http.request(method, f"/v1{request.url(operation)}", **request.options(method))
                assert response.status_code == REFUSED.get(operation.name, 200)
            elif role in allowed:
                request = await EXAMPLES[operation.name](world, person)
                response = await send(person, operation, method, request)
                assert response.status_code == REFUSED.get(operation.name, 204 if operation.answer is None else 200), (
                    role,
                    method,
                    response.text,
                )
                response_checks.check(operation, method, response)
            else:
                response = await send(person, operation, method, await EXAMPLES[operation.name](world, world.ana))
                assert response_checks.error(response, 403), (role, method)
                assert role in response.json()["error"]


@pytest.mark.parametrize("name", VARIANTS)
async def test_each_role_may_do_what_the_table_says_of_a_variant(world: World, name: str):
    operation, make = VARIANTS[name]
    [method] = operation.methods
    for role, who in BY_ROLE.items():
        person = getattr(world, who)
        response = await send(person, operation, method, await make(world, person))
        if role in OF_VARIANTS[name].split():
            assert response.status_code == 200, (role, response.text)
            assert ids_in(response.json()), role
            response_checks.check(operation, method, response)
        else:
            assert response_checks.error(response, 403), role


@pytest.mark.parametrize("name", VARIANTS)
async def test_a_variant_shows_nothing_of_another_team(world: World, name: str):
    operation, make = VARIANTS[name]
    [method] = operation.methods
    request = await make(world, world.ana)
    ours, theirs = [await send(person, operation, method, request) for person in (world.ana, world.cid)]
    assert ours.status_code == theirs.status_code == 200
    assert not ids_in(ours.json()) & ids_in(theirs.json())


def ids_in(answer: Any) -> set[str]:
    """The ids of the things that a list shows."""
    docs = answer["docs"] if isinstance(answer, dict) else answer
    return {each.get("task_id") or each["id"] for each in docs}


def names_in(operation: Operation) -> list[str]:
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


OWNED = [operation for operation in OPERATIONS if names_in(operation) and operation.name not in NOT_OWNED]


@pytest.mark.parametrize("operation", OWNED, ids=lambda operation: operation.name)
async def test_another_teams_things_and_another_modes_things_are_not_there(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    for method in operation.methods:
        assert response_checks.error(await send(world.cid, operation, method, request), 404), method
        if operation.name not in BOTH_MODES:
            assert response_checks.error(await send(world.ana, operation, method, request, mode="test"), 404), method


@pytest.mark.parametrize("operation", OWNED, ids=lambda operation: operation.name)
async def test_the_first_error_of_several_is_the_one_that_tells_least(world: World, operation: Operation):
    unknown = Request(dict.fromkeys(names_in(operation), "nothing / there"))
    for method in operation.methods:
        path, bad = unknown.url(operation), {"nonsense": "1"}
        nobody = await world.http.request(method, f"/v1{path}", params=bad)
        assert response_checks.error(nobody, 401), method
        if "labeler" not in ALLOWED_ROLES[operation.name]:
            assert response_checks.error(await world.ben.call(method, path, params=bad), 403), method
        assert response_checks.error(await world.ana.call(method, path, params=bad), 404), method
        if method != "GET":
            options = {"content": b"{not json", "headers": {"content-type": "application/json"}}
            assert response_checks.error(await world.ana.call(method, path, **options), 404), method
    nul = Request(dict.fromkeys(names_in(operation), "a\x00b"))
    assert response_checks.error(await world.ana.call(operation.methods[0], nul.url(operation)), 404)
