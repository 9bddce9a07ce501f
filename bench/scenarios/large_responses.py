"""How much large responses slow down labelers who send small ones.

    python -m bench.scenarios.large_responses
    python -m bench.scenarios.large_responses --postgresql
    python -m bench.scenarios.large_responses --where

Starts a real server on an empty database. A few labelers claim and submit small tasks at a steady pace; in every second
round, one more person keeps sending the worst responses of the allowed size, each wrong at its very end. Prints the
times of the others' claims and submissions in both kinds of round, their ratio, and how the server answered the person
who sent large responses.

With `--where` there is no server: the worst responses are checked one after another in the event loop, in a thread and
in a separate process, and the benchmark prints how late a timer of the event loop fires meanwhile. The result is why
the server checks them in a process.
"""

import argparse
import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable
from statistics import median
from typing import Any

import httpx
import msgspec

from bench.environment.processes import module_command, module_environment
from bench.environment.seed import PROJECT, Person, Team, assign, make_batch, make_project, make_team, post
from bench.environment.servers import running_server
from bench.environment.target import Target, add_target_options, empty_target
from bench.load.figures import quantile, table
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.fair_queue import FairQueue
from refonte_studio.kit.job_processes import JobProcesses, Reply
from refonte_studio.tasks.model import CheckContext
from refonte_studio.tasks.service import check_process
from refonte_studio.tasks.service.response_checks import Checks

LABELERS = 4
PACE_S = 0.05  # between two calls of a labeler
ROUNDS = 3  # of each kind, in turns
ROUND_S = 8.0
TYPE = "segmentannotation"
DRAWN = "Drawn"
LABELS = {"labels": ["car"]}


def _bodies() -> dict[str, bytes]:
    """The worst responses: as many elements of one kind as are allowed, the last of which is wrong."""
    runs = [1, 2] * 499_999
    mask = {"uuid": "m", "label": "car", "rle": {"size": [2_000, 2_000], "counts": [*runs, -1]}}
    several = [
        {"uuid": f"m{n}", "label": "car", "rle": {"size": [2_000, 2_000], "counts": [*([1, 2] * 124_000), 3_628_000]}}
        for n in range(4)
    ]
    several[-1]["label"] = "tree"
    names = [{"uuid": f"u{n}", "label": "car", "rle": {"size": [10, 10], "counts": [100]}} for n in range(9_999)]
    return {
        "one mask": msgspec.json.encode({"response": {"annotations": [mask]}}),
        "four masks": msgspec.json.encode({"response": {"annotations": several}}),
        "many masks": msgspec.json.encode({"response": {"annotations": [*names, {**names[0], "label": "tree"}]}}),
        "empty lists": b'{"response": {"annotations": [%s[]]}}' % (b"[]," * 3_000_000),
    }


async def _check_in_thread(message: bytes) -> Reply:
    return await asyncio.to_thread(asyncio.run, check_process.here(message))


async def _compare_executors(seconds: float) -> None:
    params = msgspec.json.encode({"attachment": "https://example.com/1.jpg", **LABELS}).decode()
    to_check = CheckContext(task_id="t", type=TYPE, params=params, person="p")
    bodies = [msgspec.json.decode(body, type=dict[str, msgspec.Raw])["response"] for body in _bodies().values()]
    processes = JobProcesses("refonte_studio.tasks.service.check_process")
    ways: dict[str, Checks] = {
        "event loop": Checks(check_process.here, FairQueue(budget_s=1e9)),
        "thread": Checks(_check_in_thread, FairQueue(budget_s=1e9)),
        "process": Checks(processes, FairQueue(budget_s=1e9)),
    }
    late: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, checks in ways.items():
            late[name] += await _lateness(checks, to_check, bodies, seconds)
    await processes.close()
    rows = [
        (name, *(f"{1_000 * quantile(sorted(each), share):.1f} ms" for share in (0.5, 0.99, 1.0)))
        for name, each in late.items()
    ]
    print(table([("checked in", "timer late: p50", "p99", "most"), *rows]))


async def _lateness(checks: Checks, to_check: CheckContext, bodies: list[msgspec.Raw], seconds: float) -> list[float]:
    """How many seconds late a timer of five milliseconds fires while responses are checked."""
    late: list[float] = []
    ends = time.monotonic() + seconds

    async def check() -> None:
        for body in itertools.cycle(bodies):
            if time.monotonic() > ends:
                return
            try:
                await checks.check(to_check, body)
            except BadInput:
                await asyncio.sleep(0)

    checking = asyncio.create_task(check())
    while not checking.done():
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - began - 0.005)
    await checking
    return late


