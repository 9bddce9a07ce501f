"""Rows as typed records: the fields of a record are the one list of columns that a statement selects or inserts."""

from collections.abc import Callable, Iterable
from enum import Enum
from operator import attrgetter, itemgetter
from typing import Any, Generic, NamedTuple, TypeVar, cast, get_type_hints

from refonte_studio.db.engine import Row

T = TypeVar("T")
N = TypeVar("N", bound=NamedTuple)


class Record(Generic[T]):
    """How rows become records of one type, a dataclass or a msgspec structure of at least two fields.

    Columns are found by their names, wherever they stand in a row and whatever stands beside them. Booleans (which are
    numbers in SQLite) and enumerations are made of the type of their field; `convert` names functions for other fields.
    """

    def __init__(self, kind: type[T], **convert: Callable[[Any], Any]) -> None:
        hints = get_type_hints(kind)
        self._make: Callable[..., T] = kind
        self.columns: tuple[str, ...] = tuple(hints)
        for name, hint in hints.items():
            if hint is bool or (isinstance(hint, type) and issubclass(hint, Enum)):
                convert.setdefault(name, hint)
        self._convert = [(self.columns.index(name), function) for name, function in convert.items()]
        self._found: Callable[[Row], tuple[Any, ...]] = itemgetter(*self.columns)
        self.values: Callable[[T], tuple[Any, ...]] = attrgetter(*self.columns)

    def select(self, alias: str = "") -> str:
        """The columns for a SELECT, a RETURNING or an INSERT."""
        return ", ".join(f"{alias}.{column}" if alias else column for column in self.columns)

    def marks(self) -> str:
        """The parameters for the VALUES of an INSERT, each named after its column."""
        return ", ".join(f":{column}" for column in self.columns)

    def named(self, record: T) -> dict[str, Any]:
        """The values of a record by their columns."""
        return dict(zip(self.columns, self.values(record), strict=True))

    def of(self, row: Row) -> T:
        """The record of a row that has the columns."""
        values = list(self._found(row))
        for place, function in self._convert:
            values[place] = function(values[place])
        return self._make(*values)


class RecordReader(Generic[N]):
    """How rows of one statement become records of one named tuple, whose fields are all the columns in their order.

    The first row shows whether they are: reading it raises TypeError if not. Later rows are read by position, which
    costs a tenth of looking up every name; for the statements of the fast path alone.
    """

    def __init__(self, record: type[N]) -> None:
        self._fields = record._fields
        self._make = cast(Callable[[Iterable[Any]], N], record._make)
        self._is_checked = False

    def read(self, row: Row) -> N:
        """The record of a row."""
        if not self._is_checked:
            names = tuple(row.keys())
            if names != self._fields:
                raise TypeError(f"the columns {names} are not the fields {self._fields}")
            self._is_checked = True
        return self._make(row.values())
