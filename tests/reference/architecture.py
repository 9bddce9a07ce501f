"""The page about the architecture; its drawing is made from the import contract in `pyproject.toml`."""

import re
import tomllib
from collections.abc import Mapping

from tests.house.sources import ROOT
from tests.reference.markdown import table

INTRO = """\
# Architecture

Refonte Studio is one Python process, or several, on one database. The source is a set of **rooms**: packages under
`src/refonte_studio/`, one for each subject. A room imports only from rooms below it.

"""

BEFORE_FILES = """
## Inside a room

"""

AFTER_FILES = """
Each of them is a module, or a package with a module for each subject (`dispatch/store/claims.py`). Other rooms see only
`service` and `model`. `web`, `task_types`, `db`, `config`, `consensus` and `kit` are not divided in this way; higher
rooms import their modules directly.

## Four ideas that explain the rest

* **A use-case owns one transaction.** It is an `async` function whose first argument is the transaction, and it awaits
  nothing else. The same code runs on SQLite and on PostgreSQL
  ([decision 1](../decisions/0001-one-use-case-two-engines.md)).
* **Operations are a table.** Each call of the API is registered once, with its path, permission, parameters and
  example. Routing, validation, permissions, OpenAPI and the contract tests all read that table
  ([decision 2](../decisions/0002-a-table-of-operations.md)).
* **What an action causes commits with it.** A lower room tells an event in its transaction; higher rooms listen.
  `src/refonte_studio/main.py` has the table of listeners. Callbacks are rows of an outbox, sent after the commit.
* **Time is an argument.** Nothing but `src/refonte_studio/kit/clock.py` reads the time of day, so tests move time and
  never sleep.

## Beside the requests

`src/refonte_studio/server/background.py` runs loops that expire leases, fold counts, send callbacks and sweep old rows.
Consensus models are fitted in a separate process
([decision 13](../decisions/0013-a-process-that-estimates.md)), and large responses are checked in another
([decision 17](../decisions/0017-large-responses-apart.md)). The loops and the fitting process take their work in
transactions, so several servers share it without doing anything twice. A request waits for the check of its own
response.

## What holds it

The import contract in `pyproject.toml` (`lint-imports`) and `tests/house/` check all of this: layers between rooms,
layers inside a room, who may import which library, who may touch which table.
"""

# The files of a room: what each holds, and what it may import.
FILES = (
    (
        "`model`",
        "frozen types, states, and a table that documents the moves between states",
        "`kit`, models of lower rooms",
    ),
    (
        "`policy`",
        "pure choices: permissions, order, limits",
        "`model`, `kit`, `task_types`, `consensus`, models of lower rooms",
    ),
    (
        "`store`",
        "SQL. It takes the transaction and never commits",
        "`model`, `db`, `kit`, models of lower rooms, SQL conditions of lower services",
    ),
    (
        "`service`",
        "use-cases: asynchronous functions of one transaction",
        "its own files, `db`, `kit`, and the `service` and `model` of lower rooms",
    ),
    (
        "`routes`",
        "wire types and handlers. A handler runs a use-case with `db.write` or `db.read`",
        "the `service` and `model` of its own and of lower rooms, `web`, `kit`",
    ),
)

# What each room is for. A new room needs a line here.
ROOMS: Mapping[str, str] = {
    "cli": "the command `refonte-studio`",
    "demo": "a demo team, made through the services",
    "server": "the process: sockets, workers, background loops",
    "main": "the composition root: rooms, listeners, application",
    "api_reference": "the words of the API reference",
    "invariants": "checks over all rows that find contradictions",
    "analytics": "figures for managers, and forecasts",
    "reviews": "reviews of finished attempts, audits",
    "dispatch": "who gets which task: claims and submissions",
    "quality": "training, evaluation, pauses",
    "callbacks": "the outbox and its delivery",
    "annotator_models": "what is known about each annotator",
    "imports": "tasks and attempts in bulk",
    "tasks": "tasks, their slots, attempts and results",
    "batches": "batches, their queue and counts",
    "files": "files that the server keeps",
    "projects": "projects, assignments, groups",
    "teams": "teams, people, sessions, keys",
    "web": "HTTP, parameters, OpenAPI; knows no room",
    "aggregation": "several responses become one result",
    "task_types": "one file for each task type",
    "db": "engines, schema, migrations",
    "config": "settings",
    "consensus": "the mathematics of consensus",
    "kit": "clock, ids, errors, names: no business words",
}


def layers() -> list[list[str]]:
    """The rooms from top to bottom, those of one layer together."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found = next(each for each in contracts if each["name"] == "Rooms look only downwards")["layers"]
    return [re.findall(r"\w+", layer) for layer in found]


def _drawing() -> str:
    lines = ["```mermaid", "flowchart TB"]
    for number, rooms in enumerate(layers()):
        names = " ~~~ ".join(rooms)
        if len(rooms) > 1:
            lines += [f"    subgraph layer{number}[ ]", "        direction LR", f"        {names}", "    end"]
        else:
            lines.append(f"    {names}")
    ends = [rooms[0] if len(rooms) == 1 else f"layer{number}" for number, rooms in enumerate(layers())]
    lines.append("    " + " --> ".join(ends))
    return "\n".join([*lines, "```"]) + "\n"


def document() -> str:
    rows = [(f"`{room}`", ROOMS[room]) for rooms in layers() for room in rooms]
    between = "\nThe rooms from top to bottom. A box holds the rooms of one level:\n\n"
    files = BEFORE_FILES + table(("file", "holds", "may import"), FILES)
    return INTRO + table(("room", "what it does"), rows) + between + _drawing() + files + AFTER_FILES
