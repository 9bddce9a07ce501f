"""The memory that the bodies of requests under way may take together, and how it is shared out."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from refonte_studio.kit.errors import Overloaded, TooLarge, TooSlow
from refonte_studio.kit.fair_shares import FairShares, Holder
from refonte_studio.web.inbound import Inbound

SMALL_BYTES = 65_536  # bodies that are no larger are not counted; how many there are at a time is bounded anyway
LARGEST_AT_A_TIME = 8
TIME_S = 600  # in which a larger body must be here

WhoSends = Callable[[], Awaitable[Sequence[Holder]]]


@dataclass(slots=True)
class Bodies:
    """How much the larger bodies take at the moment: together no more than a few of the largest allowed, and for one
    credential, team or address no more than its share of that."""

    _shares: FairShares = field(default_factory=FairShares)

    async def read(self, inbound: Inbound, largest_bytes: int, who: WhoSends) -> bytes:
        """A whole body. `who` tells for whom a larger one is held, and is asked before the larger part of it is read;
        what it raises is raised.

        Raises TooLarge beyond the limit, before reading it all, Overloaded where there is no room for more, and
        TooSlow. Call `free` at the end.
        """
        length = inbound.header(b"content-length")
        if length is not None and length.isdigit() and int(length) > largest_bytes:
            raise TooLarge(f"the body has {int(length):,} bytes; the limit is {largest_bytes:,}")
        began = asyncio.get_running_loop().time()
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            chunk, more = await inbound.chunk()
            size += len(chunk)
            if size > largest_bytes:
                raise TooLarge(f"the body has more than {largest_bytes:,} bytes")
            parts.append(chunk)
            if size > SMALL_BYTES:
                if not inbound.held_bytes:
                    inbound.holders = await who()
                self._hold(inbound, size, LARGEST_AT_A_TIME * largest_bytes)
                if asyncio.get_running_loop().time() - began > TIME_S:
                    raise TooSlow(f"after {TIME_S} seconds, only {size:,} bytes of the body have come in")
        return b"".join(parts)

    def _hold(self, inbound: Inbound, size: int, limit_bytes: int) -> None:
        had = inbound.held_bytes
        if not self._shares.take(size - had, inbound.holders, limit_bytes, had):
            raise Overloaded("large bodies of requests")
        inbound.held_bytes = size

    def free(self, inbound: Inbound) -> None:
        """Called when the request is done."""
        if inbound.held_bytes:
            self._shares.give_back(inbound.held_bytes, inbound.holders)
            inbound.held_bytes = 0
