"""Pages by key: the token of a page is the id (or the two ids) after which it starts, never an offset."""

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
