"""A request, as operations are served from it."""

from collections.abc import AsyncIterator, Sequence

from starlette.requests import ClientDisconnect, Request

from refonte_studio.kit.fair_shares import Holder


class StudioRequest(Request):
    """A Starlette request that also records which part of the shared memory for bodies it holds."""

    held_bytes = 0  # of its body, counted against the shared memory; see web/bodies.py
    holders: Sequence[Holder] = ()  # whose shares those bytes count against; see kit/fair_shares.py

    def header(self, name: bytes) -> str | None:
        """The first header of this name, in lower case. Looks in what the server passed on, not in a copy of it."""
        for key, value in self.scope["headers"]:
            if key == name:
                return value.decode("latin-1")
        return None

    async def part(self) -> tuple[bytes, bool]:
        """The next part of the body, which may be empty, and whether more follows. Raises ClientDisconnect."""
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return message.get("body", b""), message.get("more_body", False)

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in parts that are not empty. Raises ClientDisconnect."""
        more = True
        while more:
            part, more = await self.part()
            if part:
                yield part
