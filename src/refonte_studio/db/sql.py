"""Translates the SQL that rooms write into that of each engine."""

import re
from functools import lru_cache
from importlib.resources import files

_LOCKS = re.compile(r"\bFOR (UPDATE|NO KEY UPDATE|SHARE|KEY SHARE)( OF \w+)?( SKIP LOCKED)?")
_LIST = re.compile(r"\bIN :(\w+)\[\]")
_NAME = re.compile(r"(?<![:\w]):(\w+)")
_COMMENT = re.compile(r"\s*--[^\n]*")


def load_statement(package: str, name: str) -> str:
    """The statement in `name.sql` of a package, without its comments."""
    return _COMMENT.sub("", files(package).joinpath(f"{name}.sql").read_text()).strip()


@lru_cache(maxsize=2048)
def for_sqlite(sql: str) -> tuple[str, frozenset[str]]:
    """Returns SQL for SQLite, and the names of its list parameters, which are passed as JSON."""
    lists = frozenset(_LIST.findall(sql))
    sql = _LIST.sub(r"IN (SELECT value FROM json_each(:\1))", sql)
    return _LOCKS.sub("", sql), lists


@lru_cache(maxsize=2048)
def for_postgres(sql: str) -> tuple[str, tuple[str, ...]]:
    """Returns SQL for PostgreSQL with numbered parameters, and their names in order."""
    sql = _LIST.sub(r"= ANY(:\1)", sql)
    order: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}"

    return _NAME.sub(number, sql), tuple(order)
