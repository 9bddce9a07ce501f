"""Every SQL statement of the stores, recorded as the stores build them.

A statement may be a constant, an f-string or a text that depends on the arguments, so reading the sources is not
enough. Each public function of each store is run with a transaction that records what it is given instead of running
it: for both engines, with every choice of its optional and enumerated arguments, and as if the database found rows and
found none. `unrecorded` lists the calls in the sources that none of these runs came to, so that a statement cannot be
missed without a test that says so.
"""

import ast
import dataclasses
import enum
import importlib
import inspect
import itertools
import re
import sys
import types
import typing
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import msgspec
import sqlalchemy
import sqlglot
from sqlglot import exp

from refonte_studio.db.engine import Engine
from refonte_studio.db.schema import metadata
from refonte_studio.db.sql import for_postgres, for_sqlite
from refonte_studio.invariants.model import Rule
from refonte_studio.invariants.service import RULES
from tests.house.sources import modules, tree

ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")
STORES = re.compile(r"^refonte_studio\.(?:(?P<room>\w+)\.store(?:\.\w+)?|(?P<db>db)\.page_ends)$")
_FOR_SQLITE_ALONE = "INDEXED BY"  # which PostgreSQL does not have: a service asks this only of SQLite
RUNS_LIMIT = 600  # of one function on one engine


@dataclasses.dataclass(frozen=True)
class Statement:
    """One statement as a store gives it to a transaction."""

    room: str
    place: str  # the module and the function
    engine: Engine
    sql: str
    values: frozenset[str] | None  # the names of the values passed with it; None if a caller of the store names them

    def __str__(self) -> str:
        return f"{self.place} ({self.engine})"


@dataclasses.dataclass(frozen=True)
class Use:
    """What a statement does with a table."""

    table: str
    access: Literal["read", "write"]


# ------------------------------------------------------------------------------------------ recording


class _FoundRow(dict[str, Any]):
    """A row that has every column: of the type that a column of this name has in the schema."""

    def __missing__(self, name: str) -> Any:
        return _column_values().get(name, 1)

    def __contains__(self, name: object) -> bool:
        return True


@cache
def _column_values() -> Mapping[str, Any]:
    values: dict[str, Any] = {"role": "admin", "event": "task.completed", "project_names": "[]", "quality": None}
    for table in metadata.sorted_tables:
        for column in table.c:
            values.setdefault(column.name, "x" if isinstance(column.type, sqlalchemy.Text) else 1)
    return values


