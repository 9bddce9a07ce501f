"""Calls made up from the OpenAPI document, by every role: no 5xx, nothing undocumented, every answer as described."""

import json
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract import answers
from tests.live import LiveServer, LiveTeam, live  # noqa: F401 - fixture

EXAMPLES = 4  # calls of each operation by each role, half of them with valid input
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = ("ana", "max", "mia", "ben")
LIMITS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
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
    schema = schemathesis.openapi.from_dict(answers.document())
    return [result.ok() for result in schema.get_all_operations()]


def things_of(team: LiveTeam) -> Things:
    """Things that are there, by the names of parameters that may name them."""

    def post(path: str, body: dict[str, Any], person: str = "ana") -> Any:
        key = getattr(team, person).keys["live"]
        response = requests.post(f"{team.server.url}/v1{path}", json=body, auth=(key, ""), timeout=10)
        assert response.status_code == 200, response.text
        return response.json()

    everybody = [getattr(team, name).email for name in (*ROLES, "dee")]
    categories = {"categories": ["cat", "dog"]}
    post("/projects", {"name": "Dogs", "type": "categorization", "studio": True, "params": categories})
    post("/studio/assignments/add", {"emails": everybody, "projects": ["Dogs"]})
    post("/studio/projects/Dogs/groups", {"name": "experts", "emails": [team.ben.email]})
    for name in ("Monday", "Tuesday"):
        post("/batches", {"project": "Dogs", "name": name})
    tasks = [
        post("/task/categorization", {"project": "Dogs", "batch": "Monday", "attachment": "https://x.example/1"})
        for _ in range(2)
    ]
    post("/batches/Monday/finalize", {})
    claims = {name: post("/work/claim", {}, name)["claim_id"] for name in ("ana", "ben")}
    return {
        **{name: [[team.dee.email]] for name in ("emails", "add_emails", "remove_emails", "labeler_emails")},
        "project": ["Dogs"],
        "projectName": ["Dogs"],
        "group": ["experts"],
        "projects": [["Dogs"]],
        "groups": [["experts"], []],
        "name": ["Dogs", "Monday", "Tuesday"],
        "batch": ["Monday"],
        "batches": [["Monday"]],
        "team_role": ["member", "labeler"],
        "pipeline": ["standard_task", "consensus_task"],
        "mode": ["live", "test"],
        "type": ["categorization"],
        "type_or_id": ["categorization", *(task["task_id"] for task in tasks)],
        "id": [task["task_id"] for task in tasks],
        "claim": list(claims.values()),
        "response": [{"category": "cat"}],
        "expected_response": [{"category": "cat"}],
        "next_token": [tasks[0]["task_id"]],
        "start_time": ["2020-01-01"],
    }


def settle(case: Case, things: Things, data: st.DataObject) -> None:
    """Puts names of what is there in the place of many that are made up, and keeps body and query from disagreeing."""
    parts: list[Any] = [case.path_parameters, case.query, case.body]
    if isinstance(case.body, dict) and case.body and case.query:
        for name in set(case.body) & set(case.query):
            del case.query[name]
    for part in parts:
        for name in [name for name in part if name in things] if isinstance(part, dict) else ():
            if data.draw(st.integers(0, 3)):
                part[name] = data.draw(st.sampled_from(things[name]))


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_every_answer_is_documented_and_as_described(live: LiveServer, operation: Operation):  # noqa: F811
    team = live.team()
    things = things_of(team)
    with requests.Session() as session:
        for role in ROLES:
            session.headers["Authorization"] = f"Bearer {getattr(team, role).keys['live']}"
            try_out(operation, team.server.url, session, things)


def try_out(operation: Operation, url: str, session: requests.Session, things: Things) -> None:
    """Calls the operation with made-up input, valid and not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

    @LIMITS
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]), data=st.data())
    def answers_well(case: Case, data: st.DataObject) -> None:
        settle(case, things, data)
        response = case.call(base_url=url, session=session, timeout=20)
        case.validate_response(response, checks=CHECKS)

    answers_well()
