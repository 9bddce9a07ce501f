"""What the rest of the code knows of a database.

A use-case is an `async` function whose first argument is a `Tx`. It awaits nothing but that `tx`, so that the same
code runs on SQLite, which answers at once, and over PostgreSQL's network connection. All that it does, and all that its
events cause, is committed together or not at all. It may be begun anew, so it changes nothing but the database.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Engine = Literal["sqlite", "postgresql"]
Row = Mapping[str, Any]
UseCase = Callable[Concatenate["Tx", P], Coroutine[Any, Any, T]]


class Event:
    """Something that happened inside a transaction, told by a lower room for higher rooms to act on."""


Listener = Callable[["Tx", Any], Awaitable[None]]
Listeners = Mapping[type[Event], Sequence[Listener]]


def takes_long(use_case: UseCase[P, T]) -> UseCase[P, T]:
    """Marks a use-case that may change very much at once, so that a server does not stand still for it."""
    _LONG.add(use_case)
    return use_case


def is_long(use_case: UseCase[..., Any]) -> bool:
    """Whether a use-case is marked as one that takes long."""
    return use_case in _LONG


def vital(use_case: UseCase[P, T]) -> UseCase[P, T]:
    """Marks a use-case that others depend on: it is never refused for overload, and goes first where it can."""
    _VITAL.add(use_case)
    return use_case


def is_vital(use_case: UseCase[..., Any]) -> bool:
    """Whether a use-case is marked as vital."""
    return use_case in _VITAL


_LONG: set[Any] = set()
_VITAL: set[Any] = set()


class Tx(Protocol):
    """One open transaction. SQL takes `:name` parameters; `IN :names[]` takes a list.

    Row locks (`FOR UPDATE …`, `FOR KEY SHARE`) are written as for PostgreSQL; on SQLite, where there is one writer,
    they fall away.
    """

    @property
    def engine(self) -> Engine: ...

    async def one(self, sql: str, **values: Any) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, sql: str, **values: Any) -> Sequence[Row]:
        """Every row."""
        ...

    async def run(self, sql: str, **values: Any) -> int:
        """Runs a statement and answers how many rows it changed."""
        ...

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Inserts many rows, as fast as the engine can. A broken constraint raises `Duplicate`."""
        ...

    async def lock(self, name: str) -> None:
        """Waits until no other transaction holds the lock of this name; held to the end of this one."""
        ...

    async def tell(self, event: Event) -> None:
        """Runs, in this transaction, all that listens to the event."""
        ...


class Reads(Protocol):
    """A database as far as it can be read."""

    async def read(self, use_case: UseCase[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use-case that changes nothing, on one consistent view of the data."""
        ...


class Database(Reads, Protocol):
    @property
    def engine(self) -> Engine: ...

    async def write(self, use_case: UseCase[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use-case and answers after its commit. Raises Unavailable when the database cannot serve."""
        ...

    async def single(self, use_case: UseCase[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write` or `read`, for a use-case of one statement, which is a transaction by itself. On PostgreSQL it
        costs one round trip instead of three; a second statement there raises RuntimeError."""
        ...

    @property
    def occupied(self) -> bool:
        """Whether a use-case that takes long has every other write wait."""
        ...

    async def close(self) -> None:
        """Finishes what was accepted, then closes every connection."""
        ...


class Duplicate(Exception):
    """A unique constraint refused a row. `constraint` names it (SQLite: its columns)."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class ForeignAwait(RuntimeError):
    """A use-case awaited something that is not its transaction."""

    def __init__(self, what: object) -> None:
        super().__init__(f"a use-case may await nothing but its own tx, not {what!r}")
