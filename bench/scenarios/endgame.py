"""How long a claim takes when almost nothing is left for a labeler, compared with the easy case.

    python -m bench.scenarios.endgame
    python -m bench.scenarios.endgame --postgresql --tasks 100000 --left 500

The projects have a consensus of three. What labelers have done before is inserted in bulk; the last tasks are then
claimed and submitted as usual, until the response is 204. The easy case runs on the same server before each case: a new
labeler works on a new batch of as many tasks. The first claim is reported apart from the later ones.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from bench.environment import bulk_insert
from bench.environment.bulk_insert import TaskBlock
from bench.environment.seed import PROJECT, Person, Team, make_project, make_team, post
from bench.environment.servers import running_server
from bench.environment.target import Target, add_target_options, empty_target
from bench.load import closed_loop
from bench.load.figures import Calls, table
from bench.load.generator import RESPONSE

AIM = 2.0  # as a multiple of the easy case
WANTED = 3
MANY = 1_000  # batches
UNSEEN = 4  # claims that may end before the load generator starts to measure
CASE_LIMIT_S = 120.0
NEW_LABELERS = 16  # one for each run of the easy case


@dataclass(frozen=True, slots=True)
class Case:
    """What a labeler has done before, in a team of its own."""

    name: str
    batches: int
    per_batch: int
    left: int  # tasks that the labeler may claim
    history: Callable[[TaskBlock, Team], Sequence[str]]  # the statements that insert it
    all_open: bool = True  # if not, all batches but the last are given to a group without the labeler


def cases(tasks: int, left: int) -> list[Case]:
    """All cases, the easy one first."""
    most = f"n.i < {tasks - left}"
    return [
        Case("new to a new batch", 1, tasks, tasks, _nothing),
        Case("nearly all attempted", 1, tasks, left, partial(_attempted, where=most)),
        Case("nearly all skipped", 1, tasks, left, partial(_skipped, where=most)),
        Case("attempted or skipped, partly filled", 1, tasks, left, partial(_mixed, where=most)),
        Case("999 of 1,000 batches attempted", MANY, left, left, partial(_attempted, where=f"b.k < {MANY - 1}")),
        Case("999 of 1,000 batches are others'", MANY, left, left, _nothing, all_open=False),
    ]


def _nothing(block: TaskBlock, _team: Team) -> list[str]:
    return [bulk_insert.task_slots(block, wanted=WANTED)]


def _attempted(block: TaskBlock, team: Team, where: str) -> list[str]:
    """Attempted by the labeler alone, so that each task has two open slots."""
    return [
        bulk_insert.task_slots(block, wanted=WANTED, attempts=f"CASE WHEN {where} THEN 1 ELSE 0 END"),
        *_attempts(block, team.labelers[0], where),
    ]


def _skipped(block: TaskBlock, team: Team, where: str) -> list[str]:
    return [
        bulk_insert.task_slots(block, wanted=WANTED),
        bulk_insert.claims(block, team.labelers[0].id, "skipped", where),
    ]


def _mixed(block: TaskBlock, team: Team, where: str) -> list[str]:
    """One third attempted with two open slots left, one third with one open slot, one third skipped."""
    me, other = team.labelers[0], team.labelers[1]
    mine, both = f"{where} AND n.i % 3 < 2", f"{where} AND n.i % 3 = 1"
    attempts = f"CASE WHEN {both} THEN 2 WHEN {mine} THEN 1 ELSE 0 END"
    return [
        bulk_insert.task_slots(block, wanted=WANTED, attempts=attempts),
        *_attempts(block, me, mine),
        *_attempts(block, other, both, number=2),
        bulk_insert.claims(block, me.id, "skipped", f"{where} AND n.i % 3 = 2"),
    ]


def _attempts(block: TaskBlock, person: Person, where: str, number: int = 1) -> list[str]:
    return [
        bulk_insert.claims(block, person.id, "submitted", where, number),
        bulk_insert.attempts(block, person.id, where, number, WANTED),
    ]


def make_case(target: Target, case: Case, first: int) -> Team:
    """Makes the team of a case. Its first labeler is measured; in the easy case, all labelers are new."""
    easy = case.history is _nothing and case.all_open
    team = asyncio.run(make_team(target.url, NEW_LABELERS if easy else 2, case.name))
    names = [f"{case.name}, {number}" for number in range(case.batches)]
    block = TaskBlock(target.postgres is not None, team.id, case.per_batch, first, time.time_ns() // 1_000_000)
    with running_server(target.url) as server, team.client(server.url) as http:
        make_project(http, team.labelers, pipeline="consensus_task", consensus_attempts=WANTED)
        for name in names:
            post(http, "/batches", json={"project": PROJECT, "name": name})
    statements = [bulk_insert.tasks(block), *case.history(block, team), bulk_insert.counts(block)]
    bulk_insert.run(target, statements, lambda _line: None)
    with running_server(target.url) as server, team.client(server.url) as http:
        for name in names:
            if not case.all_open and name != names[-1]:
                post(http, f"/studio/batches/{name}", json={"groups": [team.labelers[1].email]})
            post(http, f"/batches/{name}/finalize")
    return team


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a case, and of the easy case just before it."""

    case: Case
    first_ms: float
    later: Calls
    empty: Calls
    easy_first_ms: float
    easy: Calls
    faults: str

    @property
    def ratio(self) -> float:
        return self.later.p50_ms / self.easy.p50_ms

    @property
    def tail_ratio(self) -> float:
        return self.later.p99_ms / self.easy.p99_ms

    @property
    def empty_ratio(self) -> float:
        return self.empty.p50_ms / self.easy.p50_ms


