"""How many tasks per second labelers claim and submit over HTTP.

    python -m bench.scenarios.dispatch
    python -m bench.scenarios.dispatch --postgresql
    python -m bench.scenarios.dispatch --database postgresql://… --curve

Starts real servers (SQLite: one process, PostgreSQL: two) on an empty database and drives them with
`load/closed_loop.py`. In turns with this loop, the same run measures a yardstick with as many callers: on SQLite the
same use-cases through `db.write` without HTTP (`load/without_http.py`), on PostgreSQL pgbench with the same statements
(`load/pgbench.py`). With `--curve`, only the loop is measured, with 1, 2, 4, … 256 labelers.
"""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.environment.seed import Team, make_batch, make_project, make_team
from bench.environment.servers import running_server
from bench.environment.target import Target, add_target_options, empty_target
from bench.load import closed_loop, pgbench, without_http
from bench.load.figures import Figures, table

TASKS_PER_S = {"SQLite": 7_000, "PostgreSQL": 4_000}  # more than a run ever used up
CURVE = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def seed(target: Target, labelers: int, tasks: int) -> Team:
    """Makes a team and one finalized batch, and updates the database's statistics."""
    team = asyncio.run(make_team(target.url, labelers))
    with running_server(target.url) as server, team.client(server.url) as http:
        make_project(http, team.labelers)
        make_batch(http, tasks)
    target.settle()
    return team


def measure_http(target: Target, keys: Sequence[str], seconds: float, warm_up: float) -> Figures:
    """Runs the loop over HTTP, on servers that are started for it."""
    with running_server(target.url, target.workers) as server:

        def cpu() -> dict[str, float]:
            used = {"server": server.cpu_s()}
            return used | ({"PostgreSQL": target.postgres.cpu_s()} if target.postgres and target.postgres.pid else {})

        figures = closed_loop.drive(server.url, keys, seconds, warm_up=warm_up, cpu=cpu)
        if target.workers > 1:
            shares = ", ".join(f"{share:.2f}" for share in server.cpu_shares_s()[: target.workers])
            print(f"  processor of each server process since its start: {shares} s")
    if figures.of("empty").count:
        raise SystemExit("the tasks ran out; give more of them (--tasks)")
    return figures


@dataclass(frozen=True, slots=True)
class Comparison:
    """The loop over HTTP and its yardstick, in each round of one run."""

    http: list[Figures]
    yardstick: list[Figures]

    @property
    def tasks_per_second(self) -> float:
        return statistics.median(figures.tasks_per_second for figures in self.http)

    @property
    def ratio(self) -> float:
        pairs = zip(self.http, self.yardstick, strict=True)
        return statistics.median(http.tasks_per_second / other.tasks_per_second for http, other in pairs)


def compare(target: Target, team: Team, labelers: int, options: argparse.Namespace) -> Comparison:
    """Measures both in turns, so that other load on the machine affects both."""
    keys = team.keys[:labelers]
    script = pgbench.make_script(target.url, team.id, keys[0]) if target.postgres else None
    if script and options.script:
        print(pgbench.script_text(script))
    comparison = Comparison([], [])
    for number in range(1, options.rounds + 1):
        print(f"round {number}, {labelers} labelers over HTTP, {target.engine}:")
        comparison.http.append(measure_http(target, keys, options.seconds, options.warm_up))
        print(_summary(comparison.http[-1]))
        if target.postgres and script:
            comparison.yardstick.append(pgbench.drive(target.postgres, script, labelers, options.seconds))
        else:
            comparison.yardstick.append(without_http.drive(target.url, keys, options.seconds, warm_up=options.warm_up))
        print(f"  {_yardstick_name(target)}: {comparison.yardstick[-1].tasks_per_second:,.0f} tasks/s")
    return comparison


def _yardstick_name(target: Target) -> str:
    return "pgbench, the same statements" if target.postgres else "the same use-cases without HTTP"


def _summary(figures: Figures) -> str:
    tasks = f"  {figures.tasks_per_second:,.0f} tasks/s; processor: load {figures.cpu_s:.2f} s"
    tasks += "".join(f", {name} {used:.2f} s" for name, used in figures.others_cpu_s.items())
    return f"{tasks}, in {figures.seconds:.2f} s\n" + "\n".join(
        f"  {line}" for line in closed_loop.report(figures).splitlines()
    )


def measure_curve(target: Target, team: Team, options: argparse.Namespace) -> dict[int, Figures]:
    """Runs the loop with 1, 2, 4, … labelers; the figures by their number."""
    found: dict[int, Figures] = {}
    for labelers in (count for count in CURVE if count <= len(team.labelers)):
        found[labelers] = measure_http(target, team.keys[:labelers], options.seconds, options.warm_up)
        print(f"  {labelers} labelers: {found[labelers].tasks_per_second:,.0f} tasks/s", flush=True)
    return found


def worst_fall(tasks_per_second: Sequence[float]) -> float:
    """The largest fall below the highest rate so far, as a share of that rate."""
    peak, fall = 0.0, 0.0
    for now in tasks_per_second:
        peak = max(peak, now)
        fall = max(fall, 1 - now / peak) if peak else fall
    return fall


def curve_table(found: dict[int, Figures]) -> str:
    rows: list[tuple[str, ...]] = [("labelers", "tasks/s", "claim p50", "p99", "submit p50", "p99", "not well")]
    for labelers, figures in found.items():
        claim, submit = figures.of("claim"), figures.of("submit")
        times = (f"{ms:.2f} ms" for ms in (claim.p50_ms, claim.p99_ms, submit.p50_ms, submit.p99_ms))
        rows.append((str(labelers), f"{figures.tasks_per_second:,.0f}", *times, figures.faults or "-"))
    return table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_target_options(parser)
    parser.add_argument("--labelers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before each measurement starts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=0, help="in the batch; as many as the run needs by default")
    parser.add_argument("--curve", action="store_true", help="with 1, 2, 4, … 256 labelers instead")
    parser.add_argument("--script", action="store_true", help="print the script that pgbench runs")
    options = parser.parse_args()
    labelers = max(CURVE) if options.curve else options.labelers
    runs = len(CURVE) if options.curve else 2 * options.rounds
    with empty_target(options) as target:
        tasks = options.tasks or round(runs * (options.seconds + options.warm_up) * TASKS_PER_S[target.engine])
        print(f"{tasks:,} tasks in the batch", flush=True)
        team = seed(target, labelers, tasks)
        if options.curve:
            found = measure_curve(target, team, options)
            print(curve_table(found))
            print(f"worst fall from the peak so far: {worst_fall([f.tasks_per_second for f in found.values()]):.1%}")
        else:
            both = compare(target, team, labelers, options)
            print(f"{both.tasks_per_second:,.0f} tasks/s; {both.ratio:.2f} of {_yardstick_name(target)} (medians)")


if __name__ == "__main__":
    main()
