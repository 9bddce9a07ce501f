"""Bad input, and unusual but valid input, for every operation; a new operation is covered automatically."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

from refonte_studio.main import OPERATIONS
from refonte_studio.web import Body, Operation
from refonte_studio.web.params import fields_of
from tests.contract import response_checks
from tests.contract.examples import EXAMPLES, Request
from tests.contract.permission_matrix import ALLOWED_ROLES
from tests.contract.test_access import REFUSED
from tests.world import World, ok

JSON = {"content-type": "application/json"}
# Operations of which every JSON object is a valid body, or that also take other JSON.
TAKES_ANY_NAMES = {"set_batch_metadata", "set_task_metadata"}
TAKES_LISTS = {"set_task_tags", "add_task_tags", "remove_task_tags"}

CALLED = [operation for operation in OPERATIONS if operation.name not in REFUSED]
WRITING = [operation for operation in CALLED if operation.methods != ("GET",)]
OF_JSON = [operation for operation in WRITING if operation.body is not Body.STREAM]
OF_PARAMS = [operation for operation in CALLED if operation.body is Body.PARAMS and fields_of(operation.params)]


def each(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.name)


async def send(world: World, operation: Operation, method: str, request: Request, **options: Any) -> httpx.Response:
    """By Ana, or by nobody where the operation is public."""
    if not ALLOWED_ROLES[operation.name]:
        return await world.http.request(method, f"/v1{request.url(operation)}", **options)
    return await world.ana.call(method, request.url(operation), **options)


def method_of(operation: Operation) -> str:
    return operation.methods[0]


@each(OPERATIONS)
async def test_an_unknown_parameter_is_named(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    method = method_of(operation)
    if operation.name in TAKES_ANY_NAMES:
        response = await send(world, operation, method, request, params={"nonsense": "1"}, json=request.params)
    elif method == "GET" or operation.body is Body.STREAM:
        options = request.options(method)
        options["params"] = {**options.get("params", {}), "nonsense": "1"}
        response = await send(world, operation, method, request, **options)
    else:
        in_query = await send(world, operation, method, request, params={"nonsense": "1"}, json=request.params)
        assert response_checks.error(in_query, 400)
        response = await send(world, operation, method, request, json={**(request.params or {}), "nonsense": 1})
    assert response_checks.error(response, 400)
    assert "nonsense" in response.json()["error"]


@each(OF_JSON)
async def test_a_body_that_is_no_json_object_is_refused(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    bodies = [
        *(b"{", b"{'a': 1}", b'{"a": 1,}', b"nonsense", b'{"a": NaN}', b'{"a": 1} {"b": 2}', b"\x00", b'{"a": "\x00"}'),
        *(b"\xff\xfe\xfd", b'{"a": "\xff"}', b'{"a": "\xc3"}', b'{"\xed\xa0\x80": 1}', b"\xef\xbb\xbf{}"),
        *(b"[" * 60_000, b'{"a":' * 12_000, b"1", b"true", b'[{"a": 1}]'),
        *(() if operation.name in TAKES_LISTS else (b"[]", b'"text"')),
    ]
    for body in bodies:
        response = await send(world, operation, method_of(operation), request, content=body, headers=JSON)
        assert response_checks.error(response, 400), body[:20]


@each(OF_JSON)
async def test_a_body_that_is_too_large_is_413_and_not_read(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    limit = world.settings.body_limit_bytes

    async def endless() -> Any:
        for _ in range(1_000):
            yield b" " * 100_000
        raise AssertionError("it was read to its end")

    claimed = {**JSON, "content-length": str(limit + 1)}
    by_length = await send(world, operation, method_of(operation), request, content=endless(), headers=claimed)
    assert response_checks.error(by_length, 413)
    by_size = await send(world, operation, method_of(operation), request, content=endless(), headers=JSON)
    assert response_checks.error(by_size, 413)


def odd_values(of_list: bool) -> Iterator[Any]:
    """Values that a field cannot be, or should not be, or that are hard to bear."""
    yield from ({}, {"a": {"b": []}}, [], [[]], [None], [{}], ["\x00"], "a\x00b", "", " ", True, -1, 10**30, 1.5, 1e308)
    yield from ("\ud83d\ude00" * 5, "x" * 20_000, "\u202e", "../..", "'; DROP TABLE teams; --", "%s%n")
    yield from ("NaN", "Infinity", "null", {"$ref": "#"})
    if of_list:
        yield from (["x"] * 1_001, [f"a{n}@example.com" for n in range(10_000)])


@each([operation for operation in OF_JSON if operation.body is Body.PARAMS and fields_of(operation.params)])
async def test_odd_values_never_break_the_server(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    for name, spec in fields_of(operation.params).items():
        for value in odd_values(spec.is_list):
            body = json.dumps({**(request.params or {}), name: value}, ensure_ascii=False).encode(
                "utf-8", "surrogatepass"
            )
            response = await send(world, operation, method_of(operation), request, content=body, headers=JSON)
            if not response.is_success:
                assert response.status_code < 500, (name, value, response.text)
                assert response_checks.error(response, response.status_code)
            if value in ("a\x00b", ["\x00"]):
                assert response.status_code in (400, 401, 404, 409, 429), (name, value)


@each([operation for operation in OPERATIONS if operation.methods[0] == "GET"])
async def test_odd_queries_never_break_the_server(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    texts = [
        "",
        " ",
        "%00",
        "%ff",
        "%c3",
        "%ed%a0%80",
        "[",
        "-1",
        "1e999",
        "9" * 40,
        "x" * 5_000,
        "true",
        ",",
        ",,",
        "%2C",
    ]
    for name in [*fields_of(operation.params), "nonsense"]:
        for text in texts:
            forms = (f"{name}[]={text}", f"{name}={text}&{name}=1", name, f"[]={text}") if text in texts[:3] else ()
            for query in (f"{name}={text}", *forms):
                response = await send(world, operation, "GET", Request(request.path), params=query)
                if not response.is_success:
                    assert response.status_code < 500, (query, response.text)
                    assert response_checks.error(response, response.status_code)


@each([operation for operation in OPERATIONS if "limit" in fields_of(operation.params)])
async def test_pages_are_bounded(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    for limit in ("0", "-1", "101", "1000000", "ten", "1.5", ""):
        params = {**(request.params or {}), "limit": limit}
        assert response_checks.error(await send(world, operation, "GET", request, params=params), 400), limit
    params = {name: value for name, value in (request.params or {}).items() if name != "limit"}
    page = ok(await send(world, operation, "GET", request, params=params))
    assert page["limit"] <= 100
    assert len(page["docs"]) <= page["limit"]
    assert ok(await send(world, operation, "GET", request, params={**params, "limit": 1}))["limit"] == 1


@each([operation for operation in OPERATIONS if "next_token" in fields_of(operation.params)])
async def test_a_page_token_that_was_never_given_is_refused(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    for token in ("x", "0", "' OR 1=1 --", "a" * 5_000, "\x00"):
        params = {**(request.params or {}), "next_token": token}
        assert response_checks.error(await send(world, operation, "GET", request, params=params), 400), token


def pairs(params: dict[str, Any], form: str) -> list[tuple[str, str]]:
    """Parameters as a query string takes them, lists in one of the three forms."""
    found: list[tuple[str, str]] = []
    for name, value in params.items():
        if isinstance(value, list) and form == "commas":
            found.append((name, ",".join(value)))
        elif isinstance(value, list):
            found += [(f"{name}[]" if form == "brackets" else name, each) for each in value]
        else:
            found.append((name, value if isinstance(value, str) else json.dumps(value)))
    return found


def apart(operation: Operation, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What may stand in the query, and what only in the body."""
    secret = {name: value for name, value in params.items() if name in operation.params.IN_BODY_ALONE}
    return {name: value for name, value in params.items() if name not in secret}, secret


