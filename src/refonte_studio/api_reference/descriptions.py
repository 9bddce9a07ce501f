"""What the API reference says beyond the operations themselves: the composition root's own words."""

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
Everything a team does with Refonte Studio goes through this API: people and projects, batches and tasks, the
labelers' own work, and the finished labels.

## Keys

Send an API key with every call, as Basic user name with an empty password, or as Bearer token. A key carries its
owner's role, and opens the **live** or the **test** world of the team: projects, batches, tasks and files of one are
invisible to the other. In test mode a task completes at once with a sample response, and its callback is sent.

```
export STUDIO_URL=http://localhost:8000 STUDIO_API_KEY=live_…
curl "$STUDIO_URL/v1/teams" -u "$STUDIO_API_KEY:"
```

## Parameters

* Every parameter may stand in the JSON body (`POST`, `PUT`, `DELETE`) or in the query string (every method).
* In a query a list is repeated (`a=1&a=2`), is written `a[]=1`, or is one value split at commas. In JSON a string
stands for a list of one.
* A body is JSON, or a form that says the same: `a=1&a=2` and `a[]=1` are lists, `a[b]=1` is an object.
* A number, or true or false, may be written as text (`"30"`, `"true"`) in parameters, but not in responses to tasks.
* `null`, and in a query a name without `=`, count as left out. A filter that is empty (`start_time=`) is refused.
* Unknown parameters are refused, and so are a parameter that differs between body and query, and a JSON object that
repeats a key. Passwords and tokens of invitations are taken in the body alone.
* Names in paths are percent-encoded and may hold spaces, slashes and any Unicode.
* Names and e-mail addresses are kept without white space around them and in composed Unicode (NFC), addresses in lower
case and with their domain in letters (`münchen.example`, not `xn--mnchen-3ya.example`). What is equal in this form is
the same thing wherever it is written: in bodies, paths, filters and imports. A name is one line and holds a visible
character.

## Answers

* Success is **200** with JSON, or **204** where there is nothing to say.
* Times are ISO 8601 in UTC with milliseconds: `2023-08-09T16:12:38.072Z`. Ids are 24 hexadecimal characters that sort
by creation.
* Lists come in pages, newest first: pass `next_token` of an answer to get what follows. Batches and tasks also take
`offset`; see there what it promises.

## Errors

An error is `{"status_code": 400, "error": "what was wrong, naming the offending value"}`. A call applies whole or not
at all: one that fails has changed nothing. Where several errors apply, 401 goes before 403, 403 before 404, and 404
before 400. A 503 means that the call may be tried again after `Retry-After` seconds; a 500 is a fault of the server's.
"""

LIMITS = f"""
## Size of a response

A response to a task holds at most {MAX_ANNOTATIONS:,} annotations and, in all of them together, {MAX_RUNS:,} runs of
masks, {MAX_VERTICES:,} vertices, {MAX_FRAMES:,} frames, {MAX_CHARACTERS:,} characters of text and {MAX_VALUES:,} other
values. A response that is larger is refused with 400.
"""

TAGS = {
    "Teams": "The people of a team, and what they are invited to be.",
    "Accounts": "Accepting an invitation, browser sessions, API keys.",
    "Projects": "What a team labels: parameters, pipelines, assignments and labeler groups.",
    "Studio Teams": "Who works on which project, and labeler groups.",
    "Batches": "Tasks that are worked together.",
    "Studio Actions": "Priorities and groups of batches, pipelines, and work that is called done.",
    "Tasks": "What is to be labeled, one by one or in bulk.",
    "Files": "Attachments that the server keeps.",
    "Quality": "Tasks whose answer is known, and how people do on them.",
    "Work": "What a labeler does, with their own key or session.",
    "Callbacks": "What the server posts to your URLs when tasks and batches end.",
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
    """The words, and the schemas of every task type."""
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
