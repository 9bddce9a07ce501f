"""The only module that reads the time. Times are integers: milliseconds since 1970-01-01 in UTC."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from refonte_studio.kit.errors import BadInput, shown

Clock = Callable[[], int]
"""Returns the current time in milliseconds."""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
DAY_MS = 24 * 60 * MINUTE_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def system_clock() -> int:
    """Returns the system time in milliseconds."""
    return time.time_ns() // 1_000_000


def iso(time_ms: int) -> str:
    """Formats a time as in `2023-08-09T16:12:38.072Z`."""
    whole, millis = divmod(time_ms, SECOND_MS)
    return f"{_to_the_second(whole)}.{millis:03d}Z"


@lru_cache(maxsize=4_096)  # exports and lists show the same few seconds again and again
def _to_the_second(whole: int) -> str:
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"


def parse_time(name: str, text: str) -> int:
    """Parses an ISO 8601 date or time, in UTC unless it has an offset. Raises BadInput naming the field and value.

    Fractions of a millisecond are cut off, never rounded up, so that the last moment of a day stays in that day.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        return (parsed - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{name} must be an ISO 8601 time, not {shown(text)}") from error
