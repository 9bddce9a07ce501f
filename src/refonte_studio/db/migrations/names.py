"""Brings names, addresses and tags that were kept as they were written into their one form (see `kit.names`).

Of several names that become equal, one keeps the name: the one that had this form already, or else the oldest. The
others get a number, `Dogs (2)` and `ben+2@example.com`, and a line in the log, so that each of them stays reachable.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from refonte_studio.kit.names import name_key, person_key

log = logging.getLogger("alembic.names")  # the migration's own log, which the command line shows


def give_names_one_form(bind: Connection) -> None:
    """Renames what has another form, in every table that keeps names."""
    _rename(bind, "teams", ())
    _rename(bind, "projects", ("team_id", "mode"))
    _rename(bind, "batches", ("team_id", "mode"))
    _rename(bind, "groups", ("project_id",))
    _rename_people(bind)
    _rename_tags(bind)


def _rename(bind: Connection, table: str, scope: tuple[str, ...]) -> None:
    columns = ", ".join(("id", "name", *scope))
    # a group that stands for one person follows that person
    chosen = " WHERE NOT singleton" if table == "groups" else ""
    taken = " AND ".join(("name = :name", *(f"{column} = :{column}" for column in scope)))
    rows = bind.execute(text(f"SELECT {columns} FROM {table}{chosen} ORDER BY id")).mappings()
    for row in [dict(row) for row in rows if name_key(row["name"]) != row["name"]]:

        def is_taken(name: str, row: dict[str, Any] = row) -> bool:
            return _exists(bind, f"SELECT id FROM {table} WHERE {taken} AND id <> :id", {**row, "name": name})

        name = _free(name_key(row["name"]), is_taken)
        bind.execute(text(f"UPDATE {table} SET name = :name WHERE id = :id"), {"name": name, "id": row["id"]})
        log.warning("%s: %r is called %r from now on", table, row["name"], name)


def _rename_people(bind: Connection) -> None:
    rows = bind.execute(text("SELECT id, team_id, email, email_key FROM teammates ORDER BY id")).mappings()
    for row in [dict(row) for row in rows if not row["email"] == row["email_key"] == person_key(row["email"])]:

        def is_taken(name: str, row: dict[str, Any] = row) -> bool:
            same = "SELECT id FROM teammates WHERE team_id = :team_id AND email_key = :name AND id <> :id"
            return _exists(bind, same, {**row, "name": name})

        renamed = {**row, "name": _free(person_key(row["email"]), is_taken)}
        bind.execute(text("UPDATE teammates SET email = :name, email_key = :name WHERE id = :id"), renamed)
        own_groups = "UPDATE groups SET name = :name WHERE team_id = :team_id AND singleton AND name = :email"
        bind.execute(text(own_groups), renamed)
        log.warning("teammates: %r is called %r from now on", row["email"], renamed["name"])


def _rename_tags(bind: Connection) -> None:
    tags = bind.execute(text("SELECT DISTINCT team_id, tag FROM task_tags")).mappings()
    for row in [{**row, "name": name_key(row["tag"])} for row in tags if name_key(row["tag"]) != row["tag"]]:
        tagged = "FROM task_tags WHERE team_id = :team_id AND tag = :tag"
        tasks = list(bind.execute(text(f"SELECT task_id {tagged}"), row).scalars())
        insert = f"INSERT INTO task_tags (team_id, tag, task_id) SELECT team_id, :name, task_id {tagged}"
        bind.execute(text(f"{insert} ON CONFLICT DO NOTHING"), row)
        bind.execute(text(f"DELETE {tagged}"), row)
        for task_id in tasks:
            _retag(bind, task_id)


def _retag(bind: Connection, task_id: str) -> None:
    kept = bind.execute(text("SELECT tags FROM tasks WHERE id = :id"), {"id": task_id}).scalar()
    tags = json.dumps(list(dict.fromkeys(map(name_key, json.loads(kept or "[]")))), ensure_ascii=False)
    bind.execute(text("UPDATE tasks SET tags = :tags WHERE id = :id"), {"id": task_id, "tags": tags})


def _exists(bind: Connection, statement: str, values: dict[str, Any]) -> bool:
    return bind.execute(text(statement), values).first() is not None


def _free(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """The wanted name, or that name with the first number that nothing has."""
    local, at, domain = wanted.rpartition("@")
    name, number = wanted, 1
    while is_taken(name):
        number += 1
        name = f"{local}+{number}@{domain}" if at else f"{wanted} ({number})"
    return name
