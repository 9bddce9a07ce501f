"""How long lists take in projects of 10 million tasks: batches, a batch's status, first and last pages of tasks.

    python -m bench.scenarios.lists --size 1000000
    python -m bench.scenarios.lists --postgresql --keep ~/bench-postgresql

The team's admin makes one request after another; pages have 100 tasks. The first tenth of each batch is completed, and
the rest is pending.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from bench.environment.seed import PROJECT
from bench.environment.servers import running_server
from bench.environment.sized_databases import (
    MANY,
    SizedDatabases,
    Workload,
    add_sized_database_options,
    sized_databases,
)
from bench.load.figures import Calls, table

AIM_MS = 20.0  # at the median
PAGE = 100
CALLS = 50  # of each kind
PATIENCE_S = 5.0  # no more calls of a kind are made after that
TIMEOUT_S = 130.0


@dataclass(frozen=True, slots=True)
class Call:
    """A list that a user asks for. The response must have `rows` rows; None if it is not a list."""

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


def studio_calls(workload: Workload) -> Iterator[Call]:
    """Lists of batches, and the status of one batch."""
    number, batch = f"{workload.batches:,} open", _first_batch(workload)
    yield Call(f"studio/batches, {number}", "/studio/batches", {}, workload.batches)
    yield Call(f"studio/batches of a project, {number}", "/studio/batches", {"project": PROJECT}, workload.batches)
    yield Call(f"studio/batches of a group, {number}", "/studio/batches", {"group": "Everybody"}, workload.batches)
    yield Call(f"batches, {number}", "/batches", {})
    yield Call(f"a batch's status, {number}", f"/batches/{batch}/status", {})


def task_calls(workload: Workload) -> Iterator[Call]:
    """The first and last pages of tasks, for each filter."""
    project, batch = {"project": PROJECT}, {"batch": _first_batch(workload)}
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
            last = workload.block.task_id(PAGE + (workload.completed if "pending" in name else 0))
            yield Call(f"tasks{name}, last page", "/tasks", {**params, "next_token": last}, rows)


def _first_batch(workload: Workload) -> str:
    """The name of the team's first batch, which has the tasks with the lowest numbers."""
    return f"{workload.name}, 0"


def measure_call(http: httpx.Client, call: Call) -> Measured:
    """Makes up to `CALLS` calls within `PATIENCE_S`. The first of several does not count."""
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
    """Raises SystemExit if the response is not the list that the call is meant to measure."""
    docs = answer["docs"] if isinstance(answer, dict) and "docs" in answer else answer
    if call.rows is not None and len(docs) != call.rows:
        raise SystemExit(f"{call.name} answered {len(docs)} rows, not {call.rows}")
    if "last page" in call.name and answer["has_more"]:
        raise SystemExit(f"{call.name} is not the last")


def measure(databases: SizedDatabases, size: int) -> list[Measured]:
    measured: list[Measured] = []
    with databases.ready(size) as (target, database), running_server(target.url, target.workers) as server:
        for batches in (1, MANY):
            workload = database.workload(batches)
            calls = [*studio_calls(workload), *(task_calls(workload) if batches == 1 else ())]
            with workload.team.client(server.url, TIMEOUT_S) as http:
                for call in calls:
                    measured.append(measure_call(http, call))
                    print(f"{call.name}: {measured[-1].figure}", flush=True)
    return measured


def summary_table(measured: Sequence[Measured]) -> str:
    rows = [("list", "calls", "p50", "p99", f"p50 under {AIM_MS:.0f} ms", "not well")]
    for each in measured:
        times = each.calls
        met = "yes" if times.p50_ms < AIM_MS and not each.refused else "NO"
        shown = (f"{times.p50_ms:,.2f} ms", f"{times.p99_ms:,.2f} ms")
        rows.append((each.call.name, str(times.count), *shown, met, each.refused or "-"))
    return table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_sized_database_options(parser)
    parser.add_argument("--size", type=int, default=10_000_000, help="tasks in the project")
    options = parser.parse_args()
    with sized_databases(options) as databases:
        print(summary_table(measure(databases, options.size)))


if __name__ == "__main__":
    main()
