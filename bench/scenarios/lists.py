"""How long lists take in projects of 10 million tasks: batches, a batch's status, the first and last page of tasks.

    python -m bench.scenarios.lists --size 1000000
    python -m bench.scenarios.lists --postgresql --keep ~/bench-postgresql

One request after another, by the team's admin; pages have 100 tasks. The first tenth of each batch is completed, the
rest is pending.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from bench.environment.processes import serving
from bench.environment.seed import PROJECT
from bench.environment.sized_databases import MANY, Crowd, Stock, stock, stock_options
from bench.load.figures import Calls, table

AIM_MS = 20.0  # at the median
PAGE = 100
CALLS = 50  # of each kind
PATIENCE_S = 5.0  # after that, no more of its kind
TIMEOUT_S = 130.0


@dataclass(frozen=True, slots=True)
class Call:
    """Something that a user asks for. `rows`: how many the answer must hold, None if it is no list."""

    name: str
    path: str
    params: dict[str, Any]
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    call: Call
    calls: Calls
    refused: str = ""

    @property
    def figure(self) -> str:
        return self.refused or f"p50 {self.calls.p50_ms:,.2f} ms, p99 {self.calls.p99_ms:,.2f} ms"


def studio_calls(crowd: Crowd) -> Iterator[Call]:
    """The queue, and one of its batches."""
    number, batch = f"{crowd.batches:,} open", _batch(crowd)
    yield Call(f"studio/batches, {number}", "/studio/batches", {}, crowd.batches)
    yield Call(f"studio/batches of a project, {number}", "/studio/batches", {"project": PROJECT}, crowd.batches)
    yield Call(f"studio/batches of a group, {number}", "/studio/batches", {"group": "Everybody"}, crowd.batches)
    yield Call(f"batches, {number}", "/batches", {})
    yield Call(f"a batch's status, {number}", f"/batches/{batch}/status", {})


def task_calls(crowd: Crowd) -> Iterator[Call]:
    """The first and last page of tasks, by what a user filters."""
    project, batch = {"project": PROJECT}, {"batch": _batch(crowd)}
    pending, completed, canceled = ({"status": status} for status in ("pending", "completed", "canceled"))
    every = {
        "": {},
        " of a project": project,
        " of a batch": batch,
        " pending": pending,
        " completed": completed,
        " pending, of a project": project | pending,
        " completed, of a project": project | completed,
        " canceled, of a project": project | canceled,
        " pending, of a batch": batch | pending,
        " completed, of a batch": batch | completed,
    }
    for name, params in every.items():
        rows = 0 if "canceled" in name else PAGE
        yield Call(f"tasks{name}, first page", "/tasks", params, rows)
        if rows:
            last = crowd.heap.task_id(PAGE + (crowd.done if "pending" in name else 0))
            yield Call(f"tasks{name}, last page", "/tasks", {**params, "next_token": last}, rows)


def _batch(crowd: Crowd) -> str:
    """The name of the team's first batch; the tasks of lowest number are in it."""
    return f"{crowd.name}, 0"


def timed(http: httpx.Client, call: Call) -> Measured:
    """Until there are enough, or it takes too long; the first of several does not count."""
    took_s: list[float] = []
    deadline = time.perf_counter() + PATIENCE_S
    while len(took_s) <= CALLS and (time.perf_counter() < deadline or not took_s):
        began = time.perf_counter()
        try:
            answer = http.get(call.path, params=call.params)
        except httpx.TimeoutException:
            return Measured(call, Calls.of([TIMEOUT_S], TIMEOUT_S), "no answer")
        took_s.append(time.perf_counter() - began)
        if answer.status_code != 200:
            return Measured(call, Calls.of(took_s, 1.0), f"{answer.status_code}: {answer.text[:80]}")
        _check(call, answer.json())
    counted = took_s[1:] or took_s
    return Measured(call, Calls.of(counted, sum(counted)))


def _check(call: Call, answer: Any) -> None:
    docs = answer["docs"] if isinstance(answer, dict) and "docs" in answer else answer
    if call.rows is not None and len(docs) != call.rows:
        raise SystemExit(f"{call.name} answered {len(docs)} rows, not {call.rows}")
    if "last page" in call.name and answer["has_more"]:
        raise SystemExit(f"{call.name} is not the last")


def measure(found: Stock, size: int) -> list[Measured]:
    measured: list[Measured] = []
    with found.ready(size) as (where, sized), serving(where.url, where.workers) as server:
        for batches in (1, MANY):
            crowd = sized.crowd(batches)
            calls = [*studio_calls(crowd), *(task_calls(crowd) if batches == 1 else ())]
            with httpx.Client(base_url=f"{server.url}/v1", auth=(crowd.team.admin.key, ""), timeout=TIMEOUT_S) as http:
                for call in calls:
                    measured.append(timed(http, call))
                    print(f"{call.name}: {measured[-1].figure}", flush=True)
    return measured


def told(measured: Sequence[Measured]) -> str:
    rows = [("list", "calls", "p50", "p99", f"p50 under {AIM_MS:.0f} ms", "not well")]
    for each in measured:
        times = each.calls
        met = "yes" if times.p50_ms < AIM_MS and not each.refused else "NO"
        shown = (f"{times.p50_ms:,.2f} ms", f"{times.p99_ms:,.2f} ms")
        rows.append((each.call.name, str(times.count), *shown, met, each.refused or "-"))
    return table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    stock_options(parser)
    parser.add_argument("--size", type=int, default=10_000_000, help="tasks in the project")
    options = parser.parse_args()
    with stock(options) as found:
        print(told(measure(found, options.size)))


if __name__ == "__main__":
    main()
