"""Choices of review and audit that need no database."""

from collections.abc import Iterable
from math import ceil
from typing import Any

from refonte_studio.reviews.model import Happening

_ALL = "g"  # beyond every hex digit


def audit_bound(rate: float) -> str:
    """Below which four hex digits a task is sampled, so that this share of all is; of rate 1, all."""
    return _ALL if rate >= 1 else f"{min(ceil(rate * 65_536), 65_535):04x}"


# What comes first of things that happened in one millisecond.
_ORDER = (
    *("created", "claimed", "released", "expired", "ended", "skipped", "submitted"),
    *("review_opened", "review_accepted", "review_fixed", "review_rejected", "review_ended"),
    *("completed", "canceled", "audited"),
)


def in_order(happenings: Iterable[Happening]) -> list[Happening]:
    """The oldest first."""
    return sorted(happenings, key=lambda one: (one.at, _ORDER.index(one.event)))


def said(**more: Any) -> tuple[tuple[str, Any], ...]:
    """What there is to say of a happening: without what is not known."""
    return tuple((name, value) for name, value in more.items() if value is not None)
