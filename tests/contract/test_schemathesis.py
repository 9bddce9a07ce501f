"""Calls generated from the OpenAPI document, by every role: no 5xx, nothing undocumented, responses as described."""

import json
from copy import deepcopy
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract import response_checks
from tests.live import LiveServer, LiveTeam, live  # noqa: F401 - fixture

EXAMPLES = 4  # calls of each operation by each role, half of them with valid input
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ("ana", "max", "mia", "ben")
LIMITS = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/x-ndjson")
def as_lines(context: Any, value: Any) -> bytes:
    """One line of JSON for each value, or text as it is."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    lines = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


Operation = APIOperation[Any, Any, Any, Any]
Things = dict[str, list[Any]]


def operations() -> list[Operation]:
    schema = schemathesis.openapi.from_dict(deepcopy(response_checks.document()))  # it writes into it
    return [result.ok() for result in schema.get_all_operations()]


def things_of(team: LiveTeam, path: str) -> Things:
    """Things that are there, by the names of parameters that may name them on this path."""

    def post(path: str, body: dict[str, Any], person: str = "ana") -> Any:
        key = getattr(team, person).keys["live"]
        response = requests.post(f"{team.server.url}/v1{path}", json=body, auth=(key, ""), timeout=10)
        assert response.status_code == 200, response.text
        return response.json()

    everybody = [getattr(team, name).email for name in (*ROLES, "dee")]
    project = {"type": "categorization", "studio": True, "params": {"categories": ["cat", "dog"]}}
    post("/projects", {"name": "Dogs", **project})
    post("/studio/assignments/add", {"emails": everybody, "projects": ["Dogs"]})
    post("/studio/projects/Dogs/groups", {"name": "experts", "emails": [team.ben.email]})
    for name in ("Monday", "Tuesday"):
        post("/batches", {"project": "Dogs", "name": name})
    body = {"project": "Dogs", "batch": "Monday", "attachment": "https://x.example/1"}
    tasks = [post("/task/categorization", body)["task_id"] for _ in range(len(ROLES) + 2)]
    post("/batches/Monday/finalize", {})
    held = {name: post("/work/claim", {}, name) for name in ROLES}
    for name in ("ana", "mia") if "/audit" in path else ():
        post(f"/work/{held[name]['claim_id']}/submit", {"response": {"category": "cat"}}, name)
    if "/callbacks" in path:
        told = post("/task/categorization", {**body, "batch": None, "callback_url": "http://127.0.0.1:9"})
        post(f"/task/{told['task_id']}/cancel", {})
    things = {
        **{name: [[team.dee.email]] for name in ("emails", "add_emails", "remove_emails", "labeler_emails")},
        "name": ["Dogs"] if "/projects/" in path else ["Monday", "Tuesday"],
        "id": _ids(team, path) or tasks[: len(held)],
        "type_or_id": ["categorization", *tasks],
        "n": ["1"],
        "claim": [claim["claim_id"] for claim in held.values()],
        "project": ["Dogs"],
        "projectName": ["Dogs"],
        "projects": [["Dogs"]],
        "group": ["experts"],
        "groups": [["experts"], []],
        "batch": ["Monday"],
        "batches": [["Monday"]],
        "team_role": ["member", "labeler"],
        "pipeline": ["standard_task"],
        "mode": ["live", "test"],
        "type": ["categorization"],
        "attachment": ["https://x.example/1"],
        "response": [{"category": "cat"}],
        "expected_response": [{"category": "cat"}],
        "next_token": [tasks[0]],
        "limit": [7],
    }
    # a new thing needs a new name
    return {name: values for name, values in things.items() if name != "name" or "{name}" in path}


def _ids(team: LiveTeam, path: str) -> list[str]:
    """Ids of callbacks or keys, where the path is of them."""
    for of in ("/v1/callbacks", "/v1/keys"):
        if path.startswith(of):
            key = team.ana.keys["live"]
            listed = requests.get(f"{team.server.url}{of}", auth=(key, ""), timeout=10).json()
            docs = listed["docs"] if isinstance(listed, dict) else listed
            return [each["id"] for each in docs if each.get("mode") != "live"]
    return []


def settle(case: Case, things: Things, data: st.DataObject) -> None:
    """Puts names of what is there in the place of many that are made up, and keeps body and query from disagreeing."""
    parts: list[Any] = [case.path_parameters, case.query, case.body]
    if isinstance(case.body, dict) and case.body and case.query:
        for name in set(case.body) & set(case.query):
            del case.query[name]
    for part in parts:
        for name in [name for name in part if name in things] if isinstance(part, dict) else ():
            if data.draw(st.sampled_from([True, True, True, True, True, False])):
                part[name] = data.draw(st.sampled_from(things[name]))


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_every_answer_is_documented_and_as_described(live: LiveServer, operation: Operation):  # noqa: F811
    team = live.team()
    things = things_of(team, operation.path)
    with requests.Session() as session:
        for number, role in enumerate(ROLES):
            session.headers["Authorization"] = f"Bearer {getattr(team, role).keys['live']}"
            try_out(operation, team.server.url, session, things, number)


def try_out(operation: Operation, url: str, session: requests.Session, things: Things, number: int) -> None:
    """Calls the operation with made-up input, valid and not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

    @seed(number)
    @LIMITS
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]), data=st.data())
    def answers_well(case: Case, data: st.DataObject) -> None:
        settle(case, things, data)
        response = case.call(base_url=url, session=session, timeout=20)
        case.validate_response(response, checks=CHECKS)

    answers_well()
