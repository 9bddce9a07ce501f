"""The ASGI application: routes requests to operations, and gives every answer and error its form."""

import base64
import binascii
import hmac
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast
from urllib.parse import quote, unquote, unquote_to_bytes

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from refonte_studio.kit.errors import BadInput, Forbidden, NotFound, StudioError, TooLarge, Unauthorized
from refonte_studio.kit.ids import digest
from refonte_studio.web.operation import Answer, Body, Call, Credential, Method, Operation, Studio, encode
from refonte_studio.web.params import decode_json, decode_object, query_pairs, read_params

SESSION_COOKIE = "studio_session"
log = logging.getLogger(__name__)


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
    return _keep_encoded_slashes(app)


def _keep_encoded_slashes(app: ASGIApp) -> ASGIApp:
    """Routes by the path as it was sent, so that a name may hold an encoded slash."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw and b"%" in raw:
            path = raw.partition(b"?")[0]
            try:
                parts = [quote(unquote(part.decode("ascii"), errors="strict"), safe="") for part in path.split(b"/")]
            except UnicodeDecodeError:
                await _send_error(send, 400, f"the path is not UTF-8: {unquote_to_bytes(path)!r}")
                return
            scope["path"] = "/".join(parts)
        await app(scope, receive, send)

    return wrapped


async def _send_error(send: Send, status: int, message: str) -> None:
    body = encode({"status_code": status, "error": message})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _route(studio: Studio, operation: Operation) -> HTTPRouteHandler:
    async def serve(request: Request[Any, Any, Any]) -> Response[Any]:
        return await _serve(studio, operation, request)

    path = operation.path.replace("}", ":str}")
    return HTTPRouteHandler(path, http_method=list(operation.methods), name=operation.name, status_code=200)(serve)


async def _serve(studio: Studio, operation: Operation, request: Request[Any, Any, Any]) -> Response[Any]:
    method = cast(Method, request.method)  # the route takes no other
    call = Call(
        studio=studio,
        now=studio.clock(),
        path={name: unquote(value) for name, value in request.path_params.items()},
        credential=None if operation.permission is None else _credential(request),
        content_type=request.headers.get("content-type", ""),
        stream=request.stream,
        range=request.headers.get("range"),
    )
    if operation.permission is None:
        _check_site(request)
    else:
        call.signed_in = await _authenticated(operation, call, method, request.headers.get("x-csrf-token"))
    named: dict[str, str] = {}
    try:
        _check_path(call.path)
        params = await _read(operation, call, request, named)
    except BadInput:
        if operation.locate is not None:  # a 404 goes before a 400
            known = {name: text for name, text in named.items() if "\x00" not in text}  # no name holds one
            await studio.db.read(operation.locate, call.signed_in, {**known, **call.path})
        raise
    answer = _answer(await operation.handler(call, params))
    if method in operation.deprecated:
        answer.headers["Deprecation"] = "true"
        answer.headers["Link"] = f'<{request.url.path}>; rel="successor-version"; method="{operation.methods[0]}"'
    return answer


def _check_site(request: Request[Any, Any, Any]) -> None:
    """Another site's page may not sign anybody in: its visitor would work as somebody else without knowing."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise Forbidden("this call cannot be made from another site's page")


def _check_path(path: Mapping[str, str]) -> None:
    for name, value in path.items():
        if "\x00" in value:
            raise NotFound(f"there is no {name} {value!r}")


async def _authenticated(operation: Operation, call: Call, method: Method, csrf: str | None) -> Any:
    credential = call.credential
    if credential is None:
        raise Unauthorized("an API key or a session is needed")
    by_session = credential.kind == "session" and operation.changes
    if by_session and method == "GET":
        raise Unauthorized("this call changes state, so a GET needs an Authorization header; use POST")
    caller = await call.studio.authenticate(call.db, credential, call.now)
    if caller is None:
        raise Unauthorized(f"the {'API key' if credential.kind == 'key' else 'session'} is not valid")
    if by_session and not hmac.compare_digest((csrf or "").encode(), csrf_token(credential.secret).encode()):
        raise Forbidden("a call that changes state in a cookie session needs the header X-CSRF-Token")
    assert operation.permission is not None
    if not caller.may(operation.permission):
        raise Forbidden(f"a {caller.role} may not do this")
    return caller


