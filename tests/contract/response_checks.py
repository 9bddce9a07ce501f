"""Checks that hold for every response, whatever the operation."""

import json
import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from refonte_studio.main import openapi_document
from refonte_studio.web import Operation

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ID = re.compile(r"[0-9a-f]{24}")
# Names that end like ids or times and are not the server's own.
FREE = {
    "unique_id",
    "field_id",
    "reference_id",
    "params",
    "metadata",
    "response",
    "expected_response",
    "template_variables",
}


def error(response: httpx.Response, status: int) -> bool:
    """Checks that the response is a proper error with this status; always True."""
    assert response.status_code == status, (response.status_code, response.text[:500])
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["status_code"] == status
    assert isinstance(body["error"], str)
    assert body["error"].strip()
    assert len(body["error"]) < 2_000
    assert set(body) <= {"status_code", "error", "lines"}
    return True


@cache
def document() -> dict[str, Any]:
    return openapi_document()


@cache
def _registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([("urn:api", {"components": document()["components"]})])


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """The ways in which a value does not fit a schema of the document."""
    standing_alone = json.loads(json.dumps(schema).replace('"#/components/', '"urn:api#/components/'))
    validator = jsonschema_rs.Draft202012Validator(standing_alone, registry=_registry())
    return [str(problem) for problem in validator.iter_errors(value)]


def documented(operation: Operation, method: str) -> dict[str, Any]:
    """The operation's entry in the OpenAPI document."""
    for methods in document()["paths"].values():
        entry = methods.get(method.lower())
        if entry is not None and entry["x-path"] == operation.path:
            return entry
    raise AssertionError(f"{method} {operation.path} is not documented")


def check(operation: Operation, method: str, response: httpx.Response) -> None:
    """Checks that the response is documented and fits its schema, and the form of its times and ids."""
    responses = documented(operation, method)["responses"]
    status = str(response.status_code)
    assert status in responses, f"{operation.name} answers an undocumented {status}"
    if status == "204":
        assert response.content == b""
        return
    content = responses[status]["content"]
    assert response.headers["content-type"].partition(";")[0] in (*content, "text/plain")
    if "application/json" in content:
        assert problems(content["application/json"]["schema"], response.json()) == []
        look_at(response.json())
    if method in operation.deprecated:
        assert response.headers["deprecation"] == "true"
        assert operation.methods[0] in response.headers["link"]


def look_at(value: Any) -> None:
    """Checks the form of each time and each id of the server's own."""
    if isinstance(value, list):
        for each in value:
            look_at(each)
    if not isinstance(value, dict):
        return
    for name, each in value.items():
        if name in FREE:
            continue
        if (name.endswith("_at") or name == "expiry") and isinstance(each, str):
            assert TIME.fullmatch(each), (name, each)
        elif (name == "id" or name.endswith(("_id", "Id"))) and isinstance(each, str):
            assert ID.fullmatch(each), (name, each)
        look_at(each)
