"""What an operation takes, read from the path, the query string, and a body of JSON or of a form."""

import asyncio
from collections.abc import Mapping
from typing import Any

from refonte_studio.kit.errors import BadInput, NotFound, shown
from refonte_studio.kit.json_text import decode_json
from refonte_studio.kit.names import address_key, name_key
from refonte_studio.web.bodies import SMALL_BYTES, WhoSends
from refonte_studio.web.forms import form_object, form_pairs
from refonte_studio.web.operation import Body, Call, Operation
from refonte_studio.web.params import BODY, LARGE_BYTES, decode_object, fields_of, query_pairs, read_params
from refonte_studio.web.request import StudioRequest

Pairs = list[tuple[str, str]]


def check_path(path: Mapping[str, str]) -> None:
    """Raises NotFound for a name that nothing can have."""
    for name, value in path.items():
        if "\x00" in value:
            raise NotFound(f"there is no {name} {value!r}")


async def read(operation: Operation, call: Call, request: StudioRequest, who: WhoSends, named: dict[str, str]) -> Any:
    """The operation's parameters. Every text among them is added to `named`, even if reading them fails later.

    Raises BadInput, and whatever reading the body raises.
    """
    pairs = query_pairs(request.scope["query_string"])
    named.update(pairs)
    pairs = _without_repeated(operation, call, pairs)
    if operation.body is Body.STREAM:
        return read_params(operation.params, pairs, {}, changes=False)
    body = await call.studio.bodies.read(request, _limit_bytes(operation, call), who)
    call.is_large = len(body) > LARGE_BYTES
    _check_content_type(operation, call)
    form = form_pairs(call.content_type, body)
    changes = operation.changes or request.method != "GET"
    if operation.body is Body.JSON:
        call.body = form_object(form) if form is not None else decode_json(body, BODY) if body.strip() else None
        return read_params(operation.params, pairs, {}, changes)
    given = form_object(form) if form is not None else await _decoded(body, operation)
    named.update((name, value) for name, value in given.items() if isinstance(value, str))
    given = dict(_without_repeated(operation, call, list(given.items())))
    if operation.body is Body.OPEN:
        call.body, call.query = given, pairs
        return operation.params()
    return read_params(operation.params, pairs, given, changes)


async def _decoded(body: bytes, operation: Operation) -> dict[str, Any]:
    """The object that a body is. A large body is decoded in a thread, so that other requests need not wait."""
    if len(body) <= LARGE_BYTES:
        return decode_object(body, operation.params.UNREAD)
    return await asyncio.to_thread(decode_object, body, operation.params.UNREAD)


def _limit_bytes(operation: Operation, call: Call) -> int:
    limit_bytes = call.studio.settings.body_limit_bytes
    # anybody may call a public operation
    return min(limit_bytes, SMALL_BYTES) if operation.permission is None else limit_bytes


def _check_content_type(operation: Operation, call: Call) -> None:
    """Raises BadInput for plain text, which browsers let pages of other sites send, and which no client needs."""
    if operation.permission is None and call.content_type.lower().startswith("text/plain"):
        raise BadInput(f"send the body as application/json, not as {shown(call.content_type)}")


def _without_repeated(operation: Operation, call: Call, given: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Leaves out parameters without effect, and the names in the path, which some clients send a second time.

    Raises BadInput if such a name differs from the one in the path.
    """
    own = fields_of(operation.params).keys() | operation.params.ALIASES.keys()
    left: list[tuple[str, Any]] = []
    for name, value in given:
        if name in operation.ignores:
            continue
        if name not in call.path or name in own:
            left.append((name, value))
        elif value is not None and not _same(value, call.path[name]):
            raise BadInput(f"{name} is {shown(value)}, but {shown(call.path[name])} in the path")
    return left


def _same(value: Any, named: str) -> bool:
    return isinstance(value, str) and (
        name_key(value) == name_key(named) or address_key(value.strip()) == address_key(named.strip())
    )
