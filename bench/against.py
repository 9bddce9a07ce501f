"""How fast claim and submit are here, against another revision of the project on the same machine.

    python bench/against.py REVISION
    python bench/against.py REVISION --engines SQLite --ways http --cases standard --rounds 9

Checks the revision out into `.against/` beside this checkout, gives it an environment of its own by its `script/setup`,
and measures both in alternating turns: every round measures each revision once, and the next round in the other order,
so that whatever else the machine does falls on both. Prints, for each engine, with and without HTTP, for standard tasks
and for consensus of three, the median of the rounds' ratios (above 1: here is faster) with the lowest and the highest.

Over HTTP both revisions are driven by the load of this checkout, and set up by the command line and the API, which do
not change. Without HTTP each revision runs its own driver of its own use-cases. Beside the rate stands the ratio of the
processor time that a task costs (above 1: here is cheaper), which other work on the machine disturbs less.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import asyncpg
import httpx

if not __package__:  # started as a file: Python looks for packages beside it, not in the repository
    sys.path[0] = str(Path(__file__).parent.parent)

from bench.environment.postgres import started_postgres
from bench.environment.processes import ROOT
from bench.environment.seed import PROJECT, TIMEOUT_S, make_batch, post
from bench.environment.servers import running_server
from bench.load import closed_loop
from bench.load.figures import Figures, table

Engine = Literal["SQLite", "PostgreSQL"]
Way = Literal["http", "direct"]
Case = Literal["standard", "consensus"]


class Kind(NamedTuple):
    """A kind of project: what it is called, how many attempts complete a task, and what the API is told of it."""

    title: str
    attempts: int
    settings: dict[str, object]


CASES: dict[Case, Kind] = {
    "standard": Kind("standard", 1, {}),
    "consensus": Kind("consensus of three", 3, {"pipeline": "consensus_task", "consensus_attempts": 3}),
}
WAYS: dict[Way, str] = {"http": "over HTTP", "direct": "without HTTP"}
WORKERS: dict[Engine, int] = {"SQLite": 1, "PostgreSQL": 2}
CHECKOUTS = ROOT / ".against"
SUBMITS_PER_S = 5_000  # more than was ever seen: so many are there to be made
TEAM, ADMIN = "Bench", "ana@example.com"
# Where a revision keeps its driver of claim and submit without HTTP, the newest place first: arguments of its Python.
DIRECT_DRIVERS = {
    "bench/load/without_http.py": ("-m", "bench.load.without_http"),
    "bench/direct.py": ("bench/direct.py",),
}
# Runs many commands of a revision's command line in one process: a JSON list of lists of arguments on standard input.
COMMANDS = """
import json, sys
from refonte_studio.cli import app
for arguments in json.load(sys.stdin):
    app(arguments, prog_name="refonte-studio", standalone_mode=False)
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A revision in a folder, with its own environment."""

    name: str
    folder: Path
    python: str

    def run(self, *arguments: str, stdin: str) -> str:
        """What its Python prints. It is started in the folder, and imports `bench` from there."""
        done = subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**without_settings(), "PYTHONPATH": str(self.folder)},
            input=stdin,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def commands(self, *commands: Sequence[str]) -> list[str]:
        """The lines that these commands of `refonte-studio` print."""
        return self.run("-c", COMMANDS, stdin=json.dumps(commands)).splitlines()


def without_settings() -> dict[str, str]:
    """The environment of this process, without what would change a server or a script of the other revision."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "PYTHONPATH"))}


def here() -> Checkout:
    """This checkout, with changes that are not committed."""
    return Checkout("here", ROOT, sys.executable)


def checked_out(revision: str) -> Checkout:
    """The revision in a folder of its own, which stays for later runs.

    Raises SystemExit if there is no such revision, or if it cannot be set up.
    """
    commit = git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    folder = CHECKOUTS / commit[:12]
    if not folder.exists():
        git("worktree", "prune")
        git("worktree", "add", "--detach", str(folder), commit)
    environment = {**without_settings(), "STUDIO_REQUIREMENTS": "requirements.txt"}
    setup = subprocess.run(["sh", "-ec", ". script/setup"], cwd=folder, env=environment, check=False)
    if setup.returncode:
        raise SystemExit(f"script/setup failed in {folder}")
    return Checkout(git("show", "-s", "--format=%h", commit), folder, str(folder / ".venv" / "bin" / "python"))


