"""Keyset pagination: the token of a page is the id (or the two ids) after which it starts.

Some published clients page by `offset`; lists accept that too (`PageCursor`, `web.offsets`).
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
    """Up to `limit` rows. `next_token` opens the next page; it is None on the last page."""

    docs: Sequence[T]
    limit: int
    next_token: str | None

    @property
    def has_more(self) -> bool:
        return self.next_token is not None


def page_of(rows: Sequence[T], limit: int, token_of: Callable[[T], str]) -> Page[T]:
    """Makes a page from up to `limit + 1` rows; the extra row only shows that there are more."""
    docs = rows[:limit]
    return Page(docs, limit, token_of(docs[-1]) if len(rows) > limit else None)


def checked_token(token: str | None) -> str | None:
    """Returns a `next_token` unchanged. Raises BadInput if this server cannot have issued it."""
    if token is not None and not is_id(token):
        raise BadInput(f"next_token {shown(token)} is not one that this server gave")
    return token


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Where the requested page starts: after the row with an id, or after a number of rows."""

    before: str | None = None
    offset: int = 0


def checked_cursor(cursor: PageCursor, max_offset: int | None = None) -> PageCursor:
    """Returns a valid cursor unchanged. Raises BadInput for a token combined with an offset, a token that this server
    cannot have issued, and an offset above the maximum."""
    if cursor.before is not None and cursor.offset:
        raise BadInput(f"next_token {shown(cursor.before)} and offset {cursor.offset} cannot go together")
    if max_offset is not None and cursor.offset > max_offset:
        raise BadInput(f"offset is at most {max_offset:,}, not {cursor.offset:,}; go on by next_token instead")
    checked_token(cursor.before)
    return cursor


def token_of_two(first: str, second: str) -> str:
    """Returns the token of a page that starts after a row identified by two ids."""
    return first + second


def checked_token_of_two(token: str | None) -> tuple[str, str] | None:
    """Returns the two ids of a `next_token`. Raises BadInput if this server cannot have issued it."""
    if token is None:
        return None
    half = len(token) // 2
    if not (is_id(token[:half]) and is_id(token[half:])):
        raise BadInput(f"next_token {shown(token)} is not one that this server gave")
    return token[:half], token[half:]
