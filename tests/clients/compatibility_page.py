"""The page about published clients, from what they do; `python -m tests.reference --clients` runs them anew.

The page is written from what happens on SQLite; the tests compare it with what happens on both engines.
"""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from refonte_studio.db.migrate import migrate
from tests.clients.columns import COLUMNS
from tests.house.sources import ROOT
from tests.live import LiveServer

PAGE = ROOT / "docs" / "reference" / "compatibility.md"
Outcomes = Mapping[str, str]

INTRO = """\
# Which published clients work

What the published clients of this API family can do on this server, with nothing but their address changed. The table
is written from test runs: the clients themselves call a server, on SQLite and on PostgreSQL, each in an environment of
its own.

- **Python**: `scaleapi` from the Python package index. Its later versions take the address as the parameter
  `api_instance_url`; before, it is a constant (`scaleapi.api.SCALE_ENDPOINT` in 2.0, `scaleapi.SCALE_ENDPOINT` in 1.0
  and 0.3).
- **Node**: `scaleapi` from the npm registry. Its address is a constant inside the module, so the library that it
  sends requests with has to be told to send them elsewhere.
- **Ruby**: the requests of the gem `scaleapi`, byte for byte; the gem itself does not run in these tests.
- **`curl`**: requests in the forms that printed samples of the family have, byte for byte: unencoded forms with
  repeated names, `a[]`, `a[0]` and `a[b]`, and JSON after `-d`.

"""

LEGEND = """\
*works*: the call does what the client expects of it. *404*: the server does not have this, says so, and the client
reports it; [why](#why-404) is below. *broken*: the client calls a function that it does not have, whatever the server.
Empty: this client does not have the call.
"""

WHY = """\
## Why 404

| what | why |
| --- | --- |
"""

REASONS = {
    ("`client.v2`",): "This server has version 1 of the API. Version 2 serves other products of the family; the client"
    " sends its requests to an address of its own, which `api_instance_url` does not change. `get_tasks`,"
    " `get_batches` and `get_projects` do the same here.",
    ("lidarannotation", "lidarlinking", "lidarsegmentation", "lidartopdown", "laneannotation", "sensorfusion"): (
        "Point clouds and maps are not annotated here."
    ),
    (
        "videoboxannotation",
        "videocuboidannotation",
    ): "The older types for video. `videoannotation` takes boxes and other"
    " shapes over frames; there are no cuboids in video.",
    ("chatexperimental", "chatlite", "multichat"): "`chat` is the type for conversations with language models.",
    ("multistage", "documentmodel"): "They run pipelines and models of another service.",
    ("phonecall",): "Nobody is telephoned from here.",
}

AFTER = """\
## What differs

- A finished task has the response that the reference at `/docs` on the server describes for its type. For example, a
  segmentation has its masks as run lengths, not as addresses of images.
- A parameter that does not exist is refused and named.
- Setting empty metadata, where there is some, is refused, because the clients leave an empty object out of the request;
  `clear=true` in the query takes the metadata away.
- A second `cancel` of a task answers with the task. `finalize` does nothing to a batch of a project that is not a
  Studio project.
"""


def run(live: LiveServer) -> dict[str, Outcomes]:
    """What came of each call of each client."""
    return {title: drive(live) for title, drive in COLUMNS.items()}


def document(found: Mapping[str, Outcomes]) -> str:
    calls = _in_order(found.values())
    types = sorted(name for name in calls if name.startswith(TYPE))
    others = [name for name in calls if not name.startswith(TYPE)]
    parts = [
        *(INTRO, "## Calls\n\n", LEGEND, "\n", _table("call", others, found)),
        *("\n## Task types\n\n", "What comes of creating a task of each type.\n\n", _table("type", types, found)),
        *("\n", WHY, _reasons(found), "\n", AFTER),
    ]
    return "".join(parts)


TYPE = "task type "


def _in_order(columns: Iterable[Outcomes]) -> list[str]:
    """Every call once; what only some clients have stands behind what they do before it."""
    calls: list[str] = []
    for column in columns:
        place = 0
        for name in column:
            if name in calls:
                place = calls.index(name) + 1
            else:
                calls.insert(place, name)
                place += 1
    return calls


def _table(head: str, calls: Iterable[str], found: Mapping[str, Outcomes]) -> str:
    rows = [
        [head, *found],
        ["---"] * (len(found) + 1),
        *([call.removeprefix(TYPE), *(column.get(call, "") for column in found.values())] for call in calls),
    ]
    return "".join("|" + "".join(f" {cell} |" if cell else " |" for cell in row) + "\n" for row in rows)


def _reasons(found: Mapping[str, Outcomes]) -> str:
    """Why each of the things that answer 404 does; a KeyError for one that nobody gave a reason for."""
    absent = {call.removeprefix(TYPE) for column in found.values() for call, came in column.items() if came == "404"}
    told = {name for names in REASONS for name in names}
    unexplained = {name for name in absent if not any(each in name for each in told)}
    if unexplained:
        raise KeyError(f"REASONS says nothing of {sorted(unexplained)}")
    return "".join(f"| {', '.join(names)} | {reason} |\n" for names, reason in REASONS.items())


def read(page: str) -> dict[str, dict[str, str]]:
    """What the page says came of each call of each client: the other way round than `document`."""
    found: dict[str, dict[str, str]] = {title: {} for title in COLUMNS}
    kinds = {"call": "", "type": TYPE}
    prefix = None
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            prefix = None
        elif cells[0] in kinds:
            prefix = kinds[cells[0]]
        elif prefix is not None and cells[0] != "---":
            for title, came in zip(COLUMNS, cells[1:], strict=True):
                if came:
                    found[title][prefix + cells[0]] = came
    return found


def rewritten() -> str:
    """The page with the outcomes that it has, in the words of today."""
    return document(read(PAGE.read_text()))


def made() -> str:
    """The page, by running every client against a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'studio.db'}"
        migrate(database)
        server = LiveServer(database, data=folder, internal_hosts="127.0.0.1")
        server.start()
        try:
            return document(run(server))
        finally:
            server.stop()
