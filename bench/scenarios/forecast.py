"""How often the forecast's 80 % interval holds: made-up worlds are forecast and then simulated to their end.

    python -m bench.scenarios.forecast
    python -m bench.scenarios.forecast --worlds 1000 --size 30

Each world has its own people, paces, shifts, days off, batches, groups and priorities (`scenarios/worlds.py`). At some
moment, the forecast receives what a server knows of the last 14 days; then the tasks are worked one at a time. For each
batch, the report says whether it was finished within the interval, how wide the interval was, and how far off its
middle.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bench.load.figures import table
from bench.scenarios import worlds
from refonte_studio.analytics.model import CompletionForecast
from refonte_studio.analytics.policy.simulation import foresee

HOUR_MS = 3_600_000
HORIZONS = ((12, "within 12 hours"), (48, "12 to 48 hours"), (120, "2 to 5 days"), (10**9, "later"))


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """A batch: what was forecast, and when it finished, in milliseconds from now; None if it never did."""

    foreseen: CompletionForecast
    finished: int | None
    wanted: int
    people: int

    @property
    def holds(self) -> bool:
        """Whether the batch finished within the interval, or never if the interval has no end."""
        low, high = self.foreseen.low, self.foreseen.high
        return (
            low is not None
            and (low <= self.finished if self.finished else True)
            and (high is None or (self.finished is not None and self.finished <= high))
        )

    @property
    def early(self) -> bool:
        """Whether the batch finished before the interval."""
        return self.finished is not None and (self.foreseen.low is None or self.finished < self.foreseen.low)

    @property
    def width(self) -> float | None:
        """The width of the interval, as a share of its middle."""
        low, median, high = self.foreseen.low, self.foreseen.median, self.foreseen.high
        return None if low is None or not median or high is None else (high - low) / median

    @property
    def bias(self) -> float | None:
        """How much later than the middle of the interval the batch finished, as a share of that time."""
        median = self.foreseen.median
        return None if not median or self.finished is None else self.finished / median - 1


def run_world(seed: int, size: int, load: float) -> list[BatchOutcome]:
    """Forecasts one world, simulates it, and returns its batches."""
    world = worlds.make_world(seed, size, load)
    worlds.simulate_past(world)
    found = foresee(worlds.forecast_input(world))
    finished = worlds.simulate_future(world)
    return [
        BatchOutcome(finish, at, batch.wanted, len(batch.people))
        for finish, at, batch in zip(found, finished, world.batches, strict=True)
        if finish.median is not None
    ]


def coverage(found: Iterable[BatchOutcome]) -> float:
    """The share of batches for which the interval holds."""
    return statistics.fmean(each.holds for each in found)


def _row(name: str, found: list[BatchOutcome]) -> tuple[str, ...]:
    if not found:
        return (name, "0", "-", "-", "-", "-")
    widths = [each.width for each in found if each.width is not None]
    biases = [each.bias for each in found if each.bias is not None]
    return (
        name,
        f"{len(found):,}",
        f"{coverage(found):.0%}",
        f"{statistics.fmean(each.early for each in found):.0%}",
        f"{statistics.median(widths):.0%}" if widths else "-",
        f"{statistics.median(biases):+.0%}" if biases else "-",
    )


def report(found: list[BatchOutcome]) -> str:
    """A table of coverage, width and bias, by kind of batch."""
    by: dict[str, list[BatchOutcome]] = defaultdict(list)
    for each in found:
        by["all"].append(each)
        hours = (each.foreseen.median or 0) / HOUR_MS
        by[next(name for limit, name in HORIZONS if hours <= limit)].append(each)
        by["one attempt a task" if each.wanted == 1 else "consensus"].append(each)
        by["1 or 2 people" if each.people <= 2 else "3 to 6 people" if each.people <= 6 else "more people"].append(each)
    head = ("batches", "number", "within 80 %", "earlier", "width / middle", "came later by")
    names = ["all", *(name for _, name in HORIZONS), "one attempt a task", "consensus"]
    names += ["1 or 2 people", "3 to 6 people", "more people"]
    return table([head, *(_row(name, by[name]) for name in names)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--size", type=int, default=12, help="people in a world, at most")
    parser.add_argument("--load", type=float, default=4.0, help="days of work in the queue, approximately")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    started = time.perf_counter()
    found = [
        each
        for seed in range(options.first, options.first + options.worlds)
        for each in run_world(seed, options.size, options.load)
    ]
    print(report(found))
    print(f"{options.worlds} worlds in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
