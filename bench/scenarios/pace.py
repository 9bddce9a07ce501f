"""How well response times give evaluation tasks away to a labeler who measures them under load.

    python -m bench.scenarios.pace
    python -m bench.scenarios.pace --postgresql

Starts a server of one process on an empty database, on loopback. Every third task of a project is an evaluation task.
A few labelers work on the project and measure how long each claim and each submission takes, while others, in a project
of their own, load the server as much as they can. The rounds take turns: with the grid of response times as it is, with
a grid that stays at its narrowest step, and without a grid. A server has no setting for these variants.

Prints the AUC: the probability that a response about an evaluation task takes longer than one about another task. At
0.5, response times reveal nothing; the 95 % interval is that of Hanley and McNeil.
"""

import argparse
import asyncio
import contextlib
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from itertools import count
from math import sqrt
from pathlib import Path
from statistics import median

import httpx
import uvicorn

from bench.environment.processes import module_command, module_environment
from bench.environment.seed import PROJECT, Person, Team, make_batch, make_project, make_team, post
from bench.environment.target import Target, add_target_options, empty_target
from bench.load.figures import quantile, table
from refonte_studio.config import Settings
from refonte_studio.db import open_database
from refonte_studio.kit.response_pacer import ResponsePacer
from refonte_studio.main import LISTENERS, build

ATTACKERS = 4
LOADERS = 8
EVALUATIONS = 600
TASKS = 20_000
SECONDS = 12.0
ROUNDS = 2
GRIDS = ("follows the load", "50 ms", "none")
LOADED = "Load"
EVALUATION_PREFIX = "https://example.com/known-"  # tells the benchmark, but no labeler, an evaluation task

Times = dict[str, dict[bool, list[float]]]  # seconds, by call and by whether the task is an evaluation task


async def _no_wait(_seconds: float) -> None:
    pass


async def _serve(database: str, kind: str) -> None:
    pacer = {"50 ms": ResponsePacer(steps=1), "none": ResponsePacer(sleep=_no_wait)}.get(kind, ResponsePacer())
    db = await open_database(database, LISTENERS)
    try:
        app = build(db, Settings(), services={ResponsePacer: pacer})
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", loop="none"))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            print(listening.getsockname()[1], flush=True)
            await server.serve(sockets=[listening])
    finally:
        await db.close()


@contextlib.contextmanager
def _server(database: str, kind: str) -> Generator[str]:
    command = module_command("bench.scenarios.pace", "--serve", database, "--kind", kind)
    process = subprocess.Popen(command, env=module_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        process.stdout.close()


def _prepare(url: str, team: Team) -> None:
    with team.client(url) as http:
        make_project(http, team.labelers[:ATTACKERS])
        make_batch(http, TASKS)
        post(http, f"/projects/{PROJECT}/quality", json={"evaluation_rate": 0.33})
        for number in range(EVALUATIONS):
            body = {
                "project": PROJECT,
                "attachment": f"{EVALUATION_PREFIX}{number}.jpg",
                "expected_response": {"category": "a"},
            }
            post(http, "/evaluation_tasks/categorization", json=body)
        make_project(http, team.labelers[ATTACKERS:], LOADED)
        make_batch(http, 8 * TASKS, LOADED, TASKS, LOADED)


async def _attack(url: str, person: Person, until: float, took_s: Times) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/v1", auth=(person.key, ""), timeout=120) as http:
        for number in count():
            began = time.perf_counter()
            claim = await http.post("/work/claim")
            claimed = time.perf_counter()
            if claim.status_code != 200:
                raise SystemExit(f"a claim answered {claim.status_code}: {claim.text}")
            claimed_task = claim.json()
            evaluates = claimed_task["task"]["params"]["attachment"].startswith(EVALUATION_PREFIX)
            again = time.perf_counter()
            answer = await http.post(f"/work/{claimed_task['claim_id']}/submit", json={"response": {"category": "a"}})
            done = time.perf_counter()
            if answer.status_code != 200:
                raise SystemExit(f"a submission answered {answer.status_code}: {answer.text}")
            if number > 5:  # the grid has adapted to the load
                took_s["claim"][evaluates].append(claimed - began)
                took_s["submit"][evaluates].append(done - again)
            if time.monotonic() > until:
                return


async def _round(url: str, team: Team, keys: Path, seconds: float, took_s: Times) -> None:
    load = module_command("bench.load.closed_loop", url, "--keys", str(keys))
    load += ["--seconds", str(seconds + 3)]
    loading = await asyncio.create_subprocess_exec(*load, env=module_environment(), stdout=asyncio.subprocess.DEVNULL)
    await asyncio.sleep(1.5)
    until = time.monotonic() + seconds
    await asyncio.gather(*(_attack(url, person, until, took_s) for person in team.labelers[:ATTACKERS]))
    await loading.wait()


def auc(longer: list[float], shorter: list[float]) -> tuple[float, float]:
    """The probability that a value of `longer` exceeds one of `shorter`, and half the width of its 95 % interval."""
    n, m = len(longer), len(shorter)
    above = sum((one > other) + 0.5 * (one == other) for one in longer for other in shorter)
    area = above / (n * m)
    one, two = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (n - 1) * (one - area * area) + (m - 1) * (two - area * area)
    return area, 1.96 * sqrt(spread / (n * m))


def _rows(kind: str, took_s: Times) -> Iterator[tuple[str, ...]]:
    for call, by_task in took_s.items():
        area, half = auc(by_task[True], by_task[False])
        times = [
            f"{1_000 * median(by_task[evaluates]):.0f} / {1_000 * quantile(sorted(by_task[evaluates]), 0.9):.0f} ms"
            for evaluates in (False, True)
        ]
        counts = f"{len(by_task[False])} / {len(by_task[True])}"
        yield (kind, call, counts, *times, f"{area:.3f} ± {half:.3f}")


def _measure(target: Target, seconds: float, rounds: int) -> None:
    team = asyncio.run(make_team(target.url, ATTACKERS + LOADERS))
    found: dict[str, Times] = {kind: {call: {True: [], False: []} for call in ("claim", "submit")} for kind in GRIDS}
    with _server(target.url, GRIDS[0]) as url:
        _prepare(url, team)
    target.settle()
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.txt"
        keys.write_text("\n".join(team.keys[ATTACKERS:]))
        for _ in range(rounds):
            for kind, took_s in found.items():
                with _server(target.url, kind) as url:
                    asyncio.run(_round(url, team, keys, seconds, took_s))
    rows = [row for kind, took_s in found.items() for row in _rows(kind, took_s)]
    heads = ("grid", "call", "work / evaluation", "work p50 / p90", "evaluation p50 / p90", "AUC")
    print(f"{target.engine}\n")
    print(table([heads, *rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_target_options(parser)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each round")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each grid")
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    parser.add_argument("--kind", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(options.serve, options.kind))
        return
    with empty_target(options) as target:
        _measure(target, options.seconds, options.rounds)


if __name__ == "__main__":
    main()
