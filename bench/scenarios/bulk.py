"""How fast tasks are imported and exported in bulk, and how much the server's memory grows meanwhile.

    python -m bench.scenarios.bulk --tasks 100000
    python -m bench.scenarios.bulk --tasks 1000000 --postgresql

Starts a server on an empty database, imports the tasks with `POST /v1/tasks/import` and exports them with
`GET /v1/tasks/export`, over HTTP on this machine.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass

import httpx

from bench.environment.processes import PeakMemory
from bench.environment.seed import import_tasks, make_project, make_team, post
from bench.environment.servers import running_server
from bench.environment.target import Target, add_target_options, empty_target

PROJECT = "Bulk"
AIMS = {
    ("in", "SQLite"): 20_000,
    ("in", "PostgreSQL"): 10_000,
    ("out", "SQLite"): 50_000,
    ("out", "PostgreSQL"): 50_000,
}


@dataclass(frozen=True, slots=True)
class Bulk:
    """The figures of an import ("in") or an export ("out")."""

    way: str
    engine: str
    tasks: int
    took_s: float
    growth_mb: float

    @property
    def tasks_per_second(self) -> float:
        return self.tasks / self.took_s

    @property
    def aim(self) -> int:
        return AIMS[self.way, self.engine]

    def __str__(self) -> str:
        return (
            f"{self.way:<4}{self.tasks:>10,} tasks {self.took_s:>8.1f} s {self.tasks_per_second:>9,.0f} tasks/s"
            f"  aim {self.aim:,}  +{self.growth_mb:.0f} MB"
        )


def measure(target: Target, count: int) -> list[Bulk]:
    """Imports `count` tasks into an empty database, then exports them."""
    team = asyncio.run(make_team(target.url, 0))
    with running_server(target.url) as server, team.client(server.url) as http:
        make_project(http, (), PROJECT)
        post(http, "/batches", json={"project": PROJECT, "name": "All"})
        return [_import(http, server.pid, target.engine, count), _export(http, server.pid, target.engine, count)]


def _import(http: httpx.Client, pid: int, engine: str, count: int) -> Bulk:
    memory, began = PeakMemory(pid), time.perf_counter()
    import_tasks(http, count, project=PROJECT)
    return Bulk("in", engine, count, time.perf_counter() - began, memory.growth_mb())


def _export(http: httpx.Client, pid: int, engine: str, count: int) -> Bulk:
    memory, began, seen = PeakMemory(pid), time.perf_counter(), 0
    with http.stream("GET", "/tasks/export", params={"project": PROJECT}) as stream:
        for chunk in stream.iter_bytes():
            seen += chunk.count(b"\n")
    if seen != count:
        raise SystemExit(f"an export had {seen:,} of {count:,} tasks")
    return Bulk("out", engine, count, time.perf_counter() - began, memory.growth_mb())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_target_options(parser)
    parser.add_argument("--tasks", type=int, default=100_000)
    options = parser.parse_args()
    with empty_target(options) as target:
        for bulk in measure(target, options.tasks):
            print(bulk)


if __name__ == "__main__":
    main()
