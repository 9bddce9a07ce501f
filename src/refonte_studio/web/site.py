"""What the server publishes about itself: the API reference, the OpenAPI document, and its health."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from refonte_studio.db.health import probe, probe_write
from refonte_studio.kit.errors import Overloaded, Unavailable
from refonte_studio.kit.ids import digest
from refonte_studio.web.openapi import Schema
from refonte_studio.web.operation import Studio, studio_of
from refonte_studio.web.reference import ReferencePage, render
from refonte_studio.web.responses import JSON, encode
from refonte_studio.web.routing import PageRoute

READY_TIMEOUT_S = 5.0
READY_MS = 1_000  # how long the database counts as ready, so that many probes cost no more than one
LOOK = ("GET", "HEAD")  # the methods of load balancers and browsers
ASIDE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
NO_STORE = {"Cache-Control": "no-store"}


def site(document: Callable[[], Schema]) -> list[BaseRoute]:
    """`/`, `/docs`, `/openapi.json`, `/healthz` and `/readyz`, all public. `document` is called once, when needed."""

    @cache
    def as_json() -> bytes:
        return encode(document())

    @cache
    def as_page() -> ReferencePage:
        return render(document())

    async def openapi(request: Request) -> Response:
        return _cached(request, as_json(), JSON, {"Access-Control-Allow-Origin": "*"})

    async def docs(request: Request) -> Response:
        page = as_page()
        return _cached(request, page.html, "text/html", {"Content-Security-Policy": page.policy})

    return [
        PageRoute("/", _root, LOOK),
        PageRoute("/openapi.json", openapi, LOOK),
        PageRoute("/docs", docs, LOOK),
        PageRoute("/healthz", _healthz, LOOK),
        PageRoute("/readyz", _readyz, LOOK),
    ]


async def _root(_request: Request) -> Response:
    return Response(status_code=307, headers={"Location": "/docs"}, media_type="text/plain")


async def _healthz(_request: Request) -> Response:
    return Response(encode({"status": "ok"}), headers=NO_STORE, media_type=JSON)


async def _readyz(request: Request) -> Response:
    studio = studio_of(request.scope)
    return await studio.services[Readiness].answer(studio)


def _cached(request: Request, content: bytes, media_type: str, more: dict[str, str]) -> Response:
    """The content, or 304 if the client has it."""
    etag = f'"{digest(content.decode())[:32]}"'
    headers = {**ASIDE, **more, "ETag": etag}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


class Readiness:
    """Whether the database can be read and written now. Requests that ask at the same time share one probe."""

    def __init__(self) -> None:
        self._ready_at: int | None = None
        self._asking: asyncio.Future[str] | None = None

    async def answer(self, studio: Studio) -> Response:
        wrong = "" if self._was_ready(studio) else await self._ask_together(studio)
        body: dict[str, Any] = {"status": "ready", "database": "ok", "engine": studio.db.engine}
        headers = dict(NO_STORE)
        warnings = studio.clients.warnings(studio.clock())
        if warnings:
            body["warnings"] = warnings
        if wrong:
            body |= {"status": "not ready", "database": wrong}
            headers["Retry-After"] = "1"
        return Response(encode(body), 503 if wrong else 200, headers, JSON)

    def _was_ready(self, studio: Studio) -> bool:
        return self._ready_at is not None and 0 <= studio.clock() - self._ready_at < READY_MS

    async def _ask_together(self, studio: Studio) -> str:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask(studio))
        return await asyncio.shield(self._asking)

    async def _ask(self, studio: Studio) -> str:
        """What is wrong; empty if the database is ready."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await studio.db.read(probe)
                if not studio.db.occupied:  # an occupied database is at work, and no other server would take that over
                    await studio.db.write(probe_write)
        except TimeoutError:
            if studio.db.occupied:
                return ""
            return f"the database did not answer within {READY_TIMEOUT_S:g} s"
        except Overloaded:
            return ""  # it serves as many as it can; taking it out of service would help no other server
        except Unavailable as error:
            return error.message
        self._ready_at = studio.clock()
        return ""
