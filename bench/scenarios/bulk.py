"""How fast tasks come in and go out in bulk, and what the server's memory does meanwhile.

    python -m bench.scenarios.bulk --tasks 100000
    python -m bench.scenarios.bulk --tasks 1000000 --postgresql

Starts a server of its own on an empty database, imports the tasks through `POST /v1/tasks/import` and takes them out
through `GET /v1/tasks/export`, over HTTP on this machine.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass

import httpx

from bench.environment.processes import Memory, serving
from bench.environment.seed import lines, make_team, post
from bench.environment.target import Target, target, target_options

AIMS = {
    ("in", "SQLite"): 20_000,
    ("in", "PostgreSQL"): 10_000,
    ("out", "SQLite"): 50_000,
    ("out", "PostgreSQL"): 50_000,
}


@dataclass(frozen=True, slots=True)
class Bulk:
    """One way of one measurement."""

    way: str
    engine: str
    tasks: int
    took_s: float
    grown_mb: float

    @property
    def tasks_per_second(self) -> float:
        return self.tasks / self.took_s

    @property
    def aim(self) -> int:
        return AIMS[self.way, self.engine]

    def __str__(self) -> str:
        return (
            f"{self.way:<4}{self.tasks:>10,} tasks {self.took_s:>8.1f} s {self.tasks_per_second:>9,.0f} tasks/s"
            f"  aim {self.aim:,}  +{self.grown_mb:.0f} MB"
        )


def measure(http: httpx.Client, pid: int, engine: str, count: int) -> list[Bulk]:
    for path, body in (
        ("/projects", {"name": "Bulk", "type": "categorization", "studio": True, "params": {"categories": ["a", "b"]}}),
        ("/batches", {"project": "Bulk", "name": "All"}),
    ):
        post(http, path, json=body)
    memory, began = Memory(pid), time.perf_counter()
    answer = post(http, "/tasks/import", params={"project": "Bulk", "batch": "All"}, content=lines(count))
    assert answer.json() == {"created": count}, answer.text
    found = [Bulk("in", engine, count, time.perf_counter() - began, memory.grown_mb())]
    memory, began, seen = Memory(pid), time.perf_counter(), 0
    with http.stream("GET", "/tasks/export", params={"project": "Bulk"}) as stream:
        for chunk in stream.iter_bytes():
            seen += chunk.count(b"\n")
    assert seen == count, f"{seen} of {count} came out"
    return [*found, Bulk("out", engine, count, time.perf_counter() - began, memory.grown_mb())]


def measured(where: Target, count: int) -> list[Bulk]:
    team = asyncio.run(make_team(where.url, 0))
    with serving(where.url) as server, team.client(server.url) as http:
        return measure(http, server.pid, where.engine, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target_options(parser)
    parser.add_argument("--tasks", type=int, default=100_000)
    options = parser.parse_args()
    with target(options) as where:
        for found in measured(where, options.tasks):
            print(found)


if __name__ == "__main__":
    main()
