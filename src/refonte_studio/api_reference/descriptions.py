"""Texts of the API reference that belong to no operation, and the schemas of every task type."""

from collections.abc import Mapping
from typing import Any

from refonte_studio import __version__, task_types
from refonte_studio.api_reference.glossary import GLOSSARY
from refonte_studio.callbacks.policy.payloads import WEBHOOKS
from refonte_studio.task_types import (
    MAX_ANNOTATIONS,
    MAX_CHARACTERS,
    MAX_FRAMES,
    MAX_RUNS,
    MAX_VALUES,
    MAX_VERTICES,
    Parameter,
    TaskType,
)
from refonte_studio.web.openapi import REF, About, Schema

INTRO = """\
A team uses Refonte Studio through this API: it manages people, projects, batches and tasks, labels, reviews, and
retrieves the finished labels.

## Keys

Send an API key with every call: as the user name of Basic authentication with an empty password, or as a Bearer token.
A key has the role of its owner, and belongs to the **live** or the **test** mode of the team. Projects, batches, tasks
and files of one mode are invisible in the other. In test mode, a task completes at once with a sample response,
and its callback is sent.

```
export STUDIO_URL=http://localhost:8000 STUDIO_API_KEY=live_…
curl "$STUDIO_URL/v1/teams" -u "$STUDIO_API_KEY:"
```

## Parameters

* Parameters are accepted in the JSON body (`POST`, `PUT`, `DELETE`) and in the query string (every method).
* In a query, a list is a repeated parameter (`a=1&a=2`), `a[]=1`, or one value separated by commas. In JSON, a string
is accepted as a list of one.
* A body is JSON, or a form with the same content: `a=1&a=2` and `a[]=1` are lists, `a[b]=1` is an object.
* A number or a boolean may be written as text (`"30"`, `"true"`) in parameters, but not in responses to tasks.
* `null`, and a name without `=` in a query, mean that the parameter is absent. An empty filter (`start_time=`) is
refused.
* Unknown parameters, parameters with different values in body and query, and JSON objects with repeated keys are
refused. Passwords and invitation tokens are accepted only in the body.
* Names in paths are percent-encoded and may contain spaces, slashes and any Unicode.
* Names and e-mail addresses are stored without surrounding white space, in composed Unicode (NFC); addresses in lower
case and with their domain in Unicode (`münchen.example`, not `xn--mnchen-3ya.example`). Values that are equal in this
form are the same wherever they occur: in bodies, paths, filters and imports. A name is one line and contains a visible
character.

## Responses

* Success is **200** with JSON, or **204** without a body.
* Times are ISO 8601 in UTC with milliseconds: `2023-08-09T16:12:38.072Z`. Ids are 24 hexadecimal characters that sort
by creation.
* Lists are returned in pages, newest first. Pass the `next_token` of a response to get the next page. Lists of batches
and tasks also accept `offset`, as described there.

## Errors

An error is `{"status_code": 400, "error": "what was wrong, naming the offending value"}`. A call that
fails changes nothing. If several errors apply, 401 takes precedence over 403, 403 over 404, and 404 over 400. After a
503, the call may be retried in `Retry-After` seconds. A 500 is a fault of the server.
"""

LIMITS = f"""
## Size of a response

A response to a task contains at most {MAX_ANNOTATIONS:,} annotations and, in total, {MAX_RUNS:,} runs of
masks, {MAX_VERTICES:,} vertices, {MAX_FRAMES:,} frames, {MAX_CHARACTERS:,} characters of text and {MAX_VALUES:,} other
values. A larger response is refused with 400.
"""

