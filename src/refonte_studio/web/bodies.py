"""The memory that the bodies of requests under way may take together."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from refonte_studio.kit.errors import Overloaded
from refonte_studio.web.inbound import Inbound

SMALL_BYTES = 65_536  # bodies that are no larger are not counted; how many there are at a time is bounded anyway
LARGEST_AT_A_TIME = 8


@dataclass(slots=True)
class Bodies:
    """How much the larger bodies take at the moment; together no more than a few of the largest allowed."""

    held_bytes: int = 0

    async def read(self, inbound: Inbound, largest_bytes: int) -> AsyncIterator[bytes]:
        """The body as it comes in. Raises Overloaded when there is no room for more; see `free`."""
        size, limit_bytes = 0, LARGEST_AT_A_TIME * largest_bytes
        async for chunk in inbound.stream():
            size += len(chunk)
            if size > SMALL_BYTES:
                more = size - inbound.held_bytes
                if self.held_bytes + more > limit_bytes:
                    raise Overloaded("large bodies of requests")
                self.held_bytes += more
                inbound.held_bytes = size
            yield chunk

    def free(self, inbound: Inbound) -> None:
        """Called when the request is done."""
        self.held_bytes -= inbound.held_bytes
        inbound.held_bytes = 0
