"""The memory that the bodies of requests under way may take together."""

from dataclasses import dataclass

from refonte_studio.kit.errors import Overloaded, TooLarge
from refonte_studio.web.inbound import Inbound

SMALL_BYTES = 65_536  # bodies that are no larger are not counted; how many there are at a time is bounded anyway
LARGEST_AT_A_TIME = 8


@dataclass(slots=True)
class Bodies:
    """How much the larger bodies take at the moment; together no more than a few of the largest allowed."""

    held_bytes: int = 0

    async def read(self, inbound: Inbound, largest_bytes: int) -> bytes:
        """A whole body. Raises TooLarge beyond the limit, before reading it all, and Overloaded when there is no room
        for more; see `free`."""
        length = inbound.header(b"content-length")
        if length is not None and length.isdigit() and int(length) > largest_bytes:
            raise TooLarge(f"the body has {int(length):,} bytes; the limit is {largest_bytes:,}")
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            chunk, more = await inbound.chunk()
            size += len(chunk)
            if size > largest_bytes:
                raise TooLarge(f"the body has more than {largest_bytes:,} bytes")
            if size > SMALL_BYTES:
                self._hold(inbound, size, LARGEST_AT_A_TIME * largest_bytes)
            parts.append(chunk)
        return b"".join(parts)

    def _hold(self, inbound: Inbound, size: int, limit_bytes: int) -> None:
        more = size - inbound.held_bytes
        if self.held_bytes + more > limit_bytes:
            raise Overloaded("large bodies of requests")
        self.held_bytes += more
        inbound.held_bytes = size

    def free(self, inbound: Inbound) -> None:
        """Called when the request is done."""
        self.held_bytes -= inbound.held_bytes
        inbound.held_bytes = 0
