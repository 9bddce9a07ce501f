"""Runs the server's own statements with pgbench: the yardstick for claim and submit on PostgreSQL.

One claim and one submit go through the application, in this process, on connections that record every statement with
its values and rows. They become a pgbench script: a value that an earlier statement returned becomes a variable set by
\\gset, an id that the application made becomes a number that is never used twice, and each client works as a labeler of
its own. BEGIN and COMMIT are in the script where the server sends them.
"""

import asyncio
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast
from unittest.mock import patch

import asyncpg
import httpx

from bench.environment.postgres import Postgres
from bench.load.figures import Calls, Figures
from bench.load.generator import RESPONSE
from refonte_studio.config import Settings
from refonte_studio.db import open_database
from refonte_studio.db.postgres import SESSION
from refonte_studio.kit.ids import is_id
from refonte_studio.main import LISTENERS, build

# Each client runs it once, to find the labeler that it works as.
OWN_LABELER = """SELECT t.id AS me, k.id AS key_id, k.key_hash FROM teammates t JOIN keys k ON k.teammate_id = t.id
WHERE t.email_key = 'w' || :client_id || '@example.com' AND t.team_id = '{team}'"""


class Statement(NamedTuple):
    sql: str
    values: tuple[Any, ...]
    rows: Sequence[asyncpg.Record]


class RecordingConnection(asyncpg.Connection):
    """A connection that records the statements that run on it."""

    statements: ClassVar[list[Statement]] = []

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        tag = await super().execute(query, *args, **options)
        self.statements.append(Statement(query, args, ()))
        return tag

    async def fetch(self, query: str, *args: Any, **options: Any) -> list[Any]:
        rows = await super().fetch(query, *args, **options)
        self.statements.append(Statement(query, args, rows))
        return rows

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        row = await super().fetchrow(query, *args, **options)
        self.statements.append(Statement(query, args, () if row is None else (row,)))
        return row

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        raise NotImplementedError("fetchval is not recorded")

    async def prepare(self, query: str, **options: Any) -> Any:
        raise NotImplementedError("prepare is not recorded")

    async def copy_records_to_table(self, table_name: str, **options: Any) -> Any:
        raise NotImplementedError("pgbench has no COPY")


TURNS = 5  # that are recorded; the shortest of them becomes the script


async def record_turn(url: str, key: str) -> list[Statement]:
    """What the server sends to PostgreSQL for one claim and one submit of a labeler whose key has been used before."""
    recording = partial(asyncpg.create_pool, connection_class=RecordingConnection)
    with patch.object(asyncpg, "create_pool", recording):
        db = await open_database(url, LISTENERS, 2)
    try:
        transport = httpx.ASGITransport(cast(Any, build(db, Settings(database=url))))
        async with httpx.AsyncClient(transport=transport, base_url="http://bench", auth=(key, "")) as http:
            await _work(http)  # the first use of a key also writes that it was used
            turns = [await _turn(http) for _ in range(TURNS)]
    finally:
        await db.close()
    found = min(turns, key=len)  # a longer turn includes occasional work that pgbench shall not repeat
    if not any("claims" in statement.sql for statement in found):
        raise SystemExit("the server's statements were not recorded")
    return found


async def _turn(http: httpx.AsyncClient) -> list[Statement]:
    RecordingConnection.statements.clear()
    await _work(http)
    return list(RecordingConnection.statements)


async def _work(http: httpx.AsyncClient) -> None:
    claim = await http.post("/v1/work/claim")
    done = await http.post(f"/v1/work/{claim.raise_for_status().json()['claim_id']}/submit", json=RESPONSE)
    done.raise_for_status()


