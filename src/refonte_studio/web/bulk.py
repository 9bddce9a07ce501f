"""Imports and exports: each costs more than other requests, and takes longer, so the number at once is bounded."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from refonte_studio.kit.admission import Refusals
from refonte_studio.kit.errors import Overloaded
from refonte_studio.kit.fair_shares import FairShares, Holder

BULK_RETRY_S = 10
_PERMITS = "studio_bulk_permits"


@dataclass(slots=True)
class Bulk:
    """The permits of the imports and exports that run now. One credential, team or address has at most its share."""

    _shares: FairShares = field(default_factory=FairShares)
    _refusals: Refusals = field(default_factory=lambda: Refusals("imports and exports"))

    def enter(self, scope: Any, holders: Sequence[Holder], limit: int) -> None:
        """Takes one of `limit` permits for a request that is served within `permits`. Raises Overloaded."""
        if not self._shares.take(1, holders, limit):
            self._refusals.add()
            raise Overloaded("imports and exports", BULK_RETRY_S)
        scope[_PERMITS].append(holders)

    @asynccontextmanager
    async def permits(self, scope: Any) -> AsyncGenerator[None]:
        """Surrounds a request until its response is sent, and gives back the permit that it took."""
        taken: list[Sequence[Holder]] = []
        scope[_PERMITS] = taken
        try:
            yield
        finally:
            for holders in taken:
                self._shares.give_back(1, holders)
