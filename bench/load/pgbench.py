"""pgbench running what the server runs: the yardstick for claim and submit on PostgreSQL.

One claim and one submit go through the application, in this process, on connections that write down every statement
with its values and its rows. From that comes a pgbench script: a value that an earlier statement answered becomes a
variable set by \\gset, an id that the application made becomes a number that is never used twice, and every client
works as a labeler of its own. BEGIN and COMMIT are in it where the server sends them.
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
from typing import Any, ClassVar, NamedTuple

import asyncpg
import httpx

from bench.environment.processes import Postgres
from bench.load.closed_loop import RESPONSE
from bench.load.figures import Calls, Figures
from refonte_studio.config import Settings
from refonte_studio.db import open_database
from refonte_studio.db.postgres import SESSION
from refonte_studio.kit.ids import is_id
from refonte_studio.main import LISTENERS, build

# Run by each client once: the labeler that it is. Their ids and the hashes of their keys are what tells them apart.
WHO = """SELECT t.id AS me, k.id AS key_id, k.key_hash FROM teammates t JOIN keys k ON k.teammate_id = t.id
WHERE t.email_key = 'w' || :client_id || '@example.com' AND t.team_id = '{team}'"""


class Statement(NamedTuple):
    sql: str
    values: tuple[Any, ...]
    rows: Sequence[asyncpg.Record]


class Recording(asyncpg.Connection):
    """A connection that writes down what runs on it."""

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
        raise NotImplementedError("fetchval is not written down")

    async def prepare(self, query: str, **options: Any) -> Any:
        raise NotImplementedError("prepare is not written down")

    async def copy_records_to_table(self, table_name: str, **options: Any) -> Any:
        raise NotImplementedError("pgbench has no COPY")


TURNS = 5  # recorded, of which the shortest is repeated


async def recorded(url: str, key: str) -> list[Statement]:
    """What the server sends to PostgreSQL for one claim and one submit of a labeler whose key is in use."""
    made = asyncpg.create_pool
    asyncpg.create_pool = partial(made, connection_class=Recording)  # type: ignore[assignment]
    try:
        db = await open_database(url, LISTENERS, 2)
    finally:
        asyncpg.create_pool = made
    try:
        transport = httpx.ASGITransport(build(db, Settings(database=url)))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://bench", auth=(key, "")) as http:
            await _work(http)  # the first use of a key is written down in the database, too
            turns = [await _turn(http) for _ in range(TURNS)]
    finally:
        await db.close()
    found = min(turns, key=len)  # now and then a turn notes more: that is not what pgbench is to repeat
    if not any("claims" in statement.sql for statement in found):
        raise SystemExit("the server's statements were not written down")
    return found


async def _turn(http: httpx.AsyncClient) -> list[Statement]:
    Recording.statements.clear()
    await _work(http)
    return list(Recording.statements)


async def _work(http: httpx.AsyncClient) -> None:
    claim = await http.post("/v1/work/claim")
    done = await http.post(f"/v1/work/{claim.raise_for_status().json()['claim_id']}/submit", json=RESPONSE)
    done.raise_for_status()


@dataclass(slots=True)
class Script:
    """A pgbench script in the making, and the variables that it is started with."""

    lines: list[str] = field(default_factory=list)
    defines: dict[str, str] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)  # a value of the record -> the variable that stands for it
    _fresh: int = 0

    def begin(self, team_id: str, me: dict[str, str]) -> None:
        """Which variable stands for what in the record was the labeler's own, and how clients find theirs."""
        self._variables.update({value: name for name, value in me.items()})
        self.defines |= {"first": "1"}
        self.lines += ["\\if :first", f"{WHO.format(team=team_id)} \\gset", "\\set first 0", "\\endif"]
        self.lines += ["\\set turn :turn + 1"]

    def add(self, statement: Statement, needed: set[str]) -> None:
        """`needed`: the texts among the values of later statements."""
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
        """What stands in the place of a value."""
        if value is None:
            return "NULL"
        if isinstance(value, list | tuple):
            return f"ARRAY[{', '.join(map(self._term, value))}]"
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if text not in self._variables:
            self._variables[text] = self._made(text) if is_id(text) else self._defined(text)
        return f":{self._variables[text]}"

    def _made(self, _id: str) -> str:
        """An id that the application made: a number, rising with the turns of the client."""
        self._fresh += 1
        name = f"made{self._fresh}"
        self.lines.append(f"\\set {name} {self._fresh}000000000000000000 + :turn * 1000 + :client_id")
        return name

    def _defined(self, text: str) -> str:
        name = f"given{len(self.defines)}"
        self.defines[name] = text
        return name


def pgbench_script(statements: Sequence[Statement], team_id: str, me: dict[str, str]) -> Script:
    """The script that does again, as any labeler, what one labeler's claim and submit did."""
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


async def script_for(url: str, team_id: str, key: str) -> Script:
    """The script, from what labeler 0, whose key this is, does."""
    connection = await asyncpg.connect(url)
    try:
        me = await connection.fetchrow(WHO.format(team=team_id).replace(":client_id", "0"))
    finally:
        await connection.close()
    assert me is not None
    return pgbench_script(await recorded(url, key), team_id, dict(me))


def drive(postgres: Postgres, script: Script, clients: int, seconds: float) -> Figures:
    """So many clients, each with a connection of its own. A turn of the script is a claim and a submit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claim-and-submit.sql"
        path.write_text("\n".join(script.lines) + "\n")
        command = [str(postgres.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
        command += ["-T", str(round(seconds)), "-f", str(path)]
        command += [f"-D{name}={value}" for name, value in script.defines.items()]
        command += [f"-Dturn={time.time_ns() // 1_000_000}"]  # beyond every turn of a run before
        before = postgres.cpu_s()
        settings = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        environment = {**os.environ, "PGOPTIONS": settings}  # its connections plan as the server's do
        done = subprocess.run([*command, postgres.url], env=environment, capture_output=True, text=True, check=False)
        used_s = postgres.cpu_s() - before
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
    turns = float(found[1])
    return Figures(seconds, {"submit": Calls(round(turns * seconds), turns)}, others_cpu_s={"PostgreSQL": used_s})


def script_text(script: Script) -> str:
    """The script and its variables, for people."""
    given = "\n".join(f"-- {name} = {value}" for name, value in script.defines.items())
    return f"{given}\n" + "\n".join(script.lines)


def script_now(url: str, team_id: str, key: str) -> Script:
    """`script_for`, for callers without an event loop."""
    return asyncio.run(script_for(url, team_id, key))
