"""The one place that reads the time. Times are integers: milliseconds since 1970 in UTC."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from refonte_studio.kit.errors import BadInput, shown

Clock = Callable[[], int]
"""Answers the present time in milliseconds."""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
DAY_MS = 24 * 60 * MINUTE_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def system_clock() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


def iso(time_ms: int) -> str:
    """`2023-08-09T16:12:38.072Z`."""
    whole, millis = divmod(time_ms, SECOND_MS)
    return f"{_to_the_second(whole)}.{millis:03d}Z"


@lru_cache(maxsize=4_096)  # most times that are shown are shown often: in an export, and of one second's claims
def _to_the_second(whole: int) -> str:
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"


def parse_time(name: str, text: str) -> int:
    """Milliseconds of an ISO 8601 date or time; without an offset it is UTC. Raises BadInput naming it.

    What is finer than a millisecond is cut off and never rounded up: the last moment of a day stays in it.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        return (parsed - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{name} must be an ISO 8601 time, not {shown(text)}") from error