@each([operation for operation in OF_PARAMS if operation.name != "set_studio_priorities"])
async def test_every_parameter_may_stand_in_the_query(world: World, operation: Operation):
    for method in operation.methods:
        for form in ("repeated", "brackets", "commas"):
            request = await EXAMPLES[operation.name](world, world.ana)
            given, secret = apart(operation, request.params or {})
            options = {"json": secret} if secret else {}
            response = await send(world, operation, method, request, params=urlencode(pairs(given, form)), **options)
            assert response.is_success, (method, form, response.text)


@each([operation for operation in WRITING if operation.body is Body.PARAMS and fields_of(operation.params)])
async def test_body_and_query_must_not_disagree(world: World, operation: Operation):
    request = await EXAMPLES[operation.name](world, world.ana)
    params = {name: value for name, value in (request.params or {}).items() if isinstance(value, str | list)}
    method = operation.methods[0]
    for name, value in params.items():
        query = [(name, "something else")] if isinstance(value, str) else [(name, "a"), (name, "b")]
        response = await send(world, operation, method, request, params=query, json=request.params)
        assert response_checks.error(response, 400), name
        assert name in response.json()["error"]
    given, _ = apart(operation, {name: value for name, value in params.items() if name != "batches"})
    agreeing = urlencode(pairs(given, "repeated"))
    response = await send(world, operation, method, request, params=agreeing, json=request.params)
    assert response.is_success, response.text


LISTS = [
    (operation, name)
    for operation in WRITING
    for name, field in fields_of(operation.params).items()
    if field.is_list and field.required and operation.body is Body.PARAMS
]


