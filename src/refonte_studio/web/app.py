"""The ASGI application: routes requests to operations, and gives every answer and error its form."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from refonte_studio.kit.errors import StudioError
from refonte_studio.web.inbound import Disconnected, Inbound
from refonte_studio.web.operation import STUDIO, HttpResponse, Operation, Studio, encode, studio_of
from refonte_studio.web.serving import failure, refusal, serve
from refonte_studio.web.shortcut import ShortCut, send_whole

Lifespan = Callable[[], AbstractAsyncContextManager[None]]


def routes(operations: Sequence[Operation], pages: Sequence[ControllerRouterHandler] = ()) -> ASGIApp:
    """What routes requests to operations and pages.

    It takes long to make and holds nothing of a studio, so that several applications can share it; each puts its own
    studio into the scope of its requests.
    """
    return Litestar(
        route_handlers=[*(_route(operation) for operation in operations), *pages],
        exception_handlers={StudioError: _studio_error, HTTPException: _http_error, Exception: _bug},
        openapi_config=None,
        request_max_body_size=None,  # bounded by each operation
        logging_config=None,
    )


def create_app(studio: Studio, operations: Sequence[Operation], routed: ASGIApp, lifespan: Lifespan) -> ASGIApp:
    """The whole server as one ASGI application, on `routes` of the same operations.

    `lifespan` is open while it serves.
    """
    app = ShortCut(studio, operations, _keep_encoded_slashes(routed))
    return _living(studio, _with_headers(app, studio.settings.secure), lifespan)


def _living(studio: Studio, app: ASGIApp, lifespan: Lifespan) -> ASGIApp:
    """Tells each request its studio, and begins and ends with the server."""

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(lifespan, receive, send)
            return
        scope[STUDIO] = studio
        await app(scope, receive, send)

    return wrapped


async def _live(lifespan: Lifespan, receive: Receive, send: Any) -> None:
    """The application's side of ASGI's lifespan: an error while it begins or ends is raised."""
    await receive()
    async with lifespan():
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _with_headers(app: ASGIApp, secure: bool) -> ASGIApp:
    """Adds to every answer what tells browsers to take it as it is, to keep no copy of what the API says, and, where
    people reach the server over TLS, to come that way only."""
    everywhere = [(b"x-content-type-options", b"nosniff")]
    if secure:
        everywhere.append((b"strict-transport-security", b"max-age=31536000"))
    of_api = [*everywhere, (b"cache-control", b"no-store")]

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        more = of_api if scope.get("path", "").startswith("/v1") else everywhere

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                names = [name for name, _ in more]
                kept = [header for header in message.get("headers", ()) if header[0] not in names]
                message["headers"] = [*kept, *more]
            await send(message)

        await app(scope, receive, sending)

    return wrapped


def _keep_encoded_slashes(app: ASGIApp) -> ASGIApp:
    """Routes by the path as it was sent, so that a name may hold an encoded slash."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw and b"%" in raw:
            path = raw.partition(b"?")[0]
            try:
                parts = [quote(unquote(part.decode("ascii"), errors="strict"), safe="") for part in path.split(b"/")]
            except UnicodeDecodeError:
                message = f"the path is not UTF-8: {unquote_to_bytes(path)!r}"
                await send_whole(send, HttpResponse(encode({"status_code": 400, "error": message}), status=400))
                return
            scope["path"] = "/".join(parts)
        await app(scope, receive, send)

    return wrapped


def _route(operation: Operation) -> HTTPRouteHandler:
    async def served(request: Request[Any, Any, Any]) -> Response[Any]:
        inbound = Inbound(request.scope, request.receive, request.path_params)
        return _response(await serve(studio_of(request.scope), operation, inbound))

    path = operation.path.replace("}", ":str}")
    around = [_in_bulk] if operation.bulk else []
    methods = list(operation.methods)
    return HTTPRouteHandler(path, http_method=methods, name=operation.name, status_code=200, middleware=around)(served)


def _in_bulk(app: ASGIApp) -> ASGIApp:
    """The application, with a place for the imports and exports of its studio; see web/bulk.py."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async with studio_of(scope).bulk.places(scope):
            await app(scope, receive, send)

    return wrapped


def _response(answer: HttpResponse) -> Response[Any]:
    content = answer.content
    if isinstance(content, bytes):
        return Response(content, status_code=answer.status, media_type=answer.media_type, headers=dict(answer.headers))
    return Stream(content, status_code=answer.status, media_type=answer.media_type, headers=dict(answer.headers))


def _studio_error(_request: Request[Any, Any, Any], error: StudioError) -> Response[Any]:
    return _response(refusal(error))


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own errors: no such path, or not by this method."""
    message = f"there is no {request.method} {request.scope['path']}"
    body = {"status_code": error.status_code, "error": message if error.status_code in (404, 405) else error.detail}
    return Response(
        encode(body), status_code=error.status_code, media_type="application/json", headers=dict(error.headers or {})
    )


def _bug(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if isinstance(error, Disconnected):
        return Response(b"", status_code=400)  # which nobody will see
    return _response(failure(error, request.method, request.scope["path"]))
