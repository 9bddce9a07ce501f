"""What estimates cost: how long one of a large project takes, and what claims meanwhile take.

    python -m bench.scenarios.estimates
    python -m bench.scenarios.estimates --postgresql --tasks 100000 --attempts 5

Starts a real server on an empty database, imports a project of so many tasks with so many attempts each, made up of
people of different accuracy, and has its estimates made anew again and again, by another method each time, so that all
results are written too, while labelers claim and answer tasks of another project; in turns with the same
without estimates.
"""

import argparse
import asyncio
import json
import random
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from bench.environment.processes import serving
from bench.environment.seed import make_batch, make_project, make_team, post
from bench.environment.target import Target, target, target_options
from bench.load import closed_loop
from bench.load.figures import Figures, table

PROJECT = "Crowd"
CATEGORIES = ["one", "two", "three", "four"]
CHUNK = 10_000  # tasks of one import
POLL_S = 0.05
GRACE_S = 180.0
METHODS = ("shrunk_dawid_skene", "dawid_skene")  # in turns
TASKS_PER_S = 5_000  # that labelers may use up


@dataclass(frozen=True, slots=True)
class Round:
    alone: Figures
    beside: Figures
    seconds: float  # that the estimates took


def lines(options: argparse.Namespace) -> Iterator[bytes]:
    """Tasks with their attempts; who is right how often is drawn once for each person."""
    chance = random.Random(options.seed)
    people = [(f"person {number}", chance.betavariate(8, 2)) for number in range(options.people)]
    for number in range(options.tasks):
        right = chance.choice(CATEGORIES)
        attempts = [
            {"labeler": name, "response": {"category": right if chance.random() < skill else chance.choice(CATEGORIES)}}
            for name, skill in chance.sample(people, options.attempts)
        ]
        task = {"type": "categorization", "project": PROJECT, "attachment": f"https://example.com/{number}.jpg"}
        yield json.dumps({**task, "attempts": attempts}).encode()


def bring(http: httpx.Client, options: argparse.Namespace) -> None:
    """Makes the project and imports its tasks."""
    consensus = {"pipeline": "consensus_task", "consensus_attempts": options.attempts}
    body = {
        "name": PROJECT,
        "type": "categorization",
        "studio": True,
        "params": {"categories": CATEGORIES},
        **consensus,
    }
    post(http, "/projects", json=body)
    began, chunk = time.perf_counter(), list[bytes]()
    for line in lines(options):
        chunk.append(line)
        if len(chunk) == CHUNK:
            post(http, "/tasks/import", content=b"\n".join(chunk), timeout=600)
            chunk.clear()
    if chunk:
        post(http, "/tasks/import", content=b"\n".join(chunk), timeout=600)
    took = time.perf_counter() - began
    answers = options.tasks * options.attempts
    print(f"{answers:,} attempts imported in {took:.1f} s, {answers / took:,.0f} a second", flush=True)


def state(http: httpx.Client) -> dict[str, object]:
    """How far the project's estimates are."""
    answer = http.get(f"/projects/{PROJECT}/consensus")
    answer.raise_for_status()
    return answer.json()


def quiet(http: httpx.Client) -> dict[str, object]:
    """The same, when everything is done that was asked for."""
    until = time.monotonic() + GRACE_S
    while (found := state(http))["waiting"] or found["running"]:
        if time.monotonic() > until:
            raise SystemExit("the estimates were not made")
        time.sleep(POLL_S)
    return found


class Watch(threading.Thread):
    """Asks for estimates and waits until they are made."""

    def __init__(self, http: httpx.Client, method: str) -> None:
        """By another method, which gives every task another confidence."""
        super().__init__(daemon=True)
        self._http = http
        self._method = method
        self._began = threading.Event()
        self._seconds: float | None = None
        self.start()

    def run(self) -> None:
        before = quiet(self._http)["estimated_at"]
        post(self._http, f"/projects/{PROJECT}/quality", json={"consensus_method": self._method})
        while not state(self._http)["running"]:
            time.sleep(POLL_S)
        began = time.perf_counter()
        self._began.set()
        while state(self._http).get("estimated_at") == before:
            time.sleep(POLL_S)
        self._seconds = time.perf_counter() - began

    def wait_for_beginning(self) -> None:
        """Until a process is at it."""
        if not self._began.wait(GRACE_S):
            raise SystemExit("the estimates were not begun")

    def seconds(self) -> float:
        """How long they took, when they are made."""
        self.join(GRACE_S)
        if self._seconds is None:
            raise SystemExit("the estimates were not made")
        return self._seconds


def measured(where: Target, options: argparse.Namespace) -> list[Round]:
    """Rounds of claims alone and beside estimates."""
    team = asyncio.run(make_team(where.url, options.labelers))
    found: list[Round] = []
    with serving(where.url) as server, team.client(server.url) as http:
        make_project(http, team.labelers)
        bring(http, options)
        quiet(http)
        make_batch(http, round(TASKS_PER_S * options.seconds * options.rounds * 2))
        where.settle()
        for number in range(1, options.rounds + 1):
            alone = closed_loop.drive(server.url, team.keys, options.seconds, warm_up=1.0)
            watch = Watch(http, METHODS[number % 2])
            watch.wait_for_beginning()
            beside = closed_loop.drive(server.url, team.keys, options.seconds, warm_up=0.2)
            took = watch.seconds()
            found.append(Round(alone, beside, took))
            ratio = beside.of("claim").p50_ms / alone.of("claim").p50_ms
            print(f"round {number}: estimates {took:.1f} s, a claim beside them {ratio:.2f} times", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target_options(parser)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--attempts", type=int, default=5, help="of each task")
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--labelers", type=int, default=1, help="who claim and answer meanwhile")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with target(options) as where:
        found = measured(where, options)
    rows = [("round", "estimates", "claim p50 alone", "beside", "ratio", "tasks/s alone", "beside")]
    for number, each in enumerate(found, 1):
        alone, beside = each.alone.of("claim").p50_ms, each.beside.of("claim").p50_ms
        speeds = f"{each.alone.tasks_per_second:,.0f}", f"{each.beside.tasks_per_second:,.0f}"
        rows.append(
            (
                str(number),
                f"{each.seconds:.1f} s",
                f"{alone:.2f} ms",
                f"{beside:.2f} ms",
                f"{beside / alone:.2f}",
                *speeds,
            )
        )
    print(table(rows))
    ratios = [each.beside.of("claim").p50_ms / each.alone.of("claim").p50_ms for each in found]
    seconds = statistics.median(each.seconds for each in found)
    print(f"in the middle: {seconds:.1f} s (aim: 10), a claim {statistics.median(ratios):.2f} times (aim: 1.2)")


if __name__ == "__main__":
    main()