@dataclass(slots=True)
class Script:
    """A pgbench script that is being written, and the variables that it starts with."""

    lines: list[str] = field(default_factory=list)
    defines: dict[str, str] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)  # by recorded value
    _fresh: int = 0

    def begin(self, team_id: str, me: dict[str, str]) -> None:
        """Makes each client find its own labeler. `me`: the recorded labeler's values, by the variables for them."""
        self._variables.update({value: name for name, value in me.items()})
        self.defines |= {"first": "1"}
        self.lines += ["\\if :first", f"{OWN_LABELER.format(team=team_id)} \\gset", "\\set first 0", "\\endif"]
        self.lines += ["\\set turn :turn + 1"]

    def add(self, statement: Statement, needed: set[str]) -> None:
        """Adds a statement; `needed` are the texts among the values of later statements."""
        sql = re.sub(r"\$(\d+)", lambda match: self._term(statement.values[int(match[1]) - 1]), statement.sql)
        sql = sql.strip().rstrip(";")
        number = sum(not line.startswith("\\") for line in self.lines)
        made = self._results(statement, number, needed)
        self.lines.append(f"{sql} \\gset s{number}_" if made else f"{sql};")
        self._variables.update(made)

    def _results(self, statement: Statement, number: int, needed: set[str]) -> dict[str, str]:
        if len(statement.rows) != 1:
            return {}
        row = statement.rows[0]
        texts = {
            value: f"s{number}_{name}" for name, value in row.items() if isinstance(value, str) and value in needed
        }
        return {value: name for value, name in texts.items() if value not in self._variables and len(value) > 8}

    def _term(self, value: Any) -> str:
        """The SQL that replaces a recorded value."""
        if value is None:
            return "NULL"
        if isinstance(value, list | tuple):
            return f"ARRAY[{', '.join(map(self._term, value))}]"
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if text not in self._variables:
            self._variables[text] = self._fresh_id() if is_id(text) else self._constant(text)
        return f":{self._variables[text]}"

    def _fresh_id(self) -> str:
        """A variable in place of an id that the application made: a number that rises with the turns of the client."""
        self._fresh += 1
        name = f"made{self._fresh}"
        self.lines.append(f"\\set {name} {self._fresh}000000000000000000 + :turn * 1000 + :client_id")
        return name

    def _constant(self, text: str) -> str:
        name = f"given{len(self.defines)}"
        self.defines[name] = text
        return name


def write_script(statements: Sequence[Statement], team_id: str, me: dict[str, str]) -> Script:
    """The script that repeats, as any labeler, the recorded claim and submit of one labeler."""
    script = Script()
    script.begin(team_id, me)
    for number, statement in enumerate(statements):
        later = {text for other in statements[number + 1 :] for text in _texts(other.values)}
        script.add(statement, later)
    return script


def _texts(values: Sequence[Any]) -> list[str]:
    found: list[str] = []
    for value in values:
        found += [value] if isinstance(value, str) else _texts(value) if isinstance(value, list | tuple) else []
    return found


def make_script(url: str, team_id: str, key: str) -> Script:
    """The script made from a turn of labeler 0, whose key this is."""
    return asyncio.run(_make_script(url, team_id, key))


async def _make_script(url: str, team_id: str, key: str) -> Script:
    connection = await asyncpg.connect(url)
    try:
        me = await connection.fetchrow(OWN_LABELER.format(team=team_id).replace(":client_id", "0"))
    finally:
        await connection.close()
    assert me is not None
    return write_script(await record_turn(url, key), team_id, dict(me))


def drive(postgres: Postgres, script: Script, clients: int, seconds: float) -> Figures:
    """Runs the script on `clients` connections. One turn of the script is a claim and a submit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claim-and-submit.sql"
        path.write_text("\n".join(script.lines) + "\n")
        command = [str(postgres.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
        command += ["-T", str(round(seconds)), "-f", str(path)]
        command += [f"-D{name}={value}" for name, value in script.defines.items()]
        command += [f"-Dturn={time.time_ns() // 1_000_000}"]  # more than any turn number of an earlier run
        before = postgres.cpu_s()
        settings = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        environment = {**os.environ, "PGOPTIONS": settings}  # so that statements are planned as for the server
        done = subprocess.run([*command, postgres.url], env=environment, capture_output=True, text=True, check=False)
        used_s = postgres.cpu_s() - before
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
    turns = float(found[1])
    return Figures(seconds, {"submit": Calls(round(turns * seconds), turns)}, others_cpu_s={"PostgreSQL": used_s})


def script_text(script: Script) -> str:
    """The script and its variables, for people to read."""
    defines = "\n".join(f"-- {name} = {value}" for name, value in script.defines.items())
    return f"{defines}\n" + "\n".join(script.lines)
