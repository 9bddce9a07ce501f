"""What the server shows of itself: the API reference, the OpenAPI document, and whether it is well."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from refonte_studio.db.health import probe
from refonte_studio.kit.errors import Unavailable
from refonte_studio.kit.ids import digest
from refonte_studio.web.openapi import Schema
from refonte_studio.web.operation import Studio, encode
from refonte_studio.web.reference import Page, render

READY_TIMEOUT_S = 5.0
LOOK = [HttpMethod.GET, HttpMethod.HEAD]  # what load balancers and browsers send
ASIDE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


def site(studio: Studio, document: Callable[[], Schema]) -> list[ControllerRouterHandler]:
    """`/`, `/docs`, `/openapi.json`, `/healthz` and `/readyz`, all public. `document` is made once, when asked for."""

    @cache
    def as_json() -> bytes:
        return encode(document())

    @cache
    def as_page() -> Page:
        return render(document())

    @route("/", http_method=LOOK, status_code=307)
    async def root() -> Redirect:
        return Redirect("/docs", status_code=307)

    @route("/openapi.json", http_method=LOOK)
    async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _cached(request, as_json(), "application/json", {"Access-Control-Allow-Origin": "*"})

    @route("/docs", http_method=LOOK)
    async def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
        page = as_page()
        return _cached(request, page.html, "text/html", {"Content-Security-Policy": page.policy})

    @route("/healthz", http_method=LOOK)
    async def healthz() -> Response[bytes]:
        return Response(encode({"status": "ok"}), media_type="application/json", headers={"Cache-Control": "no-store"})

    @route("/readyz", http_method=LOOK)
    async def readyz() -> Response[bytes]:
        return await _ready(studio)

    return [root, openapi, docs, healthz, readyz]


def _cached(request: Request[Any, Any, Any], content: bytes, media_type: str, more: dict[str, str]) -> Response[bytes]:
    """The content, or 304 if the client has it."""
    etag = f'"{digest(content.decode())[:32]}"'
    headers = {**ASIDE, **more, "ETag": etag}
    asked = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if etag in asked or "*" in asked:
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


async def _ready(studio: Studio) -> Response[bytes]:
    """Whether the database can be read and written now."""
    wrong = ""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await studio.db.read(probe)
            await studio.db.write(probe)
    except TimeoutError:
        wrong = f"the database did not answer within {READY_TIMEOUT_S:g} s"
    except Unavailable as error:
        wrong = error.message
    body = {"status": "ready", "database": "ok", "engine": studio.db.engine}
    headers = {"Cache-Control": "no-store"}
    if wrong:
        body = {"status": "not ready", "database": wrong, "engine": studio.db.engine}
        headers["Retry-After"] = "1"
    return Response(encode(body), status_code=503 if wrong else 200, media_type="application/json", headers=headers)
