"""The default method: Dawid and Skene with hierarchical shrinkage of each person's confusion matrix.

A row of a person's confusion matrix is its counts plus a few pseudo-answers of a person with the same accuracy for all
labels; that accuracy is its counts plus a few pseudo-answers of the whole pool. These are posterior means under
Dirichlet and Beta priors, as in H.-C. Kim, Z. Ghahramani, "Bayesian Classifier Combination", AISTATS 2012, and, for the
hierarchy, S. Paun et al., "Comparing Bayesian Models of Annotation", TACL 6, 2018. The number of pseudo-answers is
chosen by cross-validation: it is the one that best predicts answers left out of the estimate.
"""

from dataclasses import dataclass

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Gold, Ints, held_to, shares, softmax, summed
from refonte_studio.consensus.judges import USUAL_ACCURACY


@dataclass(frozen=True, slots=True)
class Pull:
    """The strength of the shrinkage in pseudo-answers: for a row of a confusion matrix, and for a person's accuracy."""

    row: float
    person: float


ALL = 1e9
ALIKE = Pull(ALL, ALL)  # everybody has the same accuracy: votes
COINS = Pull(ALL, 32.0)  # each person has one accuracy for all labels
FREE = Pull(2.0, 4.0)
PULLS = (FREE, Pull(8.0, 16.0), Pull(32.0, 32.0), COINS, ALIKE)

CONFUSED_AT_MOST = 64  # labels; with more, a confusion matrix has too few answers per cell

ROUNDS = 50
TOLERANCE = 1e-4  # mean change of the probabilities per task at which the estimate has converged
TRIAL_ROUNDS = 15
TRIAL_TOLERANCE = 1e-3
FOLDS = 5
ALL_FOLDS_UP_TO = 5_000  # answers; with more, a single fold is enough
TRIED_AT_MOST = 200_000  # answers used for cross-validation with few labels; proportionally fewer with more labels
FEW_LABELS = 8
USUAL_WEIGHT = 10.0  # the weight of the usual accuracy in the pool's accuracy, in answers
DOUBT = 2.0  # standard errors within which two pulls count as equally good
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class People:
    """The estimated people: the likelihood of each label they gave (cells × labels), and their accuracies."""

    likely: Floats
    totals: Floats  # people × labels: the number of answers where that label is right
    accuracy: Floats
    pooled: float
    counts: Floats  # cells × labels: the number of the cell's answers where that label is right


def shrunk_dawid_skene(answers: Answers, gold: Gold) -> tuple[Floats, Pull]:
    """Returns the probability of each label, tasks × labels, and the pull chosen by cross-validation."""
    pull = best_pull(answers, gold)
    right, _ = estimated(answers, gold, pull)
    return right, pull


def estimated(
    answers: Answers, gold: Gold, pull: Pull, rounds: int = ROUNDS, tolerance: float = TOLERANCE
) -> tuple[Floats, People]:
    """Estimates labels and people in alternation, starting from the shares of the votes.

    Returns the probability of each label, tasks × labels, and the people.
    """
    right = held_to(gold, shares(answers.votes.copy()))
    people = known_people(answers, right, gold, pull)
    for _ in range(rounds):
        before = right
        scores = answers.by_task @ np.log(people.likely) + np.log(prior(answers, right))
        right = held_to(gold, softmax(scores))
        people = known_people(answers, right, gold, pull)
        if np.abs(right - before).sum() < tolerance * answers.n_tasks:
            break
    return right, people


def prior(answers: Answers, right: Floats) -> Floats:
    """Returns the frequency of each label among the tasks with answers, with one more task added for each label."""
    found = right[answers.per_task > 0].sum(axis=0) + 1.0
    return found / found.sum()


def known_people(answers: Answers, right: Floats, gold: Gold, pull: Pull) -> People:
    """Returns the people's models, given the probabilities of the tasks' labels.

    Of a task's n answers, one is the person's own, which always agrees with itself; so an answer counts (n - 1) / n.
    """
    telling = 1 - 1 / np.maximum(answers.per_task, 1)
    if gold:
        telling[list(gold)] = 1.0
    weight = telling[answers.tasks]
    agreed = summed(answers.people, weight * right[answers.tasks, answers.labels], answers.n_people)
    told = summed(answers.people, weight, answers.n_people)
    pooled = float((agreed.sum() + USUAL_WEIGHT * USUAL_ACCURACY) / (told.sum() + USUAL_WEIGHT))
    accuracy = (agreed + pull.person * pooled) / (told + pull.person)
    counts = answers.by_cell @ (telling[:, None] * right)
    totals = answers.by_person @ counts
    own = np.arange(len(counts)), answers.cell_labels
    its_accuracy = accuracy[answers.cell_people]
    drawn = np.repeat(((1 - its_accuracy) / max(answers.n_labels - 1, 1))[:, None], answers.n_labels, axis=1)
    drawn[own] = its_accuracy
    likely = np.maximum((counts + pull.row * drawn) / (totals[answers.cell_people] + pull.row), TINY)
    return People(likely, totals, accuracy, pooled, counts)


