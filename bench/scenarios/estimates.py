"""What estimates cost: how long those of a large project take, and how long claims take meanwhile.

    python -m bench.scenarios.estimates
    python -m bench.scenarios.estimates --postgresql --tasks 100000 --attempts 5

Starts a real server on an empty database and imports a project whose tasks have attempts of made-up people of different
accuracy. The project's estimates are then made again and again, each time with another method, so that all results are
written too, while labelers claim and submit tasks of another project. This takes turns with the same work without
estimates.
"""

import argparse
import asyncio
import itertools
import json
import random
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from bench.environment.seed import make_batch, make_project, make_team, post
from bench.environment.servers import running_server
from bench.environment.target import Target, add_target_options, empty_target
from bench.load import closed_loop
from bench.load.figures import Figures, table

PROJECT = "Workload"
CATEGORIES = ["one", "two", "three", "four"]
CHUNK = 10_000  # tasks of one import
POLL_S = 0.05
GRACE_S = 180.0
METHODS = ("shrunk_dawid_skene", "dawid_skene")  # in turns
TASKS_PER_S = 5_000  # more than the labelers ever used up


@dataclass(frozen=True, slots=True)
class Round:
    alone: Figures
    beside: Figures
    seconds: float  # how long the estimates took


def task_lines(options: argparse.Namespace) -> Iterator[bytes]:
    """Tasks with their attempts, as NDJSON. Each person's accuracy is drawn once."""
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


def import_project(http: httpx.Client, options: argparse.Namespace) -> None:
    """Makes the project and imports its tasks."""
    consensus = {"pipeline": "consensus_task", "consensus_attempts": options.attempts}
    make_project(http, (), PROJECT, params={"categories": CATEGORIES}, **consensus)
    began = time.perf_counter()
    lines = task_lines(options)
    while chunk := list(itertools.islice(lines, CHUNK)):
        post(http, "/tasks/import", content=b"\n".join(chunk))
    took = time.perf_counter() - began
    answers = options.tasks * options.attempts
    print(f"{answers:,} attempts imported in {took:.1f} s, {answers / took:,.0f} a second", flush=True)


def state(http: httpx.Client) -> dict[str, object]:
    """The state of the project's estimates."""
    answer = http.get(f"/projects/{PROJECT}/consensus")
    answer.raise_for_status()
    return answer.json()


def wait_until_idle(http: httpx.Client) -> dict[str, object]:
    """Waits until no estimates are due or running, and returns their state."""
    until = time.monotonic() + GRACE_S
    while (found := state(http))["waiting"] or found["running"]:
        if time.monotonic() > until:
            raise SystemExit("the estimates were not made")
        time.sleep(POLL_S)
    return found


class Watch(threading.Thread):
    """Asks for estimates by a method and measures how long they take.

    Another method than the last one gives every task another confidence.
    """

    def __init__(self, http: httpx.Client, method: str) -> None:
        super().__init__(daemon=True)
        self._http = http
        self._method = method
        self._began = threading.Event()
        self._seconds: float | None = None
        self.start()

    def run(self) -> None:
        before = wait_until_idle(self._http)["estimated_at"]
        post(self._http, f"/projects/{PROJECT}/quality", json={"consensus_method": self._method})
        while not state(self._http)["running"]:
            time.sleep(POLL_S)
        began = time.perf_counter()
        self._began.set()
        while state(self._http).get("estimated_at") == before:
            time.sleep(POLL_S)
        self._seconds = time.perf_counter() - began

    def wait_for_beginning(self) -> None:
        """Waits until the estimates are being made."""
        if not self._began.wait(GRACE_S):
            raise SystemExit("the estimates were not begun")

    def seconds(self) -> float:
        """Waits until the estimates are made, and returns how long they took."""
        self.join(GRACE_S)
        if self._seconds is None:
            raise SystemExit("the estimates were not made")
        return self._seconds


def measure(target: Target, options: argparse.Namespace) -> list[Round]:
    """Measures claims alone and beside estimates, in rounds."""
    team = asyncio.run(make_team(target.url, options.labelers))
    found: list[Round] = []
    with running_server(target.url) as server, team.client(server.url) as http:
        make_project(http, team.labelers)
        import_project(http, options)
        wait_until_idle(http)
        make_batch(http, round(TASKS_PER_S * options.seconds * options.rounds * 2))
        target.settle()
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
    add_target_options(parser)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--attempts", type=int, default=5, help="of each task")
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--labelers", type=int, default=1, help="who claim and submit meanwhile")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with empty_target(options) as target:
        found = measure(target, options)
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