def _prepare(url: str, team: Team, tasks: int) -> None:
    with team.client(url) as http:
        make_project(http, team.labelers[:LABELERS])
        make_batch(http, tasks)
        body = {"name": DRAWN, "type": TYPE, "studio": True, "params": LABELS}
        post(http, "/projects", json=body)
        assign(http, team.labelers[-1:], DRAWN)
        post(http, "/batches", json={"project": DRAWN, "name": DRAWN})
        post(http, f"/task/{TYPE}", json={"project": DRAWN, "batch": DRAWN, "attachment": "https://example.com/1.jpg"})
        post(http, f"/batches/{DRAWN}/finalize")


async def _work(url: str, person: Person, until: float, took_s: dict[str, list[float]]) -> None:
    async with httpx.AsyncClient(base_url=f"{url}/v1", auth=(person.key, ""), timeout=120) as http:

        async def call(kind: str, path: str, **options: Any) -> httpx.Response:
            began = time.perf_counter()
            answer = await http.post(path, **options)
            took_s[kind].append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise SystemExit(f"{path} answered {answer.status_code}: {answer.text}")
            await asyncio.sleep(PACE_S)
            return answer

        while time.monotonic() < until:
            claim = (await call("claim", "/work/claim", json={"project": PROJECT})).json()["claim_id"]
            await call("submit", f"/work/{claim}/submit", json={"response": {"category": "a"}})


async def _attack(url: str, person: Person, until: float, answers: Counter[str]) -> None:
    """Sends large responses from a process of its own, without heeding `Retry-After`."""
    module, options = "bench.scenarios.large_responses", ("--attack", url, "--key", person.key, "--until", str(until))
    command = module_command(module, *options)
    process = await asyncio.create_subprocess_exec(*command, env=module_environment(), stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    answers.update(msgspec.json.decode(said, type=dict[str, int]))


def _send_large_responses(url: str, key: str, until: float) -> None:
    answers: Counter[str] = Counter()
    with httpx.Client(base_url=f"{url}/v1", auth=(key, ""), timeout=120) as http:
        claim = post(http, "/work/claim").json()["claim_id"]
        for name, body in itertools.cycle(_bodies().items()):
            if time.monotonic() > until:
                break
            answer = http.post(f"/work/{claim}/submit", content=body)
            answers[f"{name}: {answer.status_code}"] += 1
    print(msgspec.json.encode(answers).decode())


async def _round(url: str, team: Team, attacked: bool, answers: Counter[str]) -> dict[str, list[float]]:
    took_s: dict[str, list[float]] = {"claim": [], "submit": []}
    until = time.monotonic() + ROUND_S
    going: list[Awaitable[None]] = [_work(url, person, until, took_s) for person in team.labelers[:LABELERS]]
    if attacked:
        going.append(_attack(url, team.labelers[-1], until, answers))
    await asyncio.gather(*going)
    return took_s


def _compare_rounds(target: Target, rounds: int) -> None:
    team = asyncio.run(make_team(target.url, LABELERS + 1))
    answers: Counter[str] = Counter()
    found: dict[tuple[bool, str], list[list[float]]] = {}
    with running_server(target.url, target.workers) as server:
        _prepare(server.url, team, 10_000)
        asyncio.run(_round(server.url, team, False, Counter()))
        for _ in range(rounds):
            for attacked in (False, True):
                for kind, took_s in asyncio.run(_round(server.url, team, attacked, answers)).items():
                    found.setdefault((attacked, kind), []).append(sorted(took_s))
    rows: list[tuple[str, ...]] = []
    for kind, share in itertools.product(("claim", "submit"), (0.5, 0.99)):
        quiet, beside = ([quantile(each, share) for each in found[attacked, kind]] for attacked in (False, True))
        ratio = median(one / other for one, other in zip(beside, quiet, strict=True))
        times = (f"{1_000 * median(quiet):.1f} ms", f"{1_000 * median(beside):.1f} ms")
        rows.append((f"{kind} p{100 * share:g}", *times, f"{ratio:.2f}"))
    print(f"{target.engine}\n")
    print(table([("", "by themselves", "beside large responses", "ratio"), *rows]))
    print("\nThe person who sends large responses was answered:")
    print("".join(f"  {name}: {count}\n" for name, count in sorted(answers.items())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_target_options(parser)
    parser.add_argument("--where", action="store_true", help="compare event loop, thread and process")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each kind")
    parser.add_argument("--attack", default="", help=argparse.SUPPRESS)
    parser.add_argument("--key", default="", help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attack:
        _send_large_responses(options.attack, options.key, options.until)
    elif options.where:
        asyncio.run(_compare_executors(ROUND_S / 2))
    else:
        with empty_target(options) as target:
            _compare_rounds(target, options.rounds)


if __name__ == "__main__":
    main()
