"""What the server shows of itself: the API reference, the OpenAPI document, and whether it is well."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from refonte_studio.db.health import probe, probe_write
from refonte_studio.kit.errors import Overloaded, Unavailable
from refonte_studio.kit.ids import digest
from refonte_studio.web.openapi import Schema
from refonte_studio.web.operation import Studio, encode, studio_of
from refonte_studio.web.reference import Page, render

READY_TIMEOUT_S = 5.0
READY_MS = 1_000  # how long it is good to know that the database serves, however many ask
LOOK = [HttpMethod.GET, HttpMethod.HEAD]  # what load balancers and browsers send
ASIDE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


def site(document: Callable[[], Schema]) -> list[ControllerRouterHandler]:
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
    async def readyz(request: Request[Any, Any, Any]) -> Response[bytes]:
        studio = studio_of(request.scope)
        return await studio.services[Readiness].answer(studio)

    return [root, openapi, docs, healthz, readyz]


def _cached(request: Request[Any, Any, Any], content: bytes, media_type: str, more: dict[str, str]) -> Response[bytes]:
    """The content, or 304 if the client has it."""
    etag = f'"{digest(content.decode())[:32]}"'
    headers = {**ASIDE, **more, "ETag": etag}
    asked = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if etag in asked or "*" in asked:
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


class Readiness:
    """Whether the database can be read and written now. It is asked by one at a time, for all who want to know."""

    def __init__(self) -> None:
        self._ready_at: int | None = None
        self._asking: asyncio.Future[str] | None = None

    async def answer(self, studio: Studio) -> Response[bytes]:
        wrong = "" if self._was_ready(studio) else await self._ask_together(studio)
        body: dict[str, Any] = {"status": "ready", "database": "ok", "engine": studio.db.engine}
        headers = {"Cache-Control": "no-store"}
        warnings = studio.clients.warnings(studio.clock())
        if warnings:
            body["warnings"] = warnings
        if wrong:
            body |= {"status": "not ready", "database": wrong}
            headers["Retry-After"] = "1"
        return Response(encode(body), status_code=503 if wrong else 200, media_type="application/json", headers=headers)

    def _was_ready(self, studio: Studio) -> bool:
        return self._ready_at is not None and 0 <= studio.clock() - self._ready_at < READY_MS

    async def _ask_together(self, studio: Studio) -> str:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask(studio))
        return await asyncio.shield(self._asking)

    async def _ask(self, studio: Studio) -> str:
        """What is wrong; empty if nothing is."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await studio.db.read(probe)
                if not studio.db.occupied:  # or else it is at work, which another server would not do for it
                    await studio.db.write(probe_write)
        except TimeoutError:
            if studio.db.occupied:
                return ""
            return f"the database did not answer within {READY_TIMEOUT_S:g} s"
        except Overloaded:
            return ""  # it serves, as many as it can: another server would not be helped by this one's leaving
        except Unavailable as error:
            return error.message
        self._ready_at = studio.clock()
        return ""