def best_pull(answers: Answers, gold: Gold) -> Pull:
    """Returns the weakest pull that predicts held-out answers no more than two standard errors worse than the best.

    Few answers favour a strong pull although more will follow, hence the weakest and not the best. Answers are held
    out by their position: the same answers in the same order give the same pull, whatever labels and people are called.
    """
    some, known = _some(answers, gold)
    parts = _parts(some)
    best, told_best, kept = ALIKE, np.zeros(0), []
    for pull in PULLS if answers.n_labels <= CONFUSED_AT_MOST else (COINS, ALIKE):
        told = np.concatenate([_told(train, test, known, pull) for train, test in parts])
        kept.append((pull, told))
        if not len(told_best) or told.sum() > told_best.sum():
            best, told_best = pull, told
        elif _behind(told, told_best) > DOUBT:
            break
    return next((pull for pull, told in kept if _behind(told, told_best) <= DOUBT), best)


def _behind(told: Floats, best: Floats) -> float:
    """Returns by how many standard errors it is worse."""
    lost = best - told
    error = float(lost.std()) * np.sqrt(len(lost))
    return float(lost.sum()) / error if error > 0 else 0.0


def _some(answers: Answers, gold: Gold) -> tuple[Answers, Gold]:
    """Returns all answers of evenly spaced tasks, a sample small enough for cross-validation."""
    most = TRIED_AT_MOST * FEW_LABELS // max(answers.n_labels, FEW_LABELS)
    step = -(-len(answers) // most)
    if step <= 1:
        return answers, gold
    kept = answers.only(answers.tasks % step == 0)
    n_tasks = -(-answers.n_tasks // step)
    some = Answers(kept.tasks // step, kept.people, kept.labels, n_tasks, kept.n_people, kept.n_labels)
    return some, {task // step: label for task, label in gold.items() if task % step == 0}


def _parts(answers: Answers) -> list[tuple[Answers, Answers]]:
    """Returns pairs of training and test answers. Neighbours in the order by task fall into different folds."""
    places: Ints = np.empty(len(answers), np.int64)
    places[np.argsort(answers.tasks, kind="stable")] = np.arange(len(answers))
    folds = range(FOLDS if len(answers) <= ALL_FOLDS_UP_TO else 1)
    return [(answers.only(places % FOLDS != fold), answers.only(places % FOLDS == fold)) for fold in folds]


def _told(train: Answers, test: Answers, gold: Gold, pull: Pull) -> Floats:
    """Returns the log-probability of each held-out answer."""
    right, people = estimated(train, gold, pull, TRIAL_ROUNDS, TRIAL_TOLERANCE)
    right = np.where((train.per_task > 0)[:, None], right, prior(train, right))
    likely = _likely_said(train, people, pull, test)
    return np.log(np.maximum((right[test.tasks] * likely).sum(axis=1), 1e-9))


def _likely_said(train: Answers, people: People, pull: Pull, test: Answers) -> Floats:
    """Returns the likelihood of each test answer under each label, also for labels that the person never gave."""
    numbers = train.cell_people * train.n_labels + train.cell_labels
    wanted = test.people * test.n_labels + test.labels
    found = np.minimum(np.searchsorted(numbers, wanted), max(len(numbers) - 1, 0))
    known = numbers[found] == wanted if len(numbers) else np.zeros(len(test), bool)
    totals = people.totals[test.people]
    its_accuracy = people.accuracy[test.people]
    drawn = np.repeat(((1 - its_accuracy) / max(test.n_labels - 1, 1))[:, None], test.n_labels, axis=1)
    drawn[np.arange(len(test)), test.labels] = its_accuracy
    new = pull.row * drawn / (totals + pull.row)
    return np.where(known[:, None], people.likely[found], new) if len(numbers) else new
