"""The sample of audits and the order of a task's history, without a database."""

from collections.abc import Iterable
from math import ceil
from typing import Any

from refonte_studio.reviews.model import TaskEvent

_ALL = "g"  # beyond every hex digit


def audit_bound(rate: float) -> str:
    """Returns the four hex digits below which a task is sampled, so that `rate` is the sampled share of all tasks."""
    return _ALL if rate >= 1 else f"{min(ceil(rate * 65_536), 65_535):04x}"


# The order of events within the same millisecond.
_ORDER = (
    *("created", "claimed", "released", "expired", "ended", "skipped", "submitted"),
    *("review_opened", "review_accepted", "review_fixed", "review_rejected", "review_ended"),
    *("completed", "canceled", "audited"),
)


def in_order(happenings: Iterable[TaskEvent]) -> list[TaskEvent]:
    """Returns the events, oldest first."""
    return sorted(happenings, key=lambda one: (one.at, _ORDER.index(one.event)))


def said(**more: Any) -> tuple[tuple[str, Any], ...]:
    """Returns the details of an event, without those that are None."""
    return tuple((name, value) for name, value in more.items() if value is not None)
