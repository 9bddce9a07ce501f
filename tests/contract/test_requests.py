"""The forms in which the same call may be written, for every operation; a new operation is covered automatically."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from refonte_studio.db import Database
from refonte_studio.main import OPERATIONS
from refonte_studio.web import Body, Operation
from refonte_studio.web.forms import form_object
from refonte_studio.web.params import fields_of
from tests.contract import response_checks
from tests.contract.examples import EXAMPLES
from tests.contract.test_access import REFUSED
from tests.contract.test_input import OF_PARAMS, WRITING, each, method_of, send
from tests.world import Clock, World, ok

FORM = {"content-type": "application/x-www-form-urlencoded"}
BROWSER = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
WITH_BODY = [one for one in WRITING if one.body is Body.PARAMS and fields_of(one.params)]
NAMED = [one for one in OPERATIONS if "{" in one.path and one.name not in REFUSED and one.body is Body.PARAMS]
READING = [one for one in OF_PARAMS if one.methods == ("GET",)]


def as_form(params: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields of a form that says the same as these parameters."""

    def fields(name: str, value: Any) -> list[tuple[str, str]]:
        if isinstance(value, dict):
            return [pair for key, each in value.items() for pair in fields(f"{name}[{key}]", each)]
        if isinstance(value, list):
            return [pair for number, each in enumerate(value) for pair in fields(f"{name}[{number}]", each)]
        return [(name, value if isinstance(value, str) else json.dumps(value))]

    return [pair for name, value in params.items() for pair in fields(name, value)]


def can_be_a_form(params: dict[str, Any]) -> bool:
    """Whether a form can say it: in one, all that stands inside of an object is text."""
    return form_object(as_form(params)) == json.loads(json.dumps(params), parse_int=str, parse_float=str)


@each(WITH_BODY)
async def test_a_body_may_be_a_form(world: World, operation: Operation):
    for multipart in (False, True):
        request = await EXAMPLES[operation.name](world, world.ana)
        params = request.params or {}
        if not can_be_a_form(params):
            return
        pairs = as_form(params)
        if multipart:
            options: dict[str, Any] = {"files": [(name, (None, value)) for name, value in pairs]}
        else:
            options = {"content": urlencode(pairs), "headers": FORM}
        response = await send(world, operation, method_of(operation), request, **options)
        assert response.is_success, (multipart, pairs, response.text)


