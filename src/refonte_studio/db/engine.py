"""The interface of a database.

A use-case is an `async` function whose first argument is a `Tx`. It awaits only that `tx`, so that the same code runs
on SQLite, which returns at once, and over PostgreSQL's network connection. Its changes, and those of its events, are
committed together or not at all. It may be run again, so it changes nothing but the database.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Engine = Literal["sqlite", "postgresql"]
Row = Mapping[str, Any]
UseCase = Callable[Concatenate["Tx", P], Coroutine[Any, Any, T]]


class Event:
    """An event inside a transaction, announced by a lower room for higher rooms to handle."""


Listener = Callable[["Tx", Any], Awaitable[None]]
Listeners = Mapping[type[Event], Sequence[Listener]]


def takes_long(use_case: UseCase[P, T]) -> UseCase[P, T]:
    """Marks a use-case that may change very many rows, so that the server keeps serving meanwhile."""
    _LONG.add(use_case)
    return use_case


def is_long(use_case: UseCase[..., Any]) -> bool:
    """Whether a use-case is marked as long."""
    return use_case in _LONG


def vital(use_case: UseCase[P, T]) -> UseCase[P, T]:
    """Marks a use-case that others depend on: it is never refused because of overload, and takes precedence where
    possible."""
    _VITAL.add(use_case)
    return use_case


def is_vital(use_case: UseCase[..., Any]) -> bool:
    """Whether a use-case is marked as vital."""
    return use_case in _VITAL


_LONG: set[Any] = set()
_VITAL: set[Any] = set()


class Tx(Protocol):
    """An open transaction. SQL takes `:name` parameters; `IN :names[]` takes a list.

    Row locks (`FOR UPDATE …`, `FOR KEY SHARE`) are written as for PostgreSQL; on SQLite, which has one writer, they are
    removed.
    """

    @property
    def engine(self) -> Engine: ...

    async def one(self, sql: str, **values: Any) -> Row | None:
        """Returns the first row, or None."""
        ...

    async def all(self, sql: str, **values: Any) -> Sequence[Row]:
        """Returns all rows."""
        ...

    async def run(self, sql: str, **values: Any) -> int:
        """Runs a statement. Returns the number of rows changed."""
        ...

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Inserts many rows, as fast as the engine can. Raises `Duplicate` if a constraint is violated."""
        ...

    async def lock(self, name: str) -> None:
        """Takes the lock with this name, waiting for other transactions; holds it until this transaction ends."""
        ...

    async def tell(self, event: Event) -> None:
        """Runs the listeners of the event in this transaction."""
        ...


class Reads(Protocol):
    """The reading part of a database."""

    async def read(self, use_case: UseCase[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a read-only use-case on one consistent state of the data."""
        ...


class Database(Reads, Protocol):
    @property
    def engine(self) -> Engine: ...

    async def write(self, use_case: UseCase[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use-case and returns after its commit. Raises Unavailable if the database cannot serve."""
        ...

    async def single(self, use_case: UseCase[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write` or `read`, for a use-case of a single statement, which is its own transaction. On PostgreSQL it
        takes one round trip instead of three; a second statement raises RuntimeError."""
        ...

    @property
    def occupied(self) -> bool:
        """Whether a long use-case is delaying all other writes."""
        ...

    async def close(self) -> None:
        """Completes what was accepted, then closes every connection."""
        ...


class Duplicate(Exception):
    """A unique constraint rejected a row. `constraint` is its name (on SQLite, its columns)."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class ForeignAwait(RuntimeError):
    """A use-case awaited something other than its transaction."""

    def __init__(self, what: object) -> None:
        super().__init__(f"a use-case may await nothing but its own tx, not {what!r}")
