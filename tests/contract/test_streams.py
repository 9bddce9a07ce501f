"""Responses that are streams: what happens to them when the client leaves, or when they fail half-way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from typing import Any

import pytest

from refonte_studio.main import AUTHENTICATOR
from refonte_studio.web import Call, HttpResponse, Operations, Params, Studio
from refonte_studio.web.app import create_app
from refonte_studio.web.operation import NDJSON
from tests.world import World

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/v1/lines",
    "raw_path": b"/v1/lines",
    "query_string": b"",
    "headers": [],
    "client": ("127.0.0.1", 1),
}


class Export:
    """An application whose one operation streams these lines, and a client that leaves after `leaves_after` of them."""

    def __init__(self, world: World, lines: AsyncIterator[bytes], leaves_after: int | None = None) -> None:
        operations = Operations("lines")

        @operations.add("GET", "/v1/lines", may=None, answer={}, media_type=NDJSON)
        async def get_lines(_call: Call, _params: Params) -> HttpResponse:
            return HttpResponse(lines, media_type=NDJSON)

        self.studio = Studio(world.db, world.settings, world.clock, AUTHENTICATOR)
        self.app: Any = create_app(self.studio, operations, (), nullcontext)
        self.sent: list[dict[str, Any]] = []
        self._leaves_after = leaves_after
        self._asked = False
        self._left = asyncio.Event()

    async def run(self) -> None:
        await self.app(dict(SCOPE), self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if len(self.sent) == self._leaves_after:
            self._left.set()


async def test_a_stream_ends_when_its_client_leaves(world: World):
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"{}\n"
                await asyncio.sleep(0)
        finally:
            ended.set()

    export = Export(world, endless(), leaves_after=5)
    await export.run()
    assert ended.is_set()
    assert export.sent[-1]["more_body"], "nothing says that this was the whole"
    export.studio.bulk.enter({"studio_bulk_permits": []}, [], 1)  # its permit is free again


async def test_a_stream_that_fails_half_way_does_not_pass_for_the_whole(world: World):
    async def failing() -> AsyncIterator[bytes]:
        yield b"{}\n"
        raise RuntimeError("half-way")

    export = Export(world, failing())
    with pytest.raises(RuntimeError, match="half-way"):  # so that the server closes the connection
        await export.run()
    assert [message["type"] for message in export.sent] == ["http.response.start", "http.response.body"]
    assert export.sent[-1]["more_body"]