def csrf_token(session_token: str) -> str:
    """The token that a page of the same origin can read and another site cannot know."""
    return digest(f"csrf:{session_token}")[:40]


def _credential(request: Request[Any, Any, Any]) -> Credential | None:
    """What the request shows. Raises Unauthorized for a malformed header; a header wins over a cookie."""
    header = request.headers.get("authorization")
    if header is None:
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(SESSION_COOKIE)
        except CookieError:
            return None
        return Credential("session", cookie.value) if cookie and cookie.value else None
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        try:
            user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = colon = password = ""
        value = user if colon and not password else ""
    elif scheme.lower() != "bearer":
        value = ""
    if not value:
        raise Unauthorized("the Authorization header must be Basic with the API key as user name, or Bearer")
    return Credential("key", value)


async def _read(operation: Operation, call: Call, request: Request[Any, Any, Any], named: dict[str, str]) -> Any:
    """The operation's parameters; `named` gets every text among them, as far as they can be read."""
    pairs = query_pairs(request.scope["query_string"])
    named.update(pairs)
    if operation.body is Body.STREAM:
        return read_params(operation.params, pairs, {})
    body = await read_body(call.stream(), call.studio.settings.body_limit_bytes, request.headers.get("content-length"))
    if operation.body is Body.JSON:
        call.body = decode_json(body) if body.strip() else None
        return read_params(operation.params, pairs, {})
    if operation.body is Body.OPEN:
        call.body, call.query = decode_object(body), pairs
        return operation.params()
    given = decode_object(body)
    named.update((name, value) for name, value in given.items() if isinstance(value, str))
    return read_params(operation.params, pairs, given)


async def read_body(chunks: AsyncIterator[bytes], limit_bytes: int, content_length: str | None = None) -> bytes:
    """A whole body. Raises TooLarge beyond the limit, before reading it all."""
    if content_length is not None and content_length.isdigit() and int(content_length) > limit_bytes:
        raise TooLarge(f"the body has {int(content_length):,} bytes; the limit is {limit_bytes:,}")
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit_bytes:
            raise TooLarge(f"the body has more than {limit_bytes:,} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _answer(result: Any) -> Response[Any]:
    if result is None:
        return Response(b"", status_code=204)
    if not isinstance(result, Answer):
        return Response(encode(result), media_type="application/json")
    if isinstance(result.content, bytes):
        return Response(
            result.content, status_code=result.status, media_type=result.media_type, headers=dict(result.headers)
        )
    return Stream(result.content, status_code=result.status, media_type=result.media_type, headers=dict(result.headers))


def _studio_error(_request: Request[Any, Any, Any], error: StudioError) -> Response[bytes]:
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="Refonte Studio"'  # for Basic, a browser would show its own dialog
    body = {"status_code": error.status, "error": error.message, **error.details}
    return Response(encode(body), status_code=error.status, media_type="application/json", headers=headers)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Litestar's own errors: no such path, or not by this method."""
    message = f"there is no {request.method} {request.scope['path']}"
    body = {"status_code": error.status_code, "error": message if error.status_code in (404, 405) else error.detail}
    return Response(
        encode(body), status_code=error.status_code, media_type="application/json", headers=dict(error.headers or {})
    )


def _bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
    body = {"status_code": 500, "error": "the server failed at this call; its log says why"}
    return Response(encode(body), status_code=500, media_type="application/json")


__all__ = ["SESSION_COOKIE", "create_app", "csrf_token", "read_body"]
