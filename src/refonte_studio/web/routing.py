"""Which operation or page a request is for.

Starlette's router tries its routes one after another. All operations are one of them: they find theirs in a tree of
the segments of their paths, so that the last of a hundred and more costs no more than the first.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from refonte_studio.kit.errors import BadInput
from refonte_studio.web.operation import Operation, Studio
from refonte_studio.web.request import StudioRequest
from refonte_studio.web.serving import serve

_HOST = re.compile(rb"[0-9A-Za-z!$&'()*+,;=\-._~:\[\]@%]*")
_SLASHES = re.compile("//+")
_OPERATIONS = "studio_operations"


def requested_path(scope: Scope) -> str:
    """The path of a request with each segment percent-encoded, so that a name may hold an encoded slash.

    Raises BadInput for a path that is not UTF-8.
    """
    raw: bytes | None = scope.get("raw_path")
    if not raw or b"%" not in raw:
        return scope["path"]
    path = raw.partition(b"?")[0]
    try:
        segments = [quote(unquote(segment.decode("ascii"), errors="strict"), safe="") for segment in path.split(b"/")]
    except UnicodeDecodeError as error:
        raise BadInput(f"the path is not UTF-8: {unquote_to_bytes(path)!r}") from error
    return "/".join(segments)


def without_empty_segments(path: str) -> str:
    """The path as it is routed: slashes at the end, and several in a row, make no difference."""
    if path.startswith("/") and not path.endswith("/") and "//" not in path:
        return path
    return _SLASHES.sub("/", f"/{path.strip('/')}")


def check_host(scope: Scope) -> None:
    """Raises HTTPException for a Host header with a character that no host name or port has."""
    for name, value in scope["headers"]:
        if name == b"host":
            if _HOST.fullmatch(value) is None:
                raise HTTPException(400, "Invalid host header")
            return


@dataclass(slots=True)
class _Segment:
    """One segment of paths, and what may follow it."""

    fixed: dict[str, "_Segment"] = field(default_factory=dict)
    name: "_Segment | None" = None  # a name may stand here, where none of the fixed segments does
    operations: dict[str, tuple[Operation, Sequence[str]]] = field(default_factory=dict)  # by method, with their names

    def after(self, segment: str) -> "_Segment":
        """The segment that follows this one in the path of an operation."""
        if not segment.startswith("{"):
            return self.fixed.setdefault(segment, _Segment())
        if self.name is None:
            self.name = _Segment()
        return self.name


class OperationRoutes(BaseRoute):
    """The routes of all operations."""

    def __init__(self, studio: Studio, operations: Sequence[Operation]) -> None:
        self._studio = studio
        self._first = _Segment()
        for operation in operations:
            last = self._first
            for segment in operation.path.split("/")[1:]:
                last = last.after(segment)
            names = re.findall(r"\{(\w+)\}", operation.path)
            for method in operation.methods:
                assert method not in last.operations, f"{method} {operation.path} is there twice"
                last.operations[method] = (operation, names)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        segment, values = self._first, list[str]()
        for text in scope["path"].split("/")[1:]:
            following = segment.fixed.get(text)
            if following is None:
                following = segment.name
                if following is None:
                    return Match.NONE, {}
                values.append(text)
            segment = following
        if not segment.operations:
            return Match.NONE, {}
        return Match.FULL, {_OPERATIONS: (segment.operations, values)}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        operations, values = scope[_OPERATIONS]
        found = operations.get(scope["method"])
        if found is None:
            await _answer_other_method(operations, scope, receive, send)
            return
        operation, names = found
        scope["path_params"] = dict(zip(names, values, strict=True))
        request = StudioRequest(scope, receive)
        if not operation.bulk:
            response = await serve(self._studio, operation, request)
            await response(scope, receive, send)
            return
        async with self._studio.bulk.permits(scope):
            response = await serve(self._studio, operation, request)
            await response(scope, receive, send)


class PageRoute(Route):
    """The route of a page, which takes exactly the methods named."""

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], methods: Collection[str]) -> None:
        super().__init__(path, endpoint)
        self.methods = set(methods)  # Starlette would add HEAD

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in self.methods:
            await self.app(scope, receive, send)
        else:
            await _answer_other_method(self.methods, scope, receive, send)


async def _answer_other_method(methods: Collection[str], scope: Scope, receive: Receive, send: Send) -> None:
    """Tells which methods a path takes: to whoever asks for them, and to whoever tried another one."""
    allow = {"Allow": ", ".join(sorted([*methods, "OPTIONS"]))}
    if scope["method"] != "OPTIONS":
        raise HTTPException(405, headers=allow)
    await Response(status_code=204, headers=allow)(scope, receive, send)


async def no_such_path(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Serves every path that has no route, with HTTPException 404."""
    raise HTTPException(404)
