"""Imports and exports: each takes more than a common request, and for longer, so at most some run at once."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from refonte_studio.kit.admission import Refusals
from refonte_studio.kit.errors import Overloaded
from refonte_studio.kit.fair_shares import FairShares, Holder

BULK_RETRY_S = 10
_PLACES = "studio_bulk_places"


@dataclass(slots=True)
class Bulk:
    """The imports and exports under way. One credential, team or address has no more than its share of the places."""

    _shares: FairShares = field(default_factory=FairShares)
    _refusals: Refusals = field(default_factory=lambda: Refusals("imports and exports"))

    def enter(self, scope: Any, holders: Sequence[Holder], limit: int) -> None:
        """Takes one of `limit` places for a request inside of `places`. Raises Overloaded."""
        if not self._shares.take(1, holders, limit):
            self._refusals.add()
            raise Overloaded("imports and exports", BULK_RETRY_S)
        scope[_PLACES].append(holders)

    @asynccontextmanager
    async def places(self, scope: Any) -> AsyncGenerator[None]:
        """Around a request until all of its answer is sent: gives back the place that it took."""
        taken: list[Sequence[Holder]] = []
        scope[_PLACES] = taken
        try:
            yield
        finally:
            for holders in taken:
                self._shares.give_back(1, holders)
