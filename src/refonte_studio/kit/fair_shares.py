"""Places that are shared out: however many a holder asks for, some are left for the others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

HolderKind = Literal["credential", "team", "address"]
Holder = tuple[HolderKind, str]

# The share of all places that one holder of each kind may have at a time.
SHARES: Mapping[HolderKind, float] = {"credential": 0.5, "team": 0.75, "address": 0.75}


@dataclass(slots=True)
class FairShares:
    """Places of which no holder has more than its share. A place may have several holders, and counts for each.

    What a holder has for one thing alone may exceed its share, so that a thing that needs many places can be done.
    """

    _taken: int = 0
    _of: Counter[Holder] = field(default_factory=Counter[Holder])

    def take(self, count: int, holders: Sequence[Holder], places: int, already: int = 0) -> bool:
        """Takes `count` more of `places` for all of these holders, who have `already` some for the same thing.

        Takes none, and answers False, where not every one of them may have so many.
        """
        if self._taken + count > places or any(self._exceeds(each, count, places, already) for each in holders):
            return False
        self._add(count, holders)
        return True

    def give_back(self, count: int, holders: Sequence[Holder]) -> None:
        """Gives up as many of these holders' places."""
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