TAGS = {
    "Teams": "The people of a team, and their roles and invitations.",
    "Accounts": "Invitations, browser sessions and API keys.",
    "Projects": "Parameters, pipelines, assignments and labeler groups.",
    "Studio Teams": "Assignments of people to projects, and labeler groups.",
    "Batches": "Tasks that are managed together.",
    "Studio Actions": "Priorities and groups of batches, pipelines, and sending tasks to completion.",
    "Tasks": "Tasks to be labeled: created one by one or in bulk.",
    "Files": "Attachments that the server keeps.",
    "Quality": "Tasks with a known answer, and how well people do them.",
    "Work": "Claims and submissions by a labeler, with their own key or session.",
    "Callbacks": "Messages that the server posts to your URLs when tasks and batches end.",
}

PATH_NAMES: dict[str, Schema] = {
    "project": {"type": "string", "description": "Name of the project.", "example": "Dog breeds"},
    "projectName": {"type": "string", "description": "Name of the project.", "example": "Dog breeds"},
    "name": {"type": "string", "description": "Its name.", "example": "Dog breeds"},
    "batch": {"type": "string", "description": "Name of the batch.", "example": "Monday"},
    "group": {"type": "string", "description": "Name of the labeler group.", "example": "experts"},
    "claim": {"type": "string", "description": "Id of a claim.", "example": "64d3b8a6f1c2a4e5b6d7c8f9"},
    "review": {"type": "string", "description": "Id of a review.", "example": "64d3b8a6f1c2a4e5b6d7c8fb"},
    "n": {
        "type": "string",
        "description": "Number of the file among those of the task, starting at 1.",
        "example": "1",
    },
    "id": {"type": "string", "description": "Its id.", "example": "64d3b8a6f1c2a4e5b6d7c8f0"},
    "task_id": {"type": "string", "description": "Id of the task.", "example": "64d3b8a6f1c2a4e5b6d7c8f0"},
    "file_id": {"type": "string", "description": "Id of the file.", "example": "64d3b8a6f1c2a4e5b6d7c8f1"},
    "type": {
        "type": "string",
        "enum": sorted(task_types.TYPES),
        "description": "The task type.",
        "example": "categorization",
    },
}


def about() -> About:
    """Returns the texts, and the schemas of every task type."""
    kinds = [task_types.TYPES[name] for name in sorted(task_types.TYPES)]
    schemas: dict[str, Schema] = {}
    for kind in kinds:
        schemas[_task(kind)] = _parameters_of(kind)
        schemas[_response(kind)] = _response_of(kind)
    anything = {"anyOf": [{"$ref": REF + _task(kind)} for kind in kinds]}
    return About(
        title="Refonte Studio API",
        version=__version__,
        description=INTRO + LIMITS,
        tags=TAGS,
        path_names=PATH_NAMES,
        bodies={"create_task": anything},
        schemas=schemas,
        webhooks=WEBHOOKS,
        glossary=GLOSSARY,
    )


def _task(kind: TaskType) -> str:
    return f"Task_{kind.name}"


def _response(kind: TaskType) -> str:
    return f"Response_{kind.name}"


def _parameters_of(kind: TaskType) -> Schema:
    every: Mapping[str, Parameter] = {**kind.parameters, **task_types.COMMON_PARAMETERS}
    return {
        "title": _task(kind),
        "description": f"Parameters of a `{kind.name}` task. {_doc(kind)}",
        "type": "object",
        "properties": {name: {**each.schema, "description": each.description} for name, each in every.items()},
        "additionalProperties": False,
        "examples": [kind.example_params],
    }


def _response_of(kind: TaskType) -> Schema:
    schema: dict[str, Any] = dict(kind.response_schema())
    schema.pop("$schema", None)
    if "properties" in schema:
        described = {
            name: {"description": GLOSSARY.get(name, ""), **each} for name, each in schema["properties"].items()
        }
        schema["properties"] = described
    return {
        "title": _response(kind),
        "description": f"Response to a `{kind.name}` task.",
        **schema,
        "examples": [kind.example_response],
    }


def _doc(kind: TaskType) -> str:
    lines = (type(kind).__doc__ or "").strip().splitlines()
    return "\n".join(line.strip() for line in lines)
