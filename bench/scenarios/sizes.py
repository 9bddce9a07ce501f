"""How long a claim takes in projects of 10 thousand, 1 million and 10 million tasks.

    python -m bench.scenarios.sizes
    python -m bench.scenarios.sizes --postgresql --sizes 10000,1000000 --keep ~/bench-postgresql

The cases combine 1 and 1,000 open batches, 1 and 64 groups per labeler, and 1 and 8 labelers at work. Every claim is
submitted, so that the next claim takes a new task. The sizes take turns in each round.
"""

import argparse
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from bench.environment.servers import running_server
from bench.environment.sized_databases import (
    GROUPS,
    LABELERS,
    MANY,
    SizedDatabases,
    add_sized_database_options,
    sized_databases,
)
from bench.load import closed_loop
from bench.load.figures import Calls, table

RATIO_AIM = 1.5  # p50 at the largest size, as a multiple of p50 at the smallest
TAIL_AIM = 10.0  # p99, as a multiple of p50


@dataclass(frozen=True, slots=True, order=True)
class Case:
    batches: int
    groups: int
    labelers: int

    def __str__(self) -> str:
        return f"{_several(self.batches, 'batch', 'batches')}, {_several(self.groups, 'group', 'groups')} each, " + (
            _several(self.labelers, "labeler", "labelers")
        )


def _several(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


CASES = [Case(*each) for each in product((1, MANY), (1, GROUPS), (1, LABELERS))]


@dataclass(slots=True)
class Measured:
    """The claims of a case: for each size, one entry per round."""

    calls: dict[int, list[Calls]]
    faults: list[str]

    def p50_ms(self, size: int) -> float:
        return statistics.median(calls.p50_ms for calls in self.calls[size])

    def p99_ms(self, size: int) -> float:
        return statistics.median(calls.p99_ms for calls in self.calls[size])

    @property
    def sizes(self) -> list[int]:
        return sorted(self.calls)

    @property
    def growth(self) -> float:
        """The median over the rounds of p50 at the largest size, as a multiple of p50 at the smallest."""
        pairs = zip(self.calls[self.sizes[-1]], self.calls[self.sizes[0]], strict=True)
        return statistics.median(large.p50_ms / small.p50_ms for large, small in pairs)

    @property
    def tail(self) -> float:
        """The largest over the sizes of the median over the rounds of p99, as a multiple of p50."""
        return max(statistics.median(c.p99_ms / c.p50_ms for c in self.calls[size]) for size in self.sizes)


def measure(
    databases: SizedDatabases,
    sizes: Sequence[int],
    rounds: int,
    seconds: float,
    warm_up: float,
    cases: Sequence[Case] = CASES,
) -> dict[Case, Measured]:
    """Measures the sizes of a case one right after another, so that other load on the machine affects all of them."""
    measured: dict[Case, Measured] = {case: Measured(defaultdict(list), []) for case in cases}
    kinds = sorted({(case.batches, case.groups) for case in cases})
    for number, (batches, groups), size in product(range(1, rounds + 1), kinds, sizes):
        with databases.ready(size) as (target, database), running_server(target.url, target.workers) as server:
            keys = database.workload(batches).keys(groups)
            for case in (case for case in cases if (case.batches, case.groups) == (batches, groups)):
                figures = closed_loop.drive(server.url, keys[: case.labelers], seconds, warm_up=warm_up)
                claims = figures.of("claim")
                if not claims.count:
                    raise SystemExit(f"{size:,} tasks, {case}: nobody got anything to do; {figures.faults}")
                times = f"claim p50 {claims.p50_ms:.2f} ms, p99 {claims.p99_ms:.2f} ms, {claims.count:,} of them"
                print(f"round {number}, {size:>10,} tasks, {case}: {times} {figures.faults}", flush=True)
                measured[case].calls[size].append(claims)
                measured[case].faults += [figures.faults] if figures.faults else []
    return measured


def summary_table(measured: dict[Case, Measured]) -> str:
    sizes = next(iter(measured.values())).sizes
    heads = [f"p50 {size:,}" for size in sizes] + [f"p99 {size:,}" for size in sizes]
    rows = [("case", *heads, "growth of p50", "p99 / p50", "not well")]
    for case, each in measured.items():
        times = [each.p50_ms(size) for size in sizes] + [each.p99_ms(size) for size in sizes]
        shown = [f"{ms:.2f} ms" for ms in times]
        rows.append((str(case), *shown, f"{each.growth:.2f}", f"{each.tail:.1f}", "; ".join(each.faults) or "-"))
    return table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_sized_database_options(parser)
    parser.add_argument("--sizes", default="10000,1000000,10000000", help="tasks in the project")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before each measurement starts")
    options = parser.parse_args()
    sizes = sorted(map(int, options.sizes.split(",")))
    with sized_databases(options) as databases:
        print(summary_table(measure(databases, sizes, options.rounds, options.seconds, options.warm_up)))


if __name__ == "__main__":
    main()