def measure(target: Target, tasks: int, left: int, seconds: float) -> list[Measured]:
    easy, *hard = cases(tasks, left)
    first, teams = 0, list[Team]()
    for case in (easy, *hard):
        print(f"making: {case.name}", flush=True)
        teams.append(make_case(target, case, first))
        first += case.batches * case.per_batch
    target.settle()
    new_keys = iter(teams[0].keys)
    with running_server(target.url, target.workers) as server:
        _first_and_later(server.url, next(new_keys), seconds)  # warms up what is slow only once
        return [
            _measure_case(server.url, case, team.keys[0], next(new_keys), seconds)
            for case, team in zip(hard, teams[1:], strict=True)
        ]


def _measure_case(url: str, case: Case, key: str, new_key: str, seconds: float) -> Measured:
    easy_first_ms, easy, _ = _first_and_later(url, new_key, seconds)
    first_ms, later, faults = _first_and_later(url, key, CASE_LIMIT_S)
    if not case.left - UNSEEN <= later.count < case.left:
        raise SystemExit(f"{case.name}: {later.count} claims after the first, of {case.left} in all")
    nothing = closed_loop.drive(url, [key], seconds, warm_up=0.2, again=True)
    found = Measured(case, first_ms, later, nothing.of("empty"), easy_first_ms, easy, faults + nothing.faults)
    print(
        f"{case.name}: first {first_ms:.2f} ms, p50 {later.p50_ms:.2f} ms, p99 {later.p99_ms:.2f} ms, 204 p50"
        f" {found.empty.p50_ms:.2f} ms; easy p50 {easy.p50_ms:.2f} ms, p99 {easy.p99_ms:.2f} ms {found.faults}",
        flush=True,
    )
    return found


def _first_and_later(url: str, key: str, seconds: float) -> tuple[float, Calls, str]:
    """Works as a labeler. Returns the time of the first claim in milliseconds, the later claims, and the faults."""
    with httpx.Client(base_url=f"{url}/v1/work", auth=(key, ""), timeout=CASE_LIMIT_S) as http:
        http.get("/history").raise_for_status()  # so that the claim is not the first use of the key
        began = time.perf_counter()
        claim = http.post("/claim")
        took_ms = (time.perf_counter() - began) * 1_000
        post(http, f"/{claim.raise_for_status().json()['claim_id']}/submit", json=RESPONSE)
    figures = closed_loop.drive(url, [key], seconds, warm_up=0.0)
    return took_ms, figures.of("claim"), figures.faults


def summary_table(found: Sequence[Measured]) -> str:
    ratios = ("p50 of easy", "p99 of easy", "204 p50 of easy")
    times = ("p50", "p99", "first", "easy p50", "easy p99", "easy first", "204 p50", "204 p99")
    rows: list[tuple[str, ...]] = [("case", *ratios, *times)]
    for each in found:
        later, easy, empty = each.later, each.easy, each.empty
        times_ms = (later.p50_ms, later.p99_ms, each.first_ms, easy.p50_ms, easy.p99_ms, each.easy_first_ms)
        shown_times = (f"{ms:.2f} ms" for ms in (*times_ms, empty.p50_ms, empty.p99_ms))
        shown_ratios = (f"{ratio:.2f}" for ratio in (each.ratio, each.tail_ratio, each.empty_ratio))
        rows.append((each.case.name, *shown_ratios, *shown_times))
    return table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_target_options(parser)
    parser.add_argument("--tasks", type=int, default=100_000, help="in the batch")
    parser.add_argument("--left", type=int, default=500, help="of them for the labeler, and in each of 1,000 batches")
    parser.add_argument("--seconds", type=float, default=2.0, help="of the easy case, and of empty claims")
    options = parser.parse_args()
    with empty_target(options) as target:
        print(summary_table(measure(target, options.tasks, options.left, options.seconds)))


if __name__ == "__main__":
    main()