@pytest.mark.parametrize(("operation", "name"), LISTS, ids=lambda value: getattr(value, "name", value))
async def test_lists_in_all_their_forms(world: World, operation: Operation, name: str):
    request = await EXAMPLES[operation.name](world, world.ana)
    rest = {key: value for key, value in (request.params or {}).items() if key != name}
    method = operation.methods[0]
    may_be_empty = name in operation.params.MAY_BE_EMPTY
    for empty in ({"json": {**rest, name: []}}, {"json": rest, "params": f"{name}="}):
        response = await send(world, operation, method, request, **empty)
        if may_be_empty:
            assert response.is_success, response.text
        else:
            assert response_checks.error(response, 400)
            assert name in response.json()["error"]
    given, secret = apart(operation, rest)
    in_query = {"params": urlencode(pairs(given, "repeated")), "json": secret}
    for missing in ({"json": rest}, {"json": {**rest, name: None}}, in_query):
        response = await send(world, operation, method, request, **missing)
        assert response_checks.error(response, 400)
        assert name in response.json()["error"]
    many = [f"a{number}@example.com" for number in range(10_000)]
    assert response_checks.error(await send(world, operation, method, request, json={**rest, name: many}), 400)
    query = urlencode([(name, f"a{number}") for number in range(3_000)])
    assert response_checks.error(await send(world, operation, method, request, json=rest, params=query), 400)
    one = await EXAMPLES[operation.name](world, world.ana)
    assert one.params is not None
    single = one.params[name][0]
    if isinstance(single, str):  # a string stands for a list of one
        response = await send(world, operation, method, one, json={**one.params, name: single})
        assert response.is_success, response.text


@each([operation for operation in OPERATIONS if operation.params.ALIASES])
async def test_aliases_work_in_body_and_query(world: World, operation: Operation):
    method = operation.methods[0]
    for alias, name in operation.params.ALIASES.items():
        for in_query in (False, True):
            request = await EXAMPLES[operation.name](world, world.ana)
            params = dict(request.params or {})
            given = {alias: params.pop(name)}
            options = (
                {"params": pairs(given, "repeated"), "json": params} if in_query else {"json": {**params, **given}}
            )
            response = await send(world, operation, method, request, **options)
            assert response.is_success, response.text


async def test_names_with_commas_are_not_split_where_they_cannot_be(world: World):
    names = ["Dogs, big", "Dogs, small"]
    for name in names:
        await world.ana.post("/projects", {"name": name, "type": "categorization", "studio": True})
    ben = world.ben.email
    for params in ({"json": {"emails": ben, "projects": names}}, {"json": {"emails": [ben], "projects": names[0]}}):
        added = ok(await world.ana.call("POST", "/studio/assignments/add", **params))
        assert set(added[ben]) == set(names if params["json"]["projects"] == names else added[ben])
    removing = [("email", ben), *(("projects", name) for name in names)]
    assert ok(await world.ana.call("POST", "/studio/assignments/remove", params=removing))[ben] == []
    adding = [("emails[]", ben), ("projects[]", names[0])]
    assert ok(await world.ana.call("POST", "/studio/assignments/add", params=adding))[ben] == [names[0]]
    split = [("emails", ben), ("projects", names[1])]
    assert "'Dogs'" in await world.ana.refused(400, "POST", "/studio/assignments/add", params=split)


async def test_a_refused_call_changes_nothing(world: World):
    """One bad entry among good ones, in the calls that take lists."""
    await world.ana.post("/projects", {"name": "P", "type": "categorization", "studio": True})
    before = [await world.ana.get(path) for path in ("/teams", "/studio/assignments", "/studio/batches")]
    people = [world.ben.email, "nobody@example.com"]
    await world.ana.refused(400, "POST", "/teams/set_role", {"emails": people, "team_role": "member"})
    await world.ana.refused(400, "POST", "/teams/disable", {"emails": people})
    await world.ana.refused(400, "POST", "/teams/invite", {"emails": ["new@example.com", "bad"], "team_role": "member"})
    await world.ana.refused(400, "POST", "/studio/assignments/add", {"emails": people, "projects": ["P"]})
    await world.ana.refused(400, "POST", "/studio/assignments/add", {"emails": [people[0]], "projects": ["P", "Q"]})
    assert [await world.ana.get(path) for path in ("/teams", "/studio/assignments", "/studio/batches")] == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("GET", "/v1", 404), ("GET", "/v1/", 404), ("GET", "/v1/nothing", 404), ("POST", "/v1/nothing", 404)),
        *(("DELETE", "/v1/teams", 405), ("PATCH", "/v1/projects", 405), ("TRACE", "/v1/teams", 405)),
        *(
            ("GET", "/v1/%2e%2e/teams", 404),
            ("GET", "/V1/TEAMS", 404),
        ),
        *(("GET", "/v1/projects/%ff", 400), ("GET", "/v1/projects/%00", 404), ("GET", "/v1/projects/%", 404)),
    ],
)
async def test_a_wrong_address_is_an_error_like_another(world: World, method: str, path: str, status: int):
    url = httpx.URL(scheme="http", host="studio.test", raw_path=path.encode())
    headers = {"Authorization": f"Bearer {world.ana.keys['live']}"}
    response = await world.http.request(method, url, headers=headers)
    assert response.status_code == status, response.text
    assert response_checks.error(response, status)


def test_a_description_stands_by_every_parameter():
    for operation in OPERATIONS:
        for method in operation.methods:
            entry = response_checks.documented(operation, method)
            for parameter in entry["parameters"]:
                assert parameter.get("description"), (operation.name, parameter["name"])
            assert entry["summary"], operation.name
            msgspec.json.encode(entry)
