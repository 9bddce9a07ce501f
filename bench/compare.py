"""Runs every benchmark on both engines, and prints one table of what they found.

    python bench/compare.py --quick
    python bench/compare.py --keep ~/bench-kept

Writes `results/latest.md` and `results/latest.json` beside this file. With `--quick`, it uses small sizes and short
runs, and only prints. If a benchmark fails, the table has a row that says so, and the others go on.
"""

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

if not __package__:  # started as a file: Python looks for packages beside it, not in the repository
    sys.path[0] = str(Path(__file__).parent.parent)

from bench.environment import machine
from bench.environment.sized_databases import sized_databases
from bench.environment.target import empty_target
from bench.load.figures import table
from bench.scenarios import bulk, dispatch, endgame, lists, overload, sizes

RESULTS = Path(__file__).parent / "results"
ENGINES = ("SQLite", "PostgreSQL")
LABELERS = 32
RATIO_AIMS = {"SQLite": 0.4, "PostgreSQL": 0.6}
RATE_AIMS = {"SQLite": 2_000}
FALL_AIM = 0.1
SERVED_AIM = 0.5
REFUSED_AIM_MS = 1_000
MEMORY_AIM = 1.5


@dataclass(frozen=True, slots=True)
class Row:
    measure: str
    engine: str
    value: float
    figure: str  # the value with its unit, and related values
    aim: str = "-"
    met: bool | None = None  # None if there is no aim
    part: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        return self.measure, self.engine, self.figure, self.aim, {True: "yes", False: "NO", None: "-"}[self.met]


def at_most(measure: str, engine: str, value: float, figure: str, aim: float, unit: str = "") -> Row:
    return Row(measure, engine, value, figure, f"<= {aim:g}{unit}", value <= aim)


