"""A request as operations are served from it, whatever framework it came in by."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar.types import HTTPScope, Receive

from refonte_studio.kit.fair_shares import Holder


class Disconnected(Exception):
    """The other side went away in the middle of its request."""


@dataclass(slots=True)
class Inbound:
    """One request. Header names are asked for in lower case."""

    scope: Mapping[str, Any] | HTTPScope
    receive: Receive
    path: Mapping[str, str] = field(default_factory=dict)  # the names in the path, as they were sent
    held_bytes: int = 0  # of the body, that count as memory taken; see web/bodies.py
    holders: Sequence[Holder] = ()  # for whom: see kit/shares.py

    @property
    def method(self) -> str:
        return self.scope["method"]

    def header(self, name: bytes) -> str | None:
        for key, value in self.scope["headers"]:
            if key == name:
                return value.decode("latin-1")
        return None

    async def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes in."""
        more = True
        while more:
            chunk, more = await self.chunk()
            if chunk:
                yield chunk

    async def chunk(self) -> tuple[bytes, bool]:
        """The next part of the body, which may be empty, and whether there is more. Raises Disconnected."""
        message: Any = await self.receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        return message.get("body", b""), message.get("more_body", False)
