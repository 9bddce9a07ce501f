"""How long a claim takes when there is next to nothing left for a labeler, against the easy case.

    python -m bench.scenarios.endgame
    python -m bench.scenarios.endgame --postgresql --tasks 100000 --left 500

Consensus of three. The state is made by bulk insertion, the last tasks are then worked as ever: claim, submit, until
the answer is 204. Before each case, somebody who comes new to a new batch of as many tasks works on the same server:
the easy case. The first claim is told apart from the later ones.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from bench.environment import bulk_insert
from bench.environment.processes import serving
from bench.environment.seed import PROJECT, Person, Team, make_project, make_team, post
from bench.environment.target import Target, target, target_options
from bench.load import closed_loop
from bench.load.figures import Calls, table

AIM = 2.0  # times the easy case
WANTED = 3
MANY = 1_000  # batches
UNSEEN = 4  # claims that may be over before the load's figures begin
TOGETHER_S = 120.0  # what a case may take, at most
FRESH = 16  # people who are new, one for each easy run


@dataclass(frozen=True, slots=True)
class Case:
    """What a labeler has behind them, in a team of its own."""

    name: str
    batches: int
    per_batch: int
    left: int  # tasks for them
    had: Callable[[bulk_insert.Heap, Team], Sequence[str]]  # the statements that make it so
    all_open: bool = True  # else all batches but the last are given to a group that they are not in


def cases(tasks: int, left: int) -> list[Case]:
    """The easy one first."""
    most = f"n.i < {tasks - left}"
    return [
        Case("new to a new batch", 1, tasks, tasks, _nothing),
        Case("nearly all attempted", 1, tasks, left, partial(_attempted, where=most)),
        Case("nearly all skipped", 1, tasks, left, partial(_skipped, where=most)),
        Case("attempted or skipped, partly filled", 1, tasks, left, partial(_mixed, where=most)),
        Case("999 of 1,000 batches attempted", MANY, left, left, partial(_attempted, where=f"b.k < {MANY - 1}")),
        Case("999 of 1,000 batches are others'", MANY, left, left, _nothing, all_open=False),
    ]


def _nothing(heap: bulk_insert.Heap, _team: Team) -> list[str]:
    return [bulk_insert.places(heap, wanted=WANTED)]


def _attempted(heap: bulk_insert.Heap, team: Team, where: str) -> list[str]:
    """By the labeler, and by nobody else: two places of each are open."""
    return [
        bulk_insert.places(heap, wanted=WANTED, attempts=f"CASE WHEN {where} THEN 1 ELSE 0 END"),
        *_attempts(heap, team.labelers[0], where),
    ]


def _skipped(heap: bulk_insert.Heap, team: Team, where: str) -> list[str]:
    return [bulk_insert.places(heap, wanted=WANTED), bulk_insert.claims(heap, team.labelers[0].id, "skipped", where)]


def _mixed(heap: bulk_insert.Heap, team: Team, where: str) -> list[str]:
    """A third attempted with two places open, a third with one, a third skipped."""
    me, other = team.labelers[0], team.labelers[1]
    mine, both = f"{where} AND n.i % 3 < 2", f"{where} AND n.i % 3 = 1"
    attempts = f"CASE WHEN {both} THEN 2 WHEN {mine} THEN 1 ELSE 0 END"
    return [
        bulk_insert.places(heap, wanted=WANTED, attempts=attempts),
        *_attempts(heap, me, mine),
        *_attempts(heap, other, both, number=2),
        bulk_insert.claims(heap, me.id, "skipped", f"{where} AND n.i % 3 = 2"),
    ]


def _attempts(heap: bulk_insert.Heap, person: Person, where: str, number: int = 1) -> list[str]:
    return [
        bulk_insert.claims(heap, person.id, "submitted", where, number),
        bulk_insert.attempts(heap, person.id, where, number, WANTED),
    ]


def made(where: Target, case: Case, first: int) -> Team:
    """The team of a case. Its first labeler is who is measured; in the easy case, all are new."""
    team = asyncio.run(make_team(where.url, FRESH if case.had is _nothing and case.all_open else 2, case.name))
    names = [f"{case.name}, {number}" for number in range(case.batches)]
    heap = bulk_insert.Heap(where.postgres is not None, team.id, case.per_batch, first, time.time_ns() // 1_000_000)
    with serving(where.url) as server, team.client(server.url) as http:
        make_project(http, team.labelers, pipeline="consensus_task", consensus_attempts=WANTED)
        for name in names:
            post(http, "/batches", json={"project": PROJECT, "name": name})
    statements = [bulk_insert.tasks(heap), *case.had(heap, team), bulk_insert.counts(heap)]
    bulk_insert.run(where, statements, lambda _line: None)
    with serving(where.url) as server, team.client(server.url) as http:
        for name in names:
            if not case.all_open and name != names[-1]:
                post(http, f"/studio/batches/{name}", json={"groups": [team.labelers[1].email]})
            post(http, f"/batches/{name}/finalize")
    return team


@dataclass(frozen=True, slots=True)
class Measured:
    """A case and the easy one just before it."""

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


def measure(where: Target, tasks: int, left: int, seconds: float) -> list[Measured]:
    easy, *hard = cases(tasks, left)
    first, teams = 0, list[Team]()
    for case in (easy, *hard):
        print(f"making: {case.name}", flush=True)
        teams.append(made(where, case, first))
        first += case.batches * case.per_batch
    where.settle()
    fresh = iter(teams[0].keys)
    with serving(where.url, where.workers) as server:
        _first_and_later(server.url, next(fresh), seconds)  # all that is slow only once
        return [
            _measured(server.url, case, team.keys[0], next(fresh), seconds)
            for case, team in zip(hard, teams[1:], strict=True)
        ]


def _measured(url: str, case: Case, key: str, fresh: str, seconds: float) -> Measured:
    easy_first_ms, easy, _ = _first_and_later(url, fresh, seconds)
    first_ms, later, faults = _first_and_later(url, key, TOGETHER_S)
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
    """How long the first claim takes, in milliseconds, and the later ones, each with its submit."""
    with httpx.Client(base_url=f"{url}/v1/work", auth=(key, ""), timeout=TOGETHER_S) as http:
        http.get("/history").raise_for_status()  # the key has been used before
        began = time.perf_counter()
        claim = http.post("/claim")
        took_ms = (time.perf_counter() - began) * 1_000
        post(http, f"/{claim.raise_for_status().json()['claim_id']}/submit", json=closed_loop.RESPONSE)
    figures = closed_loop.drive(url, [key], seconds, warm_up=0.0)
    return took_ms, figures.of("claim"), figures.faults


def told(found: Sequence[Measured]) -> str:
    ratios = ("p50 of easy", "p99 of easy", "204 p50 of easy")
    times = ("p50", "p99", "first", "easy p50", "easy p99", "easy first", "204 p50", "204 p99")
    rows = [("case", *ratios, *times)]
    for each in found:
        later, easy, empty = each.later, each.easy, each.empty
        times = (later.p50_ms, later.p99_ms, each.first_ms, easy.p50_ms, easy.p99_ms, each.easy_first_ms)
        times = (*times, empty.p50_ms, empty.p99_ms)
        ratios = (each.ratio, each.tail_ratio, each.empty_ratio)
        rows.append((each.case.name, *(f"{ratio:.2f}" for ratio in ratios), *(f"{ms:.2f} ms" for ms in times)))
    return table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target_options(parser)
    parser.add_argument("--tasks", type=int, default=100_000, help="in the batch")
    parser.add_argument("--left", type=int, default=500, help="of them, for the labeler; and in each of 1,000 batches")
    parser.add_argument("--seconds", type=float, default=2.0, help="of the easy case, and of nothing but 204")
    options = parser.parse_args()
    with target(options) as where:
        print(told(measure(where, options.tasks, options.left, options.seconds)))


if __name__ == "__main__":
    main()