def git(*arguments: str) -> str:
    """What git prints. Raises SystemExit with what it says if it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Side:
    """One revision with its own database: a team, and tasks enough for all rounds."""

    checkout: Checkout
    engine: Engine
    database: str
    keys: tuple[str, ...]

    def measured(self, way: Way, options: argparse.Namespace) -> Figures:
        figures = (self.over_http if way == "http" else self.without_http)(options.seconds, options.warm_up)
        if figures.of("empty").count:
            raise SystemExit("the tasks ran out: measure fewer rounds, or shorter ones")
        if figures.faults:
            raise SystemExit(f"{self.checkout.name} did not answer as it should: {figures.faults}")
        return figures

    def over_http(self, seconds: float, warm_up: float) -> Figures:
        """Its server, driven by the load of this checkout."""
        with running_server(self.database, WORKERS[self.engine], self.checkout.python) as server:

            def cpu() -> dict[str, float]:
                return {"server": server.cpu_s()}

            return closed_loop.drive(server.url, self.keys, seconds, warm_up=warm_up, cpu=cpu)

    def without_http(self, seconds: float, warm_up: float) -> Figures:
        """Its use-cases, driven by its own driver in one process."""
        driver = next((how for path, how in DIRECT_DRIVERS.items() if (self.checkout.folder / path).exists()), None)
        if driver is None:
            raise SystemExit(f"{self.checkout.name} has no known driver without HTTP; try --ways http")
        options = ["--keys", "-", "--json", "--seconds", str(seconds), "--warm-up", str(warm_up)]
        keys = "\n".join(self.keys)
        return Figures.from_json(json.loads(self.checkout.run(*driver, self.database, *options, stdin=keys)))


def seeded(checkout: Checkout, engine: Engine, database: str, case: Case, labelers: int, tasks: int) -> Side:
    """A team of that many labelers and one finalized batch, made by that revision in its empty database."""
    emails = [f"w{number}@example.com" for number in range(labelers)]
    at = ("--database", database)
    checkout.commands(
        ("migrate", *at),
        ("team", "create", TEAM, *at),
        ("user", "create", ADMIN, "--team", TEAM, "--role", "admin", *at),
        *(("user", "create", email, "--team", TEAM, "--role", "labeler", *at) for email in emails),
    )
    admin_key, *keys = checkout.commands(
        *(("key", "create", email, "--mode", "live", *at) for email in (ADMIN, *emails))
    )
    project = {"name": PROJECT, "type": "categorization", "studio": True, "params": {"categories": ["a", "b"]}}
    with (
        running_server(database, 1, checkout.python) as server,
        httpx.Client(base_url=f"{server.url}/v1", auth=(admin_key, ""), timeout=TIMEOUT_S) as http,
    ):
        post(http, "/projects", json={**project, **CASES[case].settings})
        post(http, "/studio/assignments/add", json={"emails": emails, "projects": [PROJECT]})
        make_batch(http, tasks)
    if engine == "PostgreSQL":  # what its autovacuum would do some time
        asyncio.run(execute(database, "VACUUM ANALYZE", "CHECKPOINT"))
    return Side(checkout, engine, database, tuple(keys))


@contextmanager
def empty_databases(engine: Engine) -> Generator[Callable[[str], str]]:
    """Makes an empty database of this name and answers its URL; all of them are deleted at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-against-")))
        if engine == "SQLite":
            yield lambda name: f"sqlite:///{folder / name}.db"
            return
        url = stack.enter_context(started_postgres()).url

        def made(name: str) -> str:
            asyncio.run(execute(url, f'CREATE DATABASE "{name}"'))
            return urlsplit(url)._replace(path=f"/{name}").geturl()

        yield made


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the rounds of one case found."""

    title: str
    ours: list[Figures]
    theirs: list[Figures]

    def cells(self) -> tuple[str, ...]:
        """One row of the table."""
        pairs = list(zip(self.ours, self.theirs, strict=True))
        rates = [ours.tasks_per_second / theirs.tasks_per_second for ours, theirs in pairs]
        costs = [cost_us(theirs) / cost_us(ours) for ours, theirs in pairs]
        return (self.title, median_rate(self.ours), median_rate(self.theirs), spread(rates), spread(costs))


def median_rate(figures: Sequence[Figures]) -> str:
    return f"{statistics.median(each.tasks_per_second for each in figures):,.0f}"


def spread(ratios: Sequence[float]) -> str:
    """The median, with the lowest and the highest."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def cost_us(figures: Figures) -> float:
    """The processor time of the server for a task, or of the one process where there is no server."""
    return figures.others_cpu_s.get("server", figures.cpu_s) / figures.of("submit").count * 1e6


def compared(ours: Side, theirs: Side, way: Way, title: str, options: argparse.Namespace) -> Comparison:
    """The rounds of one case. The revision that begins a round ends the next."""
    found: dict[Side, list[Figures]] = {ours: [], theirs: []}
    for number in range(options.rounds):
        for side in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            found[side].append(side.measured(way, options))
        last = found[ours][-1].tasks_per_second, found[theirs][-1].tasks_per_second
        print(f"  {title}, round {number + 1}: {last[0]:,.0f} and {last[1]:,.0f} tasks/s", flush=True)
    return Comparison(title, found[ours], found[theirs])


def comparisons(other: Checkout, options: argparse.Namespace) -> Iterator[Comparison]:
    """Every case that the options ask for."""
    runs = len(options.ways) * options.rounds
    for engine, case in product(options.engines, options.cases):
        tasks = round(runs * (options.seconds + options.warm_up) * SUBMITS_PER_S / CASES[case].attempts)
        with empty_databases(engine) as database:
            ours = seeded(here(), engine, database("ours"), case, options.labelers, tasks)
            theirs = seeded(other, engine, database("theirs"), case, options.labelers, tasks)
            for way in options.ways:
                yield compared(ours, theirs, way, f"{engine}, {WAYS[way]}, {CASES[case].title}", options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="a commit, a branch or a tag")
    parser.add_argument("--engines", nargs="+", choices=WORKERS, default=list(WORKERS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="direct: without HTTP")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=1.5, help="seconds before that do not count")
    parser.add_argument("--labelers", type=int, default=32)
    options = parser.parse_args()
    other = checked_out(options.revision)
    rows = [("", "here", other.name, "rate, here / there", "processor, there / here")]
    rows += [each.cells() for each in comparisons(other, options)]
    print(
        f"\nTasks a second with {options.labelers} labelers; medians of {options.rounds} rounds, lowest and highest.\n"
    )
    print(table(rows))


if __name__ == "__main__":
    main()
