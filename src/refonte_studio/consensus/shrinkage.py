"""The default: Dawid and Skene with each person's confusion drawn towards what is known with fewer answers.

A row of a person's confusion matrix is what was counted plus a few answers as a person would give them who is right
equally often whatever the right label is; and that frequency is what was counted plus a few answers as the whole pool
gives them: posterior means under Dirichlet and Beta priors, as in H.-C. Kim, Z. Ghahramani, "Bayesian Classifier
Combination", AISTATS 2012, and, for the hierarchy, S. Paun et al., "Comparing Bayesian Models of Annotation", TACL 6,
2018. How many answers these few are, the data decide: what tells best the answers that were left out of the estimate.
"""

from dataclasses import dataclass

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Gold, Ints, held_to, shares, softmax, summed
from refonte_studio.consensus.judges import USUAL_ACCURACY


@dataclass(frozen=True, slots=True)
class Pull:
    """How many answers weigh as much as what is drawn towards: for a row of a matrix, and for a person's accuracy."""

    row: float
    person: float


ALL = 1e9
ALIKE = Pull(ALL, ALL)  # all people are right equally often: votes
COINS = Pull(ALL, 32.0)  # each person is right equally often whatever the right label is
FREE = Pull(2.0, 4.0)
PULLS = (FREE, Pull(8.0, 16.0), Pull(32.0, 32.0), COINS, ALIKE)

CONFUSED_AT_MOST = 64  # labels; with more, a matrix of them says nothing about a person

ROUNDS = 50
TOLERANCE = 1e-4  # how much the probabilities still move, on average over the tasks
TRIAL_ROUNDS = 15
TRIAL_TOLERANCE = 1e-3
FOLDS = 5
ALL_FOLDS_UP_TO = 5_000  # answers; with more, one fold tells enough
TRIED_AT_MOST = 200_000  # answers, with few labels; else in proportion fewer
FEW_LABELS = 8
USUAL_WEIGHT = 10.0  # answers; so much the usual accuracy weighs in the pool's
DOUBT = 2.0  # standard errors
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class People:
    """What is held of the people: how likely each says what (cells × labels), and how often each is right."""

    likely: Floats
    totals: Floats  # people × labels: how often each was met where that was right
    accuracy: Floats
    pooled: float
    counts: Floats  # cells × labels: how often each was said where that was right


def shrunk_dawid_skene(answers: Answers, gold: Gold) -> tuple[Floats, Pull]:
    """Tasks × labels: the probability of each; and the pull that the answers called for."""
    pull = best_pull(answers, gold)
    right, _ = estimated(answers, gold, pull)
    return right, pull


def estimated(
    answers: Answers, gold: Gold, pull: Pull, rounds: int = ROUNDS, tolerance: float = TOLERANCE
) -> tuple[Floats, People]:
    """What is right and what the people are, from each other in turns, from the shares of the votes."""
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
    """How frequent each label is among the tasks that have answers, and one more task for each."""
    found = right[answers.per_task > 0].sum(axis=0) + 1.0
    return found / found.sum()


def known_people(answers: Answers, right: Floats, gold: Gold, pull: Pull) -> People:
    """What the people are, as far as the tasks' right labels are known.

    An answer tells only as much as the others of its task: of n, one is the person's own, which agrees with itself.
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
    """The freest pull that is not clearly worse than any other at telling answers left out of the estimate.

    Clearly: by more than two standard errors. Fewer answers than there will be speak against freedom, hence the
    freest, not the best. The answers left out are told by their places: the same answers in the same order give the
    same pull, whatever the labels and people are called.
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
    """By how many standard errors it is worse."""
    lost = best - told
    error = float(lost.std()) * np.sqrt(len(lost))
    return float(lost.sum()) / error if error > 0 else 0.0


def _some(answers: Answers, gold: Gold) -> tuple[Answers, Gold]:
    """All answers of evenly spread tasks, so many that they do not take too long."""
    most = TRIED_AT_MOST * FEW_LABELS // max(answers.n_labels, FEW_LABELS)
    step = -(-len(answers) // most)
    if step <= 1:
        return answers, gold
    kept = answers.only(answers.tasks % step == 0)
    n_tasks = -(-answers.n_tasks // step)
    some = Answers(kept.tasks // step, kept.people, kept.labels, n_tasks, kept.n_people, kept.n_labels)
    return some, {task // step: label for task, label in gold.items() if task % step == 0}


def _parts(answers: Answers) -> list[tuple[Answers, Answers]]:
    """What is estimated from, and what is left out. Neighbours in the order by task fall into different folds."""
    places: Ints = np.empty(len(answers), np.int64)
    places[np.argsort(answers.tasks, kind="stable")] = np.arange(len(answers))
    folds = range(FOLDS if len(answers) <= ALL_FOLDS_UP_TO else 1)
    return [(answers.only(places % FOLDS != fold), answers.only(places % FOLDS == fold)) for fold in folds]


def _told(train: Answers, test: Answers, gold: Gold, pull: Pull) -> Floats:
    """The logarithm of the probability that each answer left out was given."""
    right, people = estimated(train, gold, pull, TRIAL_ROUNDS, TRIAL_TOLERANCE)
    right = np.where((train.per_task > 0)[:, None], right, prior(train, right))
    likely = _likely_said(train, people, pull, test)
    return np.log(np.maximum((right[test.tasks] * likely).sum(axis=1), 1e-9))


def _likely_said(train: Answers, people: People, pull: Pull, test: Answers) -> Floats:
    """Test answers × labels: how likely the person would say that; also where the person never said it before."""
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
