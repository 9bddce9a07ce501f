"""The memory that the bodies of all requests may take together, and how it is shared."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from refonte_studio.kit.errors import Overloaded, TooLarge, TooSlow
from refonte_studio.kit.fair_shares import FairShares, Holder
from refonte_studio.web.request import StudioRequest

SMALL_BYTES = 65_536  # bodies up to this size do not count; the bound on concurrent requests bounds them too
LARGEST_AT_A_TIME = 8
TIME_S = 600  # within which a larger body must arrive

WhoSends = Callable[[], Awaitable[Sequence[Holder]]]


@dataclass(slots=True)
class Bodies:
    """How many bytes the larger bodies hold now: together at most LARGEST_AT_A_TIME times the largest allowed, and for
    one credential, team or address at most its share of that."""

    _shares: FairShares = field(default_factory=FairShares)

    async def read(self, request: StudioRequest, largest_bytes: int, who: WhoSends) -> bytes:
        """The whole body. Call `free` when the request is done.

        `who` tells whose share a larger body counts against. It is awaited before most of such a body is read, and what
        it raises is raised. Raises TooLarge, before the body is read to its end, Overloaded if there is no room for
        it, TooSlow, and ClientDisconnect.
        """
        length = request.header(b"content-length") or ""
        if length.isdigit() and int(length) > largest_bytes:
            raise TooLarge(f"the body has {int(length):,} bytes; the limit is {largest_bytes:,}")
        began = asyncio.get_running_loop().time()
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            part, more = await request.part()
            size += len(part)
            if size > largest_bytes:
                raise TooLarge(f"the body has more than {largest_bytes:,} bytes")
            parts.append(part)
            if size > SMALL_BYTES:
                if not request.held_bytes:
                    request.holders = await who()
                self._hold(request, size, LARGEST_AT_A_TIME * largest_bytes)
                if asyncio.get_running_loop().time() - began > TIME_S:
                    raise TooSlow(f"after {TIME_S} seconds, only {size:,} bytes of the body have come in")
        return b"".join(parts)

    def _hold(self, request: StudioRequest, size: int, limit_bytes: int) -> None:
        held = request.held_bytes
        if not self._shares.take(size - held, request.holders, limit_bytes, held):
            raise Overloaded("large bodies of requests")
        request.held_bytes = size

    def free(self, request: StudioRequest) -> None:
        """Gives back what the request's body holds."""
        if request.held_bytes:
            self._shares.give_back(request.held_bytes, request.holders)
            request.held_bytes = 0
