"""Slots shared fairly: no holder can take all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

HolderKind = Literal["credential", "team", "address"]
Holder = tuple[HolderKind, str]

# The share of all slots that one holder of each kind may have at once.
SHARES: Mapping[HolderKind, float] = {"credential": 0.5, "team": 0.75, "address": 0.75}


@dataclass(slots=True)
class FairShares:
    """Slots of which no holder exceeds its share. A slot may have several holders, and counts towards each.

    What a holder takes for a single item may exceed its share, so that an item that needs many slots can complete.
    """

    _taken: int = 0
    _of: Counter[Holder] = field(default_factory=Counter[Holder])

    def take(self, count: int, holders: Sequence[Holder], places: int, already: int = 0) -> bool:
        """Takes `count` more of `places` slots for all of these holders, who already have `already` for the same item.

        Returns False and takes none if any of the holders would exceed its share.
        """
        if self._taken + count > places or any(self._exceeds(each, count, places, already) for each in holders):
            return False
        self._add(count, holders)
        return True

    def give_back(self, count: int, holders: Sequence[Holder]) -> None:
        """Returns this many slots of these holders."""
        self._add(-count, holders)

    def _exceeds(self, holder: Holder, count: int, places: int, already: int) -> bool:
        has = self._of.get(holder, 0)
        return has > already and has + count > places * SHARES[holder[0]]

    def _add(self, count: int, holders: Sequence[Holder]) -> None:
        self._taken += count
        for holder in holders:
            self._of[holder] += count
            if not self._of[holder]:
                del self._of[holder]
