"""The ASGI application: every request comes in here, and every response and error gets the form of the API."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from refonte_studio.web.operation import STUDIO, Operation, Studio
from refonte_studio.web.responses import error_response
from refonte_studio.web.routing import (
    OperationRoutes,
    check_host,
    no_such_path,
    requested_path,
    without_empty_segments,
)

Lifespan = Callable[[], AbstractAsyncContextManager[None]]


def create_app(
    studio: Studio, operations: Sequence[Operation], pages: Sequence[BaseRoute], lifespan: Lifespan
) -> ASGIApp:
    """The whole server as one ASGI application. `lifespan` is open while it serves."""

    def whole_life(_app: Any) -> AbstractAsyncContextManager[None]:
        return lifespan()

    routes = [OperationRoutes(studio, operations), *pages]
    return Application(studio, Router(routes, redirect_slashes=False, default=no_such_path, lifespan=whole_life))


class Application:
    """Routes requests, and sends what comes of them.

    Every response tells browsers to take it as it is; a response of the API, to keep no copy of it; and where people
    reach the server over TLS, to come back over TLS alone.
    """

    def __init__(self, studio: Studio, router: Router) -> None:
        self._studio = studio
        self._router = router
        self._headers = {b"x-content-type-options": b"nosniff"}
        if studio.settings.secure:
            self._headers[b"strict-transport-security"] = b"max-age=31536000"
        self._api_headers = {**self._headers, b"cache-control": b"no-store"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        path: str = scope["path"]
        headers = self._api_headers if path.startswith("/v1") else self._headers
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = [header for header in message["headers"] if header[0] not in headers]
                message["headers"] = [*own, *headers.items()]
            await send(message)

        try:
            path = requested_path(scope)
            check_host(scope)
            scope["path"] = without_empty_segments(path)
            scope[STUDIO] = self._studio
            await self._router(scope, receive, send_with_headers)
        except ClientDisconnect:
            return  # there is nobody left to answer
        except Exception as error:
            if started:
                raise  # which closes the connection: a part must not pass for the whole
            response = error_response(error, scope["method"], path)
            await response(scope, receive, send_with_headers)
