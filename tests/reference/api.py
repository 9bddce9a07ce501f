"""The page about the API: every call, who may make it, and what its parameters are."""

from itertools import groupby

import msgspec

from refonte_studio.kit.caller import ALLOWED
from refonte_studio.main import OPERATIONS
from refonte_studio.web import Operation
from tests.reference.markdown import table

INTRO = """\
# The API

Every call, with the roles that may make it. [Requests and answers](requests.md) explains how calls are written,
[Errors](errors.md) how they fail. The whole of each call, with its schemas and examples, is in
[`openapi.json`](../../openapi.json) (OpenAPI 3.1) and, readable, at `/docs` on a server.

"""


def _roles(operation: Operation) -> str:
    if operation.permission is None:
        return "anybody"
    return ", ".join(role.value for role, allowed in ALLOWED.items() if operation.permission in allowed)


def _row(operation: Operation) -> tuple[str, str, str, str]:
    calls = "<br>".join(f"`{method} {operation.path}`" for method in operation.methods)
    names = [field.encode_name for field in msgspec.structs.fields(operation.params)]
    return calls, operation.summary, _roles(operation), ", ".join(f"`{name}`" for name in names)


def document() -> str:
    parts = [INTRO]
    for tag, operations in groupby(sorted(OPERATIONS, key=lambda each: each.tag), key=lambda each: each.tag):
        parts.append(f"## {tag}\n\n")
        parts.append(table(("call", "does", "roles", "parameters"), [_row(each) for each in operations]) + "\n")
    return "".join(parts).rstrip() + "\n"
