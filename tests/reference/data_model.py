"""The page about the data model, from the tables of `db/schema.py` and the comments beside their columns."""

import re

from sqlalchemy import Column, Table

from refonte_studio.db.ownership import OWNERS
from refonte_studio.db.schema import metadata
from tests.house.sources import SRC
from tests.reference.markdown import table

SCHEMA = SRC / "refonte_studio/db/schema.py"

INTRO = """\
# Data model

Every table, by the room that owns it. `src/refonte_studio/db/schema.py` is the only definition of the tables, and the
migrations are checked against it. [Who owns a table](tables.md) says who else may read or write it.

Times are milliseconds since 1970 UTC. Ids are 24 hexadecimal characters that sort by creation. JSON is kept as text, as
it came. Every table of a team's data has `team_id`. A line between two tables is a foreign key; `tasks`, `attempts` and
`claims` have none to them, so that [finished tasks](../how-to/archive-finished-tasks.md) can be taken out.

"""


def _comments() -> dict[tuple[str, str], str]:
    """The comment beside each column, by table and column."""
    found: dict[tuple[str, str], str] = {}
    name = ""
    for line in SCHEMA.read_text().splitlines():
        if line.startswith("    ") and (start := re.match(r'    "(\w+)",$', line)) and name == "?":
            name = start[1]
        elif re.match(r"\w+ = Table\($", line):
            name = "?"
        elif column := re.match(r'    (?:_\w+|Column)\("(\w+)".*?\),  # (.+)', line):
            found[name, column[1]] = column[2]
    return found


def _drawing() -> str:
    lines = ["```mermaid", "erDiagram"]
    for each in metadata.sorted_tables:
        for key in sorted(each.foreign_keys, key=lambda key: key.parent.name):
            target = key.column.table.name
            if target != "teams":
                lines.append(f"    {target} ||--o{{ {each.name} : {key.parent.name}")
    return "\n".join([*lines, "```"]) + "\n"


def _kind(column: Column[object]) -> str:
    null = ", null" if column.nullable else ""
    return f"{str(column.type).lower()}{null}"


def _section(each: Table, comments: dict[tuple[str, str], str]) -> str:
    keys = {key.parent.name: f"→ `{key.column.table.name}`" for key in each.foreign_keys}
    primary = {column.name for column in each.primary_key}
    rows = [
        (
            f"**`{column.name}`**" if column.name in primary else f"`{column.name}`",
            _kind(column),
            "; ".join(filter(None, [keys.get(column.name, ""), comments.get((each.name, column.name), "")])),
        )
        for column in each.columns
    ]
    return f"### `{each.name}`\n\n{table(('column', 'type', 'meaning'), rows)}"


def document() -> str:
    comments = _comments()
    parts = [INTRO, "Foreign keys, without those to `teams`:\n\n", _drawing()]
    for room in dict.fromkeys(OWNERS.values()):
        parts.append(f"\n## {room}\n\n")
        owned = [each for each in metadata.tables.values() if OWNERS[each.name] == room]
        parts.append("\n".join(_section(each, comments) for each in owned))
    return "".join(parts)
