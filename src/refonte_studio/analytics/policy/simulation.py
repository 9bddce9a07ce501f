"""Forecasts when the batches of a queue will be finished, by simulating many futures from people's recent work.

In each future, people do on each day to come what they did on one of the last days, at a pace that is as uncertain as
few days leave it, and every hour goes to the first batch in the queue that they may work and that still wants them.
Work is a fluid here, hours of it and not single tasks, so that large teams cost no more than small ones. Numbers alone,
without a database; the same question has the same answer, since the draws are seeded by who and what it is about.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from refonte_studio.analytics.model import DAY_HOURS, Basis, CompletionForecast, ForecastInput, QueuedBatch
from refonte_studio.analytics.policy.pace import Column, RecentDays, columns_of, history_of, task_time

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.intp]

HOUR_MS = 3_600_000
RUNS = ((40, 400), (150, 200), (1 << 30, 100))  # (columns at most, runs)
HORIZON_DAYS = 180
STEPS = ((4, 1), (10, 3), (HORIZON_DAYS, 6))  # (until this day, hours in a step)
LOW, HIGH = 0.1, 0.9
TASK_CV = 0.8  # coefficient of variation of the time of one task
DIFFICULTY_CV = 0.1  # of the mean time between batches
UNSEEN_CV = 0.7  # of the mean time in a project that nobody has worked on yet
UNLIKE = 0.1  # weight of a past day that did not begin like today
TINY = 1e-9
LEAST_MS = 1.0  # less work than this counts as none

NOBODY = "nobody may work it"
NO_PACE = "nobody of the team has worked in the last 14 days, so that no pace is known"
TOO_FEW = "its tasks want more different people than may work it"
TOO_FAR = f"it is not foreseen within {HORIZON_DAYS} days"


def foresee(known: ForecastInput) -> list[CompletionForecast]:
    """Returns the forecast of each batch, in the order of the queue."""
    history = history_of(known)
    columns = columns_of(known, history)
    if not columns:
        return [_unforeseen(line, history) for line in known.lines]
    found = _Futures(known, history, columns).run()
    return [_finish(known, history, place, found) for place in range(len(known.lines))]


def _unforeseen(line: QueuedBatch, history: RecentDays) -> CompletionForecast:
    if line.remaining == 0:
        return CompletionForecast(0, 0, 0, None, None, None)
    return CompletionForecast(None, None, None, None, None, NO_PACE if line.people and not history.any else NOBODY)


@dataclass(frozen=True, slots=True)
class _Found:
    """When each batch begins and finishes in each run, in hours from now; infinite if it does not."""

    begun: Floats  # (runs, lines)
    finished: Floats


def _finish(known: ForecastInput, history: RecentDays, place: int, found: _Found) -> CompletionForecast:
    line = known.lines[place]
    if line.remaining == 0 or not line.people or not history.any:
        return _unforeseen(line, history)
    basis: Basis = "measured" if any(history.active[person] for person in line.people) else "pooled"
    if _impossible(line):
        return CompletionForecast(None, None, None, _at(found.begun[:, place], 0.5), basis, TOO_FEW)
    low, median, high = (_at(found.finished[:, place], share) for share in (LOW, 0.5, HIGH))
    return CompletionForecast(
        median, low, high, _at(found.begun[:, place], 0.5), basis, TOO_FAR if high is None else None
    )


def _impossible(line: QueuedBatch) -> bool:
    """Whether there are too few people for all attempts, since nobody attempts a task twice."""
    return sum(line.tasks - line.had.get(person, 0) for person in line.people) < line.remaining


def _at(hours: Floats, share: float) -> int | None:
    value = float(np.sort(hours)[round(share * (len(hours) - 1))])
    return round(value * HOUR_MS) if math.isfinite(value) else None


class _Futures:
    """All runs at once, as arrays of (runs, columns). A column is a person, or several with the same open batches."""

    def __init__(self, known: ForecastInput, history: RecentDays, columns: Sequence[Column]) -> None:
        self.lines = known.lines
        self.history = history
        self.work = np.stack([column.work for column in columns])  # (columns, days, hours)
        self.runs = next(runs for most, runs in RUNS if len(columns) <= most)
        self.rng = np.random.default_rng(_seed(known))
        alone = np.array([column.variance for column in columns])
        common = _around_one(self.rng, history.common, (self.runs, 1))
        self.gain = _around_one(self.rng, alone, (self.runs, len(columns))) * common
        may = np.zeros((len(self.lines), len(columns)), dtype=np.int32)
        for number, column in enumerate(columns):
            may[sorted(column.lines), number] = 1
        self.among: list[Places] = [np.flatnonzero(row) for row in may]
        self.worked = np.array([len(among) > 0 for among in self.among])  # whether anybody may work on it
        self.task_ms = self._task_ms(known, columns)
        self.hardness = _around_one(self.rng, self._unsure(known), (self.runs, len(self.lines)))
        self.left = np.tile(np.array([float(line.remaining) for line in self.lines]), (self.runs, 1))
        self.passed = {
            place: self._passed(columns, place) for place in range(len(self.lines)) if self._is_scarce(columns, place)
        }
        self.begun = np.full(self.left.shape, np.inf)
        self.finished = np.where(self.left > 0, np.inf, 0.0)
        self.open_to = np.tile(may.sum(axis=0), (self.runs, 1))  # number of batches left for each column

    def _is_scarce(self, columns: Sequence[Column], place: int) -> bool:
        """Whether a batch has so few people that each column is one person, with the tasks that they already had."""
        return self.lines[place].wanted > 1 and all(
            len(columns[each].members) == 1 for each in self.among[place].tolist()
        )

    def _passed(self, columns: Sequence[Column], place: int) -> Floats:
        """(runs, people of the batch): how many of its tasks, oldest first, each had or found full."""
        people = [columns[each].members[0] for each in self.among[place].tolist()]
        had = np.array([float(self.lines[place].had.get(person, 0)) for person in people])
        return np.tile(had, (self.runs, 1))

    def _task_ms(self, known: ForecastInput, columns: Sequence[Column]) -> list[Floats]:
        """For each batch, the time that one of its tasks takes each column that may work on it."""
        project_ids = {line.project_id for line in self.lines}
        times = {
            project_id: np.array([task_time(known, self.history, column.members, project_id) for column in columns])
            for project_id in sorted(project_ids)
        }
        return [times[line.project_id][among] for line, among in zip(self.lines, self.among, strict=True)]

    def _unsure(self, known: ForecastInput) -> Floats:
        """The variance of the mean time that the tasks of each batch take."""
        seen = [known.paces[line.project_id].attempts if line.project_id in known.paces else 0 for line in self.lines]
        left = [max(1, line.remaining) for line in self.lines]
        return DIFFICULTY_CV**2 + TASK_CV**2 / np.array(left) + UNSEEN_CV**2 / (1 + np.array(seen))

    def run(self) -> _Found:
        for day in range(HORIZON_DAYS):
            hours = next(hours for until, hours in STEPS if day < until)
            work = self._day(day, hours)
            for step in range(work.shape[2]):
                if not self.open_to.any():
                    return _Found(self.begun, self.finished)
                self._step(work[:, :, step], float(day * DAY_HOURS + step * hours), hours)
        return _Found(self.begun, self.finished)

    def _day(self, day: int, hours: int) -> Floats:
        """(runs, columns, steps): the work of a future day, copied from one past day for all or for each column."""
        shape = self.gain.shape
        if day == 0:
            chosen = _choose(self.history.today(self.work, UNLIKE), self.rng.random(shape))
        else:
            weights = self.history.weights(self.work, day)
            alone = _choose(weights, self.rng.random(shape))
            shared = _choose(weights, self.rng.random((shape[0], 1)))
            chosen = np.where(self.rng.random(shape) < self.history.together, shared, alone)
        past = self.work.reshape(*self.work.shape[:2], -1, hours).sum(axis=3)
        return past[np.arange(shape[1]), chosen] * self.gain[:, :, None]

    def _step(self, work: Floats, hour: float, hours: int) -> None:
        """Spends the work of some hours on the queue."""
        rest = np.where(self.open_to > 0, work, 0.0)  # work that is not spent yet
        idle: Bools = np.asarray((rest > LEAST_MS).any(axis=1))
        wants = (self.left > 0) & self.worked
        for place in np.flatnonzero(wants.any(axis=0)):
            if not idle.any():
                break
            rows = np.flatnonzero(idle & wants[:, place])
            if len(rows):
                self._spend(int(place), rows, work, rest, hour, hours)
                idle[rows] = (rest[rows] > LEAST_MS).any(axis=1)

    def _spend(self, place: int, rows: Places, work: Floats, rest: Floats, hour: float, hours: int) -> None:
        """Spends on a batch, in some of the runs, what its people have left of these hours."""
        box = np.ix_(rows, self.among[place])
        task_ms = self.task_ms[place] * self.hardness[rows, place][:, None]
        full = rest[box] / task_ms
        could = full
        if place in self.passed:
            could = np.minimum(full, np.maximum(0.0, self.lines[place].tasks - self.passed[place][rows]))
        total = np.maximum(could.sum(axis=1), TINY)
        left = self.left[rows, place]
        part = np.minimum(1.0, left / total)
        # the share of these hours that is left
        over = 1 - (could * rest[box] / np.maximum(work[box], LEAST_MS)).sum(axis=1) / total
        spent = could * part[:, None]
        rest[box] = np.maximum(0.0, rest[box] - spent * task_ms)
        after = left - total * part
        after = np.where(after <= TINY * self.lines[place].remaining + TINY, 0.0, after)
        self.left[rows, place] = after
        if place in self.passed:
            self.passed[place][rows] = _pass_on(self.lines[place], self.passed[place][rows] + spent, after)
        begins = np.where(total > TINY, hour + over * hours, np.inf)
        self.begun[rows, place] = np.minimum(self.begun[rows, place], begins)
        busy = (spent / np.maximum(full, TINY)).max(axis=1)  # the busiest column's share of what was left
        ends = hour + (over + busy * (1 - over)) * hours + self._tail(place, total, task_ms.mean(axis=1), hours)
        self.finished[rows, place] = np.where(after == 0, ends, np.inf)
        self.open_to[np.ix_(rows[after == 0], self.among[place])] -= 1

    def _tail(self, place: int, total: Floats, task_ms: Floats, hours: int) -> Floats:
        """How many hours later the last of several people finishes when they work on the last tasks at once."""
        task_h = task_ms / HOUR_MS
        at_once = np.clip(total * task_h / hours, 1.0, max(1, self.lines[place].remaining))
        return task_h * np.log(at_once)


def _around_one(rng: np.random.Generator, variance: Floats | float, shape: tuple[int, int]) -> Floats:
    """Log-normal factors with a mean of one, whose logarithms have this variance."""
    return np.exp(np.sqrt(variance) * rng.standard_normal(shape) - np.asarray(variance) / 2)


def _pass_on(line: QueuedBatch, passed: Floats, left: Floats) -> Floats:
    """How far people are in a batch with `left` attempts to go. Nobody is behind its first task with an open slot.

    Fewer than `wanted` people are ahead of that task, and the others continue from there. So the attempts made are
    `wanted` times the tasks before it, plus what the few people did beyond it. Among the numbers of tasks that satisfy
    this for more or fewer people ahead, the least is right.
    """
    done = line.tasks * line.wanted - left
    ahead = -np.sort(-passed, axis=1)[:, : line.wanted - 1]
    first = done / line.wanted
    for people in range(1, ahead.shape[1] + 1):
        first = np.minimum(first, (done - ahead[:, :people].sum(axis=1)) / (line.wanted - people))
    return np.maximum(passed, first[:, None])


def _choose(weights: Floats, draws: Floats) -> NDArray[np.intp]:
    """For each draw (0 to 1), an index chosen by the weights: of shape (n), or (columns, n) with weights by column."""
    reached = np.cumsum(weights / weights.sum(axis=-1, keepdims=True), axis=-1)
    return np.minimum((draws[:, :, None] >= reached).sum(axis=2), weights.shape[-1] - 1)


def _seed(known: ForecastInput) -> int:
    """A seed that depends on the people and batches, but not on their order."""
    names = sorted([*(worker.id for worker in known.workers), *(line.id for line in known.lines)])
    return int.from_bytes(blake2b("\n".join(names).encode(), digest_size=8).digest(), "big")
