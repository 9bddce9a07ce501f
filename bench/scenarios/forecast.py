"""How often the forecast's 80 % interval holds: worlds are made up, forecast, and then worked to their end.

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
from refonte_studio.analytics.model import Finish
from refonte_studio.analytics.policy.simulation import foresee

HOUR_MS = 3_600_000
HORIZONS = ((12, "within 12 hours"), (48, "12 to 48 hours"), (120, "2 to 5 days"), (10**9, "later"))


@dataclass(frozen=True, slots=True)
class Tried:
    """A batch: what was foreseen, and what came. Times are in milliseconds; None came never."""

    foreseen: Finish
    came: int | None
    wanted: int
    people: int

    @property
    def holds(self) -> bool:
        low, high = self.foreseen.low, self.foreseen.high
        return (
            low is not None
            and (low <= self.came if self.came else True)
            and (high is None or (self.came is not None and self.came <= high))
        )

    @property
    def early(self) -> bool:
        return self.came is not None and (self.foreseen.low is None or self.came < self.foreseen.low)

    @property
    def width(self) -> float | None:
        """Of the interval, as a share of what is foreseen."""
        low, median, high = self.foreseen.low, self.foreseen.median, self.foreseen.high
        return None if low is None or not median or high is None else (high - low) / median

    @property
    def bias(self) -> float | None:
        median = self.foreseen.median
        return None if not median or self.came is None else self.came / median - 1


def tried(seed: int, size: int, load: float) -> list[Tried]:
    """All batches of one world."""
    world = worlds.make(seed, size, load)
    worlds.past(world)
    found = foresee(worlds.known(world))
    came = worlds.future(world)
    return [
        Tried(finish, at, batch.wanted, len(batch.people))
        for finish, at, batch in zip(found, came, world.batches, strict=True)
        if finish.median is not None
    ]


def coverage(found: Iterable[Tried]) -> float:
    return statistics.fmean(each.holds for each in found)


def _row(name: str, found: list[Tried]) -> tuple[str, ...]:
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


def report(found: list[Tried]) -> str:
    """Coverage, width and bias, by what kind of batch it is."""
    by: dict[str, list[Tried]] = defaultdict(list)
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
    parser.add_argument("--size", type=int, default=12, help="people of a world, at most")
    parser.add_argument("--load", type=float, default=4.0, help="about so many days of work in the queue")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    started = time.perf_counter()
    found = [
        each
        for seed in range(options.first, options.first + options.worlds)
        for each in tried(seed, options.size, options.load)
    ]
    print(report(found))
    print(f"{options.worlds} worlds in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
