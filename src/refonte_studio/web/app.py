"""The ASGI application: routes requests to operations, and gives every answer and error its form."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from refonte_studio.kit.errors import StudioError
from refonte_studio.web.inbound import Disconnected, Inbound
from refonte_studio.web.operation import Answer, Operation, Studio, encode
from refonte_studio.web.serving import SESSION_COOKIE, csrf_token, failure, refusal, serve
from refonte_studio.web.shortcut import ShortCut, send_whole


def create_app(
    studio: Studio,
    operations: Sequence[Operation],
    pages: Sequence[ControllerRouterHandler] = (),
    lifespan: Sequence[Callable[[Litestar], Any]] = (),
) -> ASGIApp:
    """The whole server as one ASGI application."""
    app = Litestar(
        route_handlers=[*(_route(studio, operation) for operation in operations), *pages],
        exception_handlers={StudioError: _studio_error, HTTPException: _http_error, Exception: _bug},
        lifespan=list(lifespan),
        openapi_config=None,
        request_max_body_size=None,  # bounded by each operation
        logging_config=None,
    )
    return ShortCut(studio, operations, _keep_encoded_slashes(app))


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
                await send_whole(send, Answer(encode({"status_code": 400, "error": message}), status=400))
                return
            scope["path"] = "/".join(parts)
        await app(scope, receive, send)

    return wrapped


def _route(studio: Studio, operation: Operation) -> HTTPRouteHandler:
    async def served(request: Request[Any, Any, Any]) -> Response[Any]:
        inbound = Inbound(request.scope, request.receive, request.path_params)
        return _response(await serve(studio, operation, inbound))

    path = operation.path.replace("}", ":str}")
    around = [studio.bulk.around] if operation.bulk else []
    methods = list(operation.methods)
    return HTTPRouteHandler(path, http_method=methods, name=operation.name, status_code=200, middleware=around)(served)


def _response(answer: Answer) -> Response[Any]:
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


__all__ = ["SESSION_COOKIE", "create_app", "csrf_token"]