@each(WITH_BODY)
async def test_json_is_read_as_json_though_curl_calls_it_a_form(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    content = json.dumps(request.params or {})
    response = await send(world, operation, method_of(operation), request, content=content, headers=FORM)
    assert response.is_success, response.text


@each(NAMED)
async def test_a_name_of_the_path_may_be_repeated_but_must_agree(world: World, operation: Operation):
    own = fields_of(operation.params).keys() | operation.params.ALIASES.keys()
    method = method_of(operation)
    request = await EXAMPLES[operation.name](world, world.ana)
    for name in list(request.path):
        if name in own:
            continue
        value = request.path[name]
        params = dict(request.params or {})
        other = (
            {"params": {**params, name: "another"}}
            if method == "GET"
            else {"params": {name: "another"}, "json": params}
        )
        response = await send(world, operation, method, request, **other)
        assert response_checks.error(response, 400)
        assert "another" in response.json()["error"]
        same = {"params": {**params, name: value}} if method == "GET" else {"json": {**params, name: f" {value} "}}
        response = await send(world, operation, method, request, **same)
        assert response.is_success, (name, response.text)
        if method != "GET":
            request = await EXAMPLES[operation.name](world, world.ana)


@each(READING)
async def test_a_filter_that_is_empty_is_no_filter_and_so_refused(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    rest = request.params or {}
    for name in fields_of(operation.params):
        others = {key: value for key, value in rest.items() if key != name}
        empty = await send(world, operation, "GET", request, params={**others, name: ""})
        assert response_checks.error(empty, 400), name
        assert name in empty.json()["error"]


async def test_a_name_in_the_query_without_a_value_counts_as_left_out(world: World):
    url = httpx.URL(scheme="http", host="studio.test", raw_path=b"/v1/tasks?project&limit=5&batch")
    headers = {"Authorization": f"Bearer {world.ana.keys['live']}"}
    assert ok(await world.http.get(url, headers=headers))["limit"] == 5


@each(WITH_BODY)
async def test_a_number_or_a_flag_may_be_written_as_a_text(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    params = request.params or {}
    texts = {
        name: json.dumps(value) if isinstance(value, bool | int | float) else value for name, value in params.items()
    }
    response = await send(world, operation, method_of(operation), request, json=texts)
    assert response.is_success, response.text


@each([one for one in WRITING if one.body is not Body.STREAM])
async def test_a_repeated_key_is_refused(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    for body in (b'{"a": 1, "a": 1}', b'{"a": {"b": 1, "b": 2}}', b'{"\\u0061": 1, "a": 2}', b'[{"a": 1, "a": 2}]'):
        response = await send(world, operation, method_of(operation), request, content=body)
        assert response_checks.error(response, 400), body
        assert "twice" in response.json()["error"], response.text


@each([one for one in OPERATIONS if one.ignores])
async def test_what_published_clients_send_without_effect_is_accepted(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    method = method_of(operation)
    more = dict.fromkeys(operation.ignores, "true")
    options = (
        {"params": {**(request.params or {}), **more}}
        if method == "GET"
        else {"json": {**(request.params or {}), **more}}
    )
    response = await send(world, operation, method, request, **options)
    assert response.is_success, response.text


# -------------------------------------------------------------------------------------------- credentials


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    ["Basic {basic}", "basic {basic}", "BASIC   {basic}", "Basi {basic}", "Basic {key}", "Bearer {key}", "bearer {key}",
     "Token {key}", "{key}", "Basic {key}:", "Bearer {basic}", "Basic {bare}"],
)  # fmt: skip
async def test_a_key_is_found_in_whatever_form_it_comes(world: World, form: str):
    key = world.ana.keys["live"]
    header = form.format(key=key, basic=encoded(f"{key}:"), bare=encoded(f"{key}:").rstrip("="))
    for method, path in (("GET", "/v1/teams"), ("POST", "/v1/work/claim")):
        answer = await world.http.request(method, path, headers={"Authorization": header})
        assert answer.is_success, answer.text


@pytest.mark.parametrize(
    "form", ["", " ", "Basic", "Bearer", "Basic {password}", "Basic {key} {key} {key}", "Basic ???"]
)
async def test_what_shows_no_key_is_refused_with_a_challenge(world: World, form: str):
    key = world.ana.keys["live"]
    header = form.format(key=key, password=encoded(f"{key}:secret"))
    for method, path in (("GET", "/v1/teams"), ("POST", "/v1/work/claim")):
        answer = await world.http.request(method, path, headers={"Authorization": header})
        assert response_checks.error(answer, 401)
        assert answer.headers["www-authenticate"] == 'Basic realm="Refonte Studio", Bearer realm="Refonte Studio"'
        in_browser = await world.http.request(method, path, headers={"Authorization": header, **BROWSER})
        assert in_browser.headers["www-authenticate"] == 'Bearer realm="Refonte Studio"'


async def joined(world: World) -> httpx.Response:
    """The answer that signs a new person in."""
    invited = await world.ana.post("/teams/invite", {"emails": ["new@example.com"], "team_role": "manager"})
    link = next(one["inviteUrl"] for one in invited if one["email"] == "new@example.com")
    person = {"first_name": "N", "last_name": "W", "password": "yellow submarines sing 7"}
    return await world.client().post("/v1/invitations/accept", json={"token": link.rsplit("/")[-1], **person})


async def test_cookies_of_others_do_not_hide_the_session(world: World):
    token = (await joined(world)).cookies["studio_session"]
    for cookie in ("a[]=1; studio_session={}", 'x="1; studio_session={}', "é=1; =; ; studio_session={}; b@=2"):
        headers = {"Cookie": cookie.format(token).encode()}
        assert (await world.client().get("/v1/session", headers=headers)).status_code == 200, cookie


async def test_signing_in_is_for_ones_own_pages_and_its_secrets_for_the_body(world: World):
    body = {"email": "ana@example.com", "password": "nothing that fits"}
    for site in ("cross-site", "same-site"):
        answer = await world.http.post("/v1/session", json=body, headers={"Sec-Fetch-Site": site})
        assert response_checks.error(answer, 403)
    as_text = await world.http.post("/v1/session", content=json.dumps(body), headers={"content-type": "text/plain"})
    assert response_checks.error(as_text, 400)
    in_query = await world.http.post("/v1/session", params=body)
    assert response_checks.error(in_query, 400)
    assert "nothing that fits" not in in_query.text
    assert response_checks.error(await world.http.post("/v1/session", json=body), 401)


@each(OPERATIONS)
async def test_answers_are_neither_guessed_at_nor_kept(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    method = method_of(operation)
    for answer in (
        await send(world, operation, method, request, **request.options(method)),
        await world.http.request(method, f"/v1{request.url(operation)}"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers


async def test_where_people_come_over_tls_nothing_travels_otherwise(db: Database):
    world = await World.make(db, Clock(), public_url="https://studio.test")
    answer = await joined(world)
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-studio_session=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    token = cookie.partition("=")[2].partition(";")[0]
    session = await world.client().get("/v1/session", headers={"Cookie": f"__Host-studio_session={token}"})
    assert ok(session)["teammate"]["email"] == "new@example.com"
    planted = await world.client().get("/v1/session", headers={"Cookie": f"studio_session={token}"})
    assert planted.status_code == 401
    await world.close()


async def test_what_is_expected_is_said_in_words(world: World):
    for path, words in {
        "/tasks?limit=ten": "limit must be a whole number from 1 to 100, not 'ten'",
        "/tasks?limit=0": "limit must be a whole number from 1 to 100, not '0'",
        "/tasks?next_token=": "next_token is empty: give it a value, or leave it out",
    }.items():
        assert await world.ana.refused(400, "GET", path) == words
    await world.ana.post("/projects", {"name": "P", "type": "categorization", "studio": True})
    said = await world.ana.refused(
        400, "POST", "/teams/invite", {"emails": ["a@example.com", 7], "team_role": "member"}
    )
    assert said == "emails[1] must be text, in 7"
