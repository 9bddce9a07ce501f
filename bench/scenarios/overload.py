"""What the server does with ten times the load that it can carry.

    python -m bench.scenarios.overload
    python -m bench.scenarios.overload --postgresql

Starts real servers (SQLite: one process, PostgreSQL: two) on an empty database. First, a few connections make calls as
fast as they are answered: this is the rate that the server carries, with the load generator beside it. Then 2,000
connections offer ten times that rate, for longer: first connections that retry immediately when they are refused, then
connections that honor `Retry-After` (`load/flood.py` says what they call). Meanwhile, another thread polls `/healthz`
and `/readyz`. Finally, the few connections run again.

Prints the calls served and refused per second, their times from the first byte sent to the last byte read, and the
resident memory of the server's processes.
"""

import argparse
import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from bench.environment.processes import family, module_command, resident_mb
from bench.environment.seed import Team, assign, make_batch, make_project, make_team
from bench.environment.servers import Server, running_server
from bench.environment.target import Target, add_target_options, empty_target
from bench.load.figures import quantile, table
from bench.load.generator import run_generator

FEW = 64
TASKS_PER_S = 4_000
ASSIGNED_AT_ONCE = 1_000  # people in one call
WATCH_INTERVAL_S = 0.1


def memory_mb(server: Server) -> float:
    """The resident memory of all its processes; memory that they share counts for each."""
    return sum(map(resident_mb, family(server.pid)))


class Watch(threading.Thread):
    """Polls the server's health and readiness, and samples its memory, until it is ended."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._done = threading.Event()
        self.took_s: dict[str, list[float]] = {"/healthz": [], "/readyz": []}
        self.not_well: list[str] = []
        self.memory_mb: list[float] = []
        self.start()

    def run(self) -> None:
        with httpx.Client(base_url=self._server.url, timeout=30) as http:
            while not self._done.wait(WATCH_INTERVAL_S):
                self.memory_mb.append(memory_mb(self._server))
                for path, took_s in self.took_s.items():
                    began = time.perf_counter()
                    answer = http.get(path)
                    took_s.append(time.perf_counter() - began)
                    if answer.status_code != 200:
                        self.not_well.append(f"{path} {answer.status_code} {answer.text}")

    def end(self) -> None:
        self._done.set()
        self.join()


@dataclass(frozen=True, slots=True)
class Phase:
    """What the server did under one load."""

    name: str
    found: dict[str, Any]
    watch: Watch

    def row(self) -> tuple[str, ...]:
        served, refused = self.found["served"], self.found["refused"]
        memory = self.watch.memory_mb
        return (
            self.name,
            f"{self.found['offered_per_second']:,.0f}",
            f"{served['per_second']:,.0f}",
            f"{served['p50_ms']:.0f} ms",
            f"{served['p99_ms']:.0f} ms",
            f"{refused['per_second']:,.0f}",
            f"{refused['p50_ms']:.0f} ms",
            f"{refused['p99_ms']:.0f} ms",
            *(f"{1_000 * quantile(sorted(took_s), 0.99):.0f} ms" for took_s in self.watch.took_s.values()),
            f"{memory[0]:.0f} MB",
            f"{max(memory):.0f} MB",
            f"{memory[-1]:.0f} MB",
        )


HEAD = (
    "load",
    "offered/s",
    "served/s",
    "p50",
    "p99",
    "refused/s",
    "p50",
    "p99",
    "/healthz p99",
    "/readyz p99",
    "memory: first",
    "most",
    "last",
)


def run_phase(
    name: str, server: Server, keys: Sequence[str], connections: int, rate: float, seconds: float, *more: str
) -> Phase:
    command = module_command("bench.load.flood", server.url, "--connections", str(connections))
    command += ["--rate", str(rate), "--seconds", str(seconds), "--warm-up", "3", *more]
    watches: list[Watch] = []
    found = run_generator(
        command, keys, on_begin=lambda: watches.append(Watch(server)), on_end=lambda: watches[0].end()
    )
    return Phase(name, found, watches[0])


def summary(phase: Phase) -> str:
    kinds = ", ".join(
        f"{kind} {figures['per_second']:,.0f}/s p99 {figures['p99_ms']:.0f} ms"
        for kind, figures in sorted(phase.found["kinds"].items())
    )
    lines = [f"{phase.name}: {kinds}; load generator {phase.found['cpu_s'] / phase.found['seconds']:.2f} processors"]
    lines += [f"  NOT WELL: {count:,} x {fault}" for fault, count in phase.found["faults"].items()]
    lines += [f"  NOT WELL: {what}" for what in sorted(set(phase.watch.not_well))]
    return "\n".join(lines)


def run_phases(server: Server, team: Team, options: argparse.Namespace) -> list[Phase]:
    keys = [team.admin.key, *team.keys]
    few = run_phase("as much as it carries", server, keys, FEW, 0, options.seconds)
    print(summary(few), flush=True)
    rate, seconds = options.times * few.found["served"]["per_second"], 2 * options.seconds
    name = f"{options.times:g} times that"
    many = run_phase(name, server, keys, options.connections, rate, seconds)
    print(summary(many), flush=True)
    heeding = run_phase(f"{name}, heeding", server, keys, options.connections, rate, seconds, "--heed")
    print(summary(heeding), flush=True)
    again = run_phase("as much as it carries", server, keys, FEW, 0, options.seconds)
    print(summary(again), flush=True)
    return [few, many, heeding, again]


@dataclass(frozen=True, slots=True)
class Overload:
    """The phases: the rate that the server carries, ten times that, the same with callers who heed, the first again."""

    phases: list[Phase]

    def _served(self, number: int) -> float:
        return self.phases[number].found["served"]["per_second"]

    @property
    def share(self) -> float:
        """The rate served under the large load, as a share of the rate that the server carries."""
        return self._served(1) / self._carried

    @property
    def heeding_share(self) -> float:
        return self._served(2) / self._carried

    @property
    def _carried(self) -> float:
        return (self._served(0) + self._served(3)) / 2

    @property
    def refused_p99_ms(self) -> float:
        return self.phases[1].found["refused"]["p99_ms"]

    @property
    def memory_grew(self) -> float:
        """The most memory during the large load, as a multiple of the memory at its beginning."""
        memory = self.phases[1].watch.memory_mb
        return max(memory) / memory[0]


def measure(target: Target, options: argparse.Namespace) -> Overload:
    team = asyncio.run(make_team(target.url, options.connections))
    with running_server(target.url, target.workers) as server, team.client(server.url) as http:
        make_project(http, ())
        for first in range(0, len(team.labelers), ASSIGNED_AT_ONCE):
            assign(http, team.labelers[first : first + ASSIGNED_AT_ONCE])
        make_batch(http, round(TASKS_PER_S * 7 * options.seconds))
        target.settle()
        return Overload(run_phases(server, team, options))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_target_options(parser)
    parser.add_argument("--connections", type=int, default=2_000)
    parser.add_argument("--times", type=float, default=10.0, help="the rate offered, as a multiple of the rate carried")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of the small loads; the large ones last twice as long"
    )
    options = parser.parse_args()
    with empty_target(options) as target:
        found = measure(target, options)
    print(table([HEAD, *(phase.row() for phase in found.phases)]))
    shares = f"{found.share:.2f}, with callers who heed Retry-After {found.heeding_share:.2f}"
    print(f"served under {options.times:g} times the load, of the rate that it carries: {shares}")


if __name__ == "__main__":
    main()
