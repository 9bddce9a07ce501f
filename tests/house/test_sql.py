"""How SQL is written: aliases, parameters, names of long statements."""

import ast
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
from sqlglot import exp

from refonte_studio.db.migrate import migrate
from refonte_studio.db.schema import metadata
from refonte_studio.db.sql import for_postgres, for_sqlite
from refonte_studio.db.sql_names import ALIASES, PARAMETERS
from tests.house.sources import modules, tree
from tests.house.statements import STORES, Statement, parsed, statements, tables_in
from tests.house.test_layout import listed

LINES = 10  # of a statement; a longer one has a name and a sentence about it
COLUMNS = {column.name for table in metadata.tables.values() for column in table.c}
# What no service asks of SQLite: it says what only PostgreSQL has.
_FOR_POSTGRESQL_ALONE = re.compile(r"\bunnest\(|::|\bLATERAL\b|\bjson_agg\(|\bAS \(\s*(UPDATE|INSERT|DELETE)\b")
IDS = {f"{noun}_id" for noun in ("callback", "claim", "delta", "failure", "key", "review")}  # beside columns


def _held() -> list[Statement]:
    """What is held to the names."""
    return [statement for statement in statements() if statement.room != "dispatch"]


def test_every_table_has_an_alias_of_its_own():
    assert set(ALIASES) == set(metadata.tables)
    assert len(set(ALIASES.values())) == len(ALIASES)
    assert all(len(alias) <= 2 for alias in ALIASES.values())


def test_a_table_goes_by_its_name_or_its_alias():
    wrong = {
        f"{table.name} {table.alias}: {statement.place}"
        for statement in statements()
        if statement.room != "dispatch" or statement.place.startswith("dispatch.store.fast_path.")
        for table in tables_in(statement)
        if table.alias not in ("", ALIASES[table.name]) and not table.alias.startswith(f"{ALIASES[table.name]}_")
    }
    assert not wrong, listed(sorted(wrong))


def test_what_is_no_table_has_a_longer_name():
    wrong = {
        f"{node.alias}: {statement.place}"
        for statement in _held()
        for node in parsed(statement.engine, statement.sql).find_all(exp.Subquery, exp.CTE, exp.Table)
        if len(node.alias) in (1, 2) and not (isinstance(node, exp.Table) and node.name in ALIASES)
        if isinstance(node.parent, exp.From | exp.Join | exp.With)
    }
    assert not wrong, listed(sorted(wrong))


def _parameters(statement: Statement) -> set[str]:
    return set(re.findall(r"(?<![:\w]):(\w+)", statement.sql))


def test_a_parameter_has_one_spelling():
    known = {*COLUMNS, *IDS, *PARAMETERS}
    wrong = {
        f":{name}: {statement.place}"
        for statement in _held()
        for name in _parameters(statement)
        if name not in known and not (name.endswith("s") and _one_of(name) & known)
    }
    assert not wrong, listed(sorted(wrong))


def _one_of(name: str) -> set[str]:
    """What a list of this name may be a list of."""
    return {name.removesuffix("s"), name.removesuffix("es")}


def test_every_declared_parameter_is_used():
    used = {name for statement in _held() for name in _parameters(statement)}
    assert set(PARAMETERS) <= used, listed(sorted(set(PARAMETERS) - used))
    assert not set(PARAMETERS) & COLUMNS


def test_a_statement_is_given_the_values_that_it_names():
    wrong = [
        f"{sorted(_parameters(statement) ^ statement.values)}: {statement}"
        for statement in statements()
        if statement.values is not None and _parameters(statement) != statement.values
    ]
    assert not wrong, listed(wrong)


def test_a_long_statement_has_a_name_and_a_sentence_about_it():
    wrong: list[str] = []
    for name, path in modules().items():
        if not STORES.match(name) or name.startswith("refonte_studio.dispatch."):
            continue
        lines = path.read_text().splitlines()
        named = {
            id(node.value): node.lineno
            for node in tree(path).body
            if isinstance(node, ast.Assign | ast.AnnAssign) and _is_constant(node)
        }
        inner = {id(part) for node in ast.walk(tree(path)) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree(path)):
            if id(node) in inner or not isinstance(node, ast.Constant | ast.JoinedStr) or not _is_long_sql(node):
                continue
            line = named.get(id(node))
            if line is None or not lines[line - 2].startswith("# "):
                wrong.append(f"{path}:{node.lineno}")
    assert not wrong, listed(sorted(set(wrong)))


def _is_constant(node: ast.Assign | ast.AnnAssign) -> bool:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return isinstance(target, ast.Name) and target.id.isupper()


def _is_long_sql(node: ast.Constant | ast.JoinedStr) -> bool:
    values = [node] if isinstance(node, ast.Constant) else node.values
    texts = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    is_sql = re.search(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b", "".join(texts)) is not None
    return is_sql and (node.end_lineno or 0) - node.lineno + 1 > LINES


def test_sqlite_understands_every_statement(tmp_path: Path):
    file = tmp_path / "studio.db"
    migrate(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements():
            if statement.engine == "sqlite" and not _FOR_POSTGRESQL_ALONE.search(statement.sql):
                sql, lists = for_sqlite(statement.sql)
                values = {name: "[]" if name in lists else None for name in _parameters(statement)}
                connection.execute(f"EXPLAIN {sql}", values).close()


async def test_postgresql_understands_every_statement(postgres_url: str):
    connection = await asyncpg.connect(postgres_url)
    try:
        for statement in statements():
            if statement.engine == "postgresql":
                await connection.prepare(for_postgres(statement.sql)[0])
    finally:
        await connection.close()