class _Recorder:
    """Stands in for a transaction."""

    def __init__(self, engine: Engine, finds: bool, recorded: dict[tuple[str, int], list[tuple[Any, ...]]]) -> None:
        self.engine = engine
        self._finds = finds
        self._recorded = recorded

    def _note(self, sql: str, values: Mapping[str, Any]) -> None:
        if self.engine == "postgresql" and _FOR_SQLITE_ALONE in sql:
            return
        frame = sys._getframe(2)
        place = (frame.f_code.co_filename, frame.f_lineno)
        note = (self.engine, sql, frozenset(values))
        notes = self._recorded.setdefault(place, [])
        if note not in notes:
            notes.append(note)

    async def one(self, sql: str, **values: Any) -> Any:
        self._note(sql, values)
        return _FoundRow() if self._finds else None

    async def all(self, sql: str, **values: Any) -> Any:
        self._note(sql, values)
        return [_FoundRow()] if self._finds else []

    async def run(self, sql: str, **values: Any) -> int:
        self._note(sql, values)
        return int(self._finds)

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join(f":{column}" for column in columns)
        self._note(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", dict.fromkeys(columns))

    async def lock(self, name: str) -> None:
        """Nothing to record."""

    async def tell(self, event: object) -> None:
        """Nothing to record."""


# ---------------------------------------------------------------------------------- possible arguments


def _choices(hint: Any) -> list[Any]:
    """Values of a type that may lead to different statements."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Rule:
        return list(RULES)
    if hint is Any:
        return ["x"]
    if origin in (types.UnionType, typing.Union):
        return [choice for each in args for choice in _choices(each)]
    if origin is Literal:
        return list(args)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _instances(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        required = [field for field in msgspec.structs.fields(hint) if field.required]
        return [hint(**{field.name: _choices(field.type)[0] for field in required})]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return list(hint)
    if origin is tuple:
        return [tuple(_choices(each)[0] for each in args if each is not Ellipsis)]
    if origin is not None and issubclass(origin, Mapping):
        return [_FoundRow()] if args == (str, Any) else [{_choices(args[0])[0]: _choices(args[1])[0]}]
    if origin is not None and issubclass(origin, Sequence):
        return [["x"] * 16] if args == (Any,) else [[_choices(args[0])[0]]]
    simple: dict[Any, list[Any]] = {
        type(None): [None],
        str: ["x"],
        int: [1],
        float: [0.5],
        bytes: [b"x"],
        bool: [True, False],
        object: ["x"],
    }
    return simple[hint]


def _instances(kind: type[Any]) -> list[Any]:
    """One with all that is optional, and one without."""
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    return [kind(**{field.name: _choices(hints[field.name])[end] for field in fields}) for end in (0, -1)]


def _runs(function: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """Every choice of the function's arguments, without its first one, the transaction."""
    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)
    named = [
        name
        for name, parameter in signature.parameters.items()
        if name != "tx" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    runs = itertools.product(*(_choices(hints[name]) for name in named))
    for number, values in enumerate(runs):
        assert number < RUNS_LIMIT, f"{function.__module__}.{function.__name__} has too many choices"
        yield dict(zip(named, values, strict=True))


# ------------------------------------------------------------------------------------------ collecting


def _stores() -> Iterator[tuple[str, str]]:
    """The room and the name of each module of SQL."""
    for name in modules():
        if found := STORES.match(name):
            yield found["room"] or found["db"], name


def _functions(name: str) -> Iterator[Callable[..., Any]]:
    for function in vars(importlib.import_module(name)).values():
        is_own = inspect.iscoroutinefunction(function) and function.__module__ == name
        if is_own and not function.__name__.startswith("_") and "tx" in inspect.signature(function).parameters:
            yield function


def _drive(function: Callable[..., Any], recorder: _Recorder, values: dict[str, Any]) -> None:
    """Runs a function to its end, or to where a made-up row is not what it expects."""
    running = function(recorder, **values)
    if isinstance(running, AsyncIterator):
        return
    try:
        running.send(None)
    except StopIteration:
        return
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
        return
    raise AssertionError(f"{function.__name__} waits for something that is not its transaction")


@cache
def _recorded() -> Mapping[tuple[str, int], list[tuple[Any, ...]]]:
    recorded: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
    for _, name in _stores():
        for function in _functions(name):
            for engine, finds, values in itertools.product(ENGINES, (True, False), list(_runs(function))):
                _drive(function, _Recorder(engine, finds, recorded), values)
    return recorded


@cache
def _calls(name: str) -> Sequence[tuple[ast.Call, str]]:
    """Where a store gives a statement to its transaction, with the function that does."""
    found: list[tuple[ast.Call, str]] = []
    for function in ast.walk(tree(modules()[name])):
        if isinstance(function, ast.AsyncFunctionDef):
            found += [(node, function.name) for node in ast.walk(function) if _is_call(node)]
    return found


def _is_call(node: ast.AST) -> typing.TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "tx"
        and node.func.attr in ("one", "all", "run", "insert")
    )


@cache
def statements() -> Sequence[Statement]:
    """All of them, each once."""
    found: dict[Statement, None] = {}
    for room, name in _stores():
        for call, function in _calls(name):
            named_elsewhere = any(keyword.arg is None for keyword in call.keywords)
            for (file, line), notes in _recorded().items():
                if file == str(modules()[name]) and call.lineno <= line <= (call.end_lineno or 0):
                    for engine, sql, values in notes:
                        place = f"{name.removeprefix('refonte_studio.')}.{function}"
                        found[Statement(room, place, engine, sql, None if named_elsewhere else values)] = None
    return tuple(found)


def unrecorded() -> list[str]:
    """Calls of a transaction in the stores that no run came to."""
    return [
        f"{modules()[name]}:{call.lineno}, in {function}"
        for _, name in _stores()
        for call, function in _calls(name)
        if not any(
            file == str(modules()[name]) and call.lineno <= line <= (call.end_lineno or 0) for file, line in _recorded()
        )
    ]


# --------------------------------------------------------------------------------------------- parsing


_NUMBERED = re.compile(r"\$\d+")  # a parameter; between two of them sqlglot may see a quoted text


@cache
def parsed(engine: Engine, sql: str) -> exp.Expression:
    """The statement as its engine gets it."""
    if engine == "sqlite":
        return sqlglot.parse_one(for_sqlite(sql)[0], dialect="sqlite")
    return sqlglot.parse_one(_NUMBERED.sub("0", for_postgres(sql)[0]), dialect="postgres")


def tables_in(statement: Statement) -> list[exp.Table]:
    """Its tables, without what it defines itself by WITH and without functions that give rows."""
    root = parsed(statement.engine, statement.sql)
    own = {each.alias for each in root.find_all(exp.CTE)}
    return [
        table
        for table in root.find_all(exp.Table)
        if table.name and table.name not in own and not isinstance(table.parent, exp.Table | exp.Lock)
    ]


def uses(statement: Statement) -> set[Use]:
    """What it reads and writes. A table that it changes counts as written alone, unless it also names it elsewhere."""
    return {Use(table.name, "write" if _is_target(table) else "read") for table in tables_in(statement)}


def _is_target(table: exp.Table) -> bool:
    at: exp.Expression = table
    if isinstance(at.parent, exp.Schema):
        at = at.parent
    return isinstance(at.parent, exp.Insert | exp.Update | exp.Delete) and at.arg_key == "this"
