"""Measures agreement between people, corrected for the agreement that chance alone would give."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Ints, summed

LEVELS = ("nominal", "ordinal", "interval", "ratio")
PAIRS_DRAWN = 20_000


def alpha(answers: Answers, level: str = "nominal", values: Floats | None = None) -> float | None:
    """Returns Krippendorff's alpha: 1 is full agreement, 0 the agreement of chance, None if nothing can be compared.

    `values` are the numeric values of the labels in rising order; the default is the labels' indexes. At the ordinal
    level only their order counts. Raises ValueError for an unknown level. K. Krippendorff, "Computing Krippendorff's
    Alpha-Reliability", 2011.
    """
    if level not in LEVELS:
        raise ValueError(f"no level {level!r}; there are {', '.join(LEVELS)}")
    values = np.arange(answers.n_labels, dtype=np.float64) if values is None else values
    some = answers.only(answers.per_task[answers.tasks] > 1)  # a single answer has nothing to compare with
    if not len(some):
        return None
    weight = 1.0 / (some.per_task[some.tasks] - 1)
    totals = np.bincount(some.labels, minlength=some.n_labels).astype(np.float64)
    if level == "nominal":
        return _nominal(some, weight, totals)
    scale = _ranks(totals) if level == "ordinal" else values
    if level == "ratio":
        return _by_pairs(some, weight, totals, scale)
    # the sum of squared differences over all pairs follows from the sum and the sum of squares
    scale = scale - totals @ scale / len(some)  # centered, so that squares keep their precision
    said = scale[some.labels]
    count = some.per_task[some.tasks]
    sums = summed(some.tasks, said, some.n_tasks)[some.tasks]
    squares = summed(some.tasks, said**2, some.n_tasks)[some.tasks]
    observed = float((weight * (count * said**2 - 2 * said * sums + squares)).sum())
    n = len(some)
    expected = float(2 * (n * (totals @ scale**2) - (totals @ scale) ** 2)) / (n - 1)
    return _alpha(observed, expected)


def _alpha(observed: float, expected: float) -> float | None:
    """Returns None if all answers are alike, because chance then gives full agreement too."""
    return 1.0 - observed / expected if expected > 1e-12 else None


def _nominal(answers: Answers, weight: Floats, totals: Floats) -> float | None:
    n = len(answers)
    differing = answers.per_task[answers.tasks] - answers.votes_of_own
    return _alpha(float((weight * differing).sum()), (n * n - float(totals @ totals)) / (n - 1))


def _ranks(totals: Floats) -> Floats:
    """Returns the mean rank of each label when all answers are sorted."""
    return np.cumsum(totals) - totals / 2


def _by_pairs(answers: Answers, weight: Floats, totals: Floats, values: Floats) -> float | None:
    """Returns alpha for a distance without a closed form: sums over pairs of labels, one label at a time."""
    observed = expected = 0.0
    for label in np.flatnonzero(totals):
        distance = _ratio(float(values[label]), values)
        mine = answers.labels == label
        naming = summed(answers.tasks[mine], weight[mine], answers.n_tasks)
        observed += float((naming[answers.tasks] * distance[answers.labels]).sum())
        expected += float(totals[label] * (totals @ distance))
    return _alpha(observed, expected / (len(answers) - 1))


def _ratio(one: float, others: Floats) -> Floats:
    total = one + others
    return np.where(total == 0, 0.0, (one - others) / np.where(total == 0, 1.0, total)) ** 2


def alpha_by_distance(
    tasks: Sequence[int] | Ints, distance: Callable[[int, int], float], seed: int, most: int = PAIRS_DRAWN
) -> float | None:
    """Returns alpha for answers of any kind; answer i belongs to task `tasks[i]`.

    `distance(i, j)` is the distance between answers i and j; 0 means equal. The observed and the expected distance are
    each the mean over at most `most` pairs, drawn at random with `seed` if there are more. Returns None if nothing can
    be compared.
    """
    draw = np.random.default_rng(seed)
    tasks = np.asarray(tasks, np.int64)
    order = np.argsort(tasks, kind="stable")
    counts = np.bincount(tasks)
    starts = np.cumsum(counts) - counts
    several = np.flatnonzero(counts > 1)
    if not len(several):
        return None
    # alpha weighs each answer of a task equally: pair each answer once, with any other answer of its task
    of_task = np.repeat(several, counts[several])
    mine = np.arange(len(of_task)) - np.repeat(np.cumsum(counts[several]) - counts[several], counts[several])
    kept = np.sort(draw.permutation(len(of_task))[:most])
    step = draw.integers(1, counts[of_task[kept]])
    other = (mine[kept] + step) % counts[of_task[kept]]
    first, second = order[starts[of_task[kept]] + mine[kept]], order[starts[of_task[kept]] + other]
    observed = _mean(distance, first, second)
    pool = order[np.isin(tasks[order], several)]
    one = draw.integers(0, len(pool), most)
    another = (one + draw.integers(1, len(pool), most)) % len(pool)
    return _alpha(observed, _mean(distance, pool[one], pool[another]))


def _mean(distance: Callable[[int, int], float], first: Ints, second: Ints) -> float:
    return sum(distance(int(i), int(j)) for i, j in zip(first, second, strict=True)) / len(first)


def task_agreement(answers: Answers) -> Floats:
    """Returns for each task the share of pairs of answers that are equal; NaN with fewer than two answers."""
    count = answers.per_task
    same = (answers.votes_of_own - 1).astype(np.float64)
    alike = summed(answers.tasks, same, answers.n_tasks)
    pairs = (count * (count - 1)).astype(np.float64)
    return np.divide(alike, pairs, out=np.full(answers.n_tasks, np.nan), where=pairs > 0)


@dataclass(frozen=True, slots=True)
class Together:
    """Two people, the number of tasks that both answered, and the number on which their answers are equal."""

    one: int
    other: int
    both: int
    alike: int


def together(answers: Answers, most: int = 100_000) -> list[Together]:
    """Returns at most `most` pairs of people with a common task, those with the most common tasks first."""
    order = np.argsort(answers.tasks, kind="stable")
    tasks, people, labels = answers.tasks[order], answers.people[order], answers.labels[order]
    both: dict[int, int] = {}
    alike: dict[int, int] = {}
    # pair each answer with the one that many rows further on, if both belong to the same task
    for apart in range(1, int(answers.per_task.max(initial=0))):
        same = np.flatnonzero(tasks[:-apart] == tasks[apart:])
        one, other = people[same], people[same + apart]
        pairs = np.minimum(one, other) * answers.n_people + np.maximum(one, other)
        agreed = labels[same] == labels[same + apart]
        _count(both, pairs)
        _count(alike, pairs[agreed])
    found = sorted(both.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return [Together(*divmod(pair, answers.n_people), count, alike.get(pair, 0)) for pair, count in found]


def _count(counts: dict[int, int], pairs: Ints) -> None:
    for pair, count in zip(*np.unique(pairs, return_counts=True), strict=True):
        counts[int(pair)] = counts.get(int(pair), 0) + int(count)


def wilson(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Returns the Wilson interval of a share, at 95 % confidence for z = 1.96; (0, 1) if n is 0.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927.
    """
    if n == 0:
        return 0.0, 1.0
    share, square = successes / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)
