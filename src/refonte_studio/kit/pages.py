"""Pages by key: the token of a page is the id (or the two ids) after which it starts.

Where published clients page by `offset`, that is taken as well (`PageCursor`, and `web.offsets`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.ids import is_id

PAGE_LIMIT = 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Up to `limit` rows; `next_token` opens the next page and is None on the last one."""

    docs: Sequence[T]
    limit: int
    next_token: str | None

    @property
    def has_more(self) -> bool:
        return self.next_token is not None


def page_of(rows: Sequence[T], limit: int, token_of: Callable[[T], str]) -> Page[T]:
    """A page from up to `limit + 1` fetched rows: the extra one only tells that there is more."""
    docs = rows[:limit]
    return Page(docs, limit, token_of(docs[-1]) if len(rows) > limit else None)


def checked_token(token: str | None) -> str | None:
    """A `next_token` as it came in; raises BadInput if this server cannot have given it."""
    if token is not None and not is_id(token):
        raise BadInput(f"next_token {shown(token)} is not one that this server gave")
    return token


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Where a page begins, as it was asked for: behind the entry of an id, or after so many of the first."""

    before: str | None = None
    offset: int = 0


def checked_cursor(place: PageCursor, most: int | None = None) -> PageCursor:
    """The place, if there can be one like it. Raises BadInput for a token beside an offset, a token that this server
    cannot have given, and an offset beyond the most."""
    if place.before is not None and place.offset:
        raise BadInput(f"next_token {shown(place.before)} and offset {place.offset} cannot go together")
    if most is not None and place.offset > most:
        raise BadInput(f"offset is at most {most:,}, not {place.offset:,}; go on by next_token instead")
    checked_token(place.before)
    return place


def token_of_two(first: str, second: str) -> str:
    """The token of a page after a row that is known by two ids."""
    return first + second


def checked_token_of_two(token: str | None) -> tuple[str, str] | None:
    """The two ids of a `next_token` as it came in; raises BadInput if this server cannot have given it."""
    if token is None:
        return None
    half = len(token) // 2
    if not (is_id(token[:half]) and is_id(token[half:])):
        raise BadInput(f"next_token {shown(token)} is not one that this server gave")
    return token[:half], token[half:]
