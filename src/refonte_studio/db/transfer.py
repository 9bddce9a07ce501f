"""Copies the teams of a database to another one, as a whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Table

from refonte_studio.db.engine import Tx, takes_long
from refonte_studio.db.schema import metadata

# Tables that belong to a database rather than to a team, or only speed up access.
LEFT_BEHIND = frozenset({"setup_links", "sessions", "sign_in_failures", "batch_deltas", "dispatch_cursors"})
# Commit numbers, which are valid in one database only; NULL means "from the beginning".
FORGOTTEN = frozenset({("task_slots", "opened")})


@dataclass(frozen=True, slots=True)
class Contents:
    """The rows of one table."""

    table: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


async def contents(tx: Tx) -> list[Contents]:
    """Returns all rows of a database's teams, parents before children. Count deltas must be folded before."""
    return [await _contents(tx, table) for table in metadata.sorted_tables if table.name not in LEFT_BEHIND]


async def _contents(tx: Tx, table: Table) -> Contents:
    columns = [column.name for column in table.columns]
    values = [_value(table, column) for column in table.columns]
    rows = await tx.all(f"SELECT {', '.join(columns)} FROM {table.name}")
    return Contents(table.name, columns, [[value(row) for value in values] for row in rows])


def _value(table: Table, column: Column[Any]) -> Callable[[Mapping[str, Any]], Any]:
    """Returns a function that reads a column's value in the type that both engines store."""
    name = column.name
    if (table.name, name) in FORGOTTEN:
        return lambda _: None
    if isinstance(column.type, Boolean):
        return lambda row: None if row[name] is None else bool(row[name])
    return lambda row: row[name]


@takes_long
async def put(tx: Tx, parts: Sequence[Contents]) -> None:
    """Inserts these rows. Raises Duplicate if one of them already exists."""
    for part in parts:
        if part.rows:
            await tx.insert(part.table, part.columns, part.rows)