def at_least(measure: str, engine: str, value: float, figure: str, aim: float, unit: str = "") -> Row:
    return Row(measure, engine, value, figure, f">= {aim:g}{unit}", value >= aim)


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes and lengths of all measurements."""

    seconds: float = 8.0
    rounds: int = 3
    sizes: tuple[int, ...] = (10_000, 1_000_000, 10_000_000)
    size_seconds: float = 2.0
    endgame_tasks: int = 100_000
    endgame_left: int = 300
    bulk_tasks: int = 200_000
    flood_connections: int = 2_000
    flood_seconds: float = 8.0


QUICK = Scale(2.0, 1, (10_000, 100_000), 1.0, 10_000, 200, 20_000, 500, 2.0)


@dataclass(frozen=True, slots=True)
class Plan:
    engine: str
    scale: Scale
    keep: Path | None

    @property
    def postgresql(self) -> bool:
        return self.engine == "PostgreSQL"

    def options(self, **more: object) -> argparse.Namespace:
        """The options that the scenarios read from their command lines."""
        keep = self.keep / self.engine.lower() if self.keep else None
        return argparse.Namespace(database="", postgresql=self.postgresql, keep=keep, **more)


def loop_rows(plan: Plan) -> Iterator[Row]:
    """Claim and submit, compared with the yardstick."""
    scale = plan.scale
    options = plan.options(seconds=scale.seconds, warm_up=2.0, rounds=scale.rounds, script=False)
    tasks = round(2 * scale.rounds * (scale.seconds + 2.0) * dispatch.TASKS_PER_S[plan.engine])
    with empty_target(options) as target:
        both = dispatch.compare(target, dispatch.seed(target, LABELERS, tasks), LABELERS, options)
    rate, name = both.tasks_per_second, f"claim + submit, {LABELERS} labelers"
    figure = f"{rate:,.0f} tasks/s"
    if plan.engine in RATE_AIMS:
        yield at_least(name, plan.engine, rate, figure, RATE_AIMS[plan.engine], " tasks/s")
    else:
        yield Row(name, plan.engine, rate, figure)
    yardstick = "pgbench, same statements" if plan.postgresql else "the same without HTTP"
    yield at_least(f"{name}, of {yardstick}", plan.engine, both.ratio, f"{both.ratio:.2f}", RATIO_AIMS[plan.engine])


def curve_rows(plan: Plan) -> Iterator[Row]:
    """Claim and submit with 1, 2, 4, … labelers."""
    seconds = plan.scale.seconds / 2
    tasks = round(len(dispatch.CURVE) * (seconds + 2.0) * dispatch.TASKS_PER_S[plan.engine])
    options = plan.options(seconds=seconds, warm_up=2.0)
    with empty_target(options) as target:
        found = dispatch.measure_curve(target, dispatch.seed(target, max(dispatch.CURVE), tasks), options)
    rates = {labelers: figures.tasks_per_second for labelers, figures in found.items()}
    for labelers, rate in rates.items():
        yield Row(f"claim + submit, the curve at {labelers}", plan.engine, rate, f"{rate:,.0f} tasks/s")
    fall = dispatch.worst_fall(list(rates.values()))
    name = "claim + submit, 1 to 256 labelers: worst fall from the peak"
    yield at_most(name, plan.engine, fall, f"{fall:.1%}", FALL_AIM)


def size_rows(plan: Plan) -> Iterator[Row]:
    """Claims in projects of many sizes."""
    scale = plan.scale
    with sized_databases(plan.options()) as databases:
        measured = sizes.measure(databases, scale.sizes, scale.rounds, scale.size_seconds, 1.0)
    small, large = min(scale.sizes), max(scale.sizes)
    for case, each in measured.items():
        times = f"{each.p50_ms(small):.2f} ms, {each.p50_ms(large):.2f} ms"
        name = f"claim p50 at {large:,} tasks, of that at {small:,}: {case}"
        yield at_most(name, plan.engine, each.growth, f"{each.growth:.2f} ({times})", sizes.RATIO_AIM)
        name = f"claim p99, of its p50, at any size: {case}"
        yield at_most(name, plan.engine, each.tail, f"{each.tail:.1f}", sizes.TAIL_AIM)


def endgame_rows(plan: Plan) -> Iterator[Row]:
    """Claims when almost nothing is left."""
    with empty_target(plan.options()) as target:
        found = endgame.measure(target, plan.scale.endgame_tasks, plan.scale.endgame_left, 2.0)
    for each in found:
        later, easy, empty = each.later, each.easy, each.empty
        for name, ratio, ms, of_ms in (
            ("claim p50", each.ratio, later.p50_ms, easy.p50_ms),
            ("claim p99", each.tail_ratio, later.p99_ms, easy.p99_ms),
            ("204 p50", each.empty_ratio, empty.p50_ms, easy.p50_ms),
        ):
            figure = f"{ratio:.2f} ({ms:.2f} ms, {of_ms:.2f} ms)"
            yield at_most(f"{name}, of the easy claim: {each.case.name}", plan.engine, ratio, figure, endgame.AIM)
        name = f"the first claim of a run: {each.case.name}"
        yield Row(name, plan.engine, each.first_ms, f"{each.first_ms:.2f} ms ({each.easy_first_ms:.2f} ms)")


def list_rows(plan: Plan) -> Iterator[Row]:
    """Lists at the largest size."""
    size = max(plan.scale.sizes)
    with sized_databases(plan.options()) as databases:
        measured = lists.measure(databases, size)
    for each in measured:
        times, name = each.calls, f"list at {size:,} tasks: {each.call.name}"
        row = at_most(name, plan.engine, times.p50_ms, each.figure, lists.AIM_MS, " ms")
        yield row if not each.refused else replace(row, met=False)


def bulk_rows(plan: Plan) -> Iterator[Row]:
    """Import and export."""
    with empty_target(plan.options()) as target:
        found = bulk.measure(target, plan.scale.bulk_tasks)
    for each in found:
        rate = each.tasks_per_second
        name = f"bulk {each.way}, {each.tasks:,} tasks"
        yield at_least(name, plan.engine, rate, f"{rate:,.0f} tasks/s", each.aim, " tasks/s")


def overload_rows(plan: Plan) -> Iterator[Row]:
    """Ten times the load that the server carries."""
    scale = plan.scale
    options = plan.options(connections=scale.flood_connections, seconds=scale.flood_seconds, times=10.0)
    with empty_target(options) as target:
        found = overload.measure(target, options)
    for who, share in (("", found.share), (", to callers who heed Retry-After", found.heeding_share)):
        name = f"ten times the load: served{who}, of what is carried"
        yield at_least(name, plan.engine, share, f"{share:.2f}", SERVED_AIM)
    name, ms = "ten times the load: refusals, p99", found.refused_p99_ms
    yield at_most(name, plan.engine, ms, f"{ms:,.0f} ms", REFUSED_AIM_MS, " ms")
    name, grew = "ten times the load: the most memory, of that at its beginning", found.memory_grew
    yield at_most(name, plan.engine, grew, f"{grew:.2f}", MEMORY_AIM)


PARTS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "loop": loop_rows,
    "curve": curve_rows,
    "sizes": size_rows,
    "endgame": endgame_rows,
    "lists": list_rows,
    "bulk": bulk_rows,
    "overload": overload_rows,
}


def rows_of(part: str, plan: Plan) -> list[Row]:
    """Runs one part on one engine. If it fails, its only row says so."""
    print(f"\n== {part}, {plan.engine}", flush=True)
    try:
        return [replace(row, part=part) for row in PARTS[part](plan)]
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return [Row(part, plan.engine, 0.0, f"failed: {type(error).__name__}", "to run", met=False, part=part)]


def previous_rows(parts: Sequence[str]) -> list[Row]:
    """The rows of the last run for all parts but these."""
    try:
        data = json.loads((RESULTS / "latest.json").read_text())
    except FileNotFoundError:
        return []
    return [row for row in (Row(**each) for each in data["rows"]) if row.part not in parts]


def as_table(rows: Sequence[Row]) -> str:
    return table([("measure", "engine", "figure", "aim", "met"), *(row.cells for row in rows)])


def write(rows: Sequence[Row], properties: dict[str, str]) -> None:
    """Writes the last run of every part, for people and for programs."""
    order = list(PARTS)
    rows = sorted(rows, key=lambda row: (order.index(row.part), row.engine != ENGINES[0]))
    RESULTS.mkdir(exist_ok=True)
    described = [f"| {name} | {value} |" for name, value in properties.items()]
    found = [f"| {' | '.join(row.cells)} |" for row in rows]
    heads = ["| measure | engine | figure | aim | met |", "| --- | --- | --- | --- | --- |"]
    intro = "# The last run\n\nBy `bench/compare.py`, on one machine for the load, the servers and the database.\n"
    text = "\n".join([intro, "| machine | |", "| --- | --- |", *described, "", *heads, *found])
    (RESULTS / "latest.md").write_text(f"{text}\n")
    data = {"machine": properties, "rows": [asdict(row) for row in rows]}
    (RESULTS / "latest.json").write_text(json.dumps(data, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes and short runs")
    parser.add_argument("--keep", type=Path, help="folder for the large databases; temporary by default")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    options = parser.parse_args()
    properties = machine.describe()
    rows: list[Row] = [] if options.quick else previous_rows(options.parts)
    for part, engine in product(options.parts, options.engines):
        rows += rows_of(part, Plan(engine, QUICK if options.quick else Scale(), options.keep))
        if not options.quick:
            write(rows, properties)
    print("\n" + "\n".join(f"{name}: {value}" for name, value in properties.items()) + "\n")
    print(as_table(rows))


if __name__ == "__main__":
    main()
