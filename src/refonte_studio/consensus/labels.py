"""Estimates labels from the answers of many people, by a named method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Gold, Ints
from refonte_studio.consensus.calibration import fitted_correlation, weighed
from refonte_studio.consensus.dawid_skene import dawid_skene, one_coin
from refonte_studio.consensus.glad import glad
from refonte_studio.consensus.judges import PersonModel, QuestionModel
from refonte_studio.consensus.mace import mace
from refonte_studio.consensus.many_labels import vote_over_pairs
from refonte_studio.consensus.model import DEFAULT_METHOD, METHODS
from refonte_studio.consensus.shrinkage import (
    ALIKE,
    COINS,
    CONFUSED_AT_MOST,
    FREE,
    People,
    Pull,
    estimated,
    known_people,
    prior,
    shrunk_dawid_skene,
)
from refonte_studio.consensus.votes import majority, weighted

DEFAULT = DEFAULT_METHOD
VOTES = {"majority": (majority, ALIKE), "weighted": (weighted, COINS)}
FITS: dict[str, tuple[Callable[[Answers, Gold], Floats], Pull]] = {
    "one_coin": (one_coin, COINS),
    "dawid_skene": (dawid_skene, FREE),
    "glad": (glad, COINS),
    "mace": (mace, COINS),
}

CELLS = 30_000_000  # upper bound on the numbers in an array; beyond it, answers are counted as votes
SELDOM = 0.05  # confusions with a smaller count are not stored


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimate from all the answers to a question.

    For each task: the index of its label in `labels` (-1 if nobody answered and no label is known), its `confidence`,
    and the method's `probabilities` of all labels (None if they do not fit into memory). `model` is the model of the
    question and `people` the models of each person by index, as `Informed` takes them.
    """

    labels: Ints
    confidence: Floats
    probabilities: Floats | None
    model: QuestionModel
    people: list[PersonModel]


def estimate(
    method: str, answers: Answers, names: Sequence[str] | None = None, gold: Mapping[int, int] | None = None
) -> Estimate:
    """Estimates the labels of all tasks by one of `METHODS`; raises ValueError for any other method.

    `names` are the texts of the labels; `gold` are the known labels, from which accuracies and confidence are learned
    too. A tie goes to the label that comes first; only labels that somebody gave are returned. Renaming labels and
    reordering people does not change the result.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method!r}; there are {', '.join(METHODS)}")
    names = [str(number) for number in range(answers.n_labels)] if names is None else list(names)
    gold = gold or {}
    if (answers.n_tasks + answers.n_people + len(answers.cell_people)) * answers.n_labels > CELLS:
        labels, confidence, accuracy = vote_over_pairs(answers, gold)
        nothing = np.empty((0, 0))
        people = People(nothing, nothing, np.full(answers.n_people, accuracy), accuracy, nothing)
        found = np.bincount(labels[labels >= 0], minlength=answers.n_labels).astype(np.float64)
        model = _question(method, names, found, people, ALIKE, None)
        return Estimate(labels, confidence, None, model, _people(answers, people, ALIKE, names))
    probabilities, right, people, pull = _fitted(method, answers, gold)
    return _estimate(method, answers, names, gold, probabilities, right, people, pull)


def _fitted(method: str, answers: Answers, gold: Gold) -> tuple[Floats, Floats, People, Pull]:
    """Returns the method's probabilities, those of the correct labels, the people's models, and the pull."""
    if method in VOTES:
        vote, pull = VOTES[method]
        right, people = estimated(answers, gold, pull)
        return vote(answers, gold), right, people, pull
    if method == DEFAULT:
        right, pull = shrunk_dawid_skene(answers, gold)
    else:
        fit, pull = FITS[method]
        right = fit(answers, gold)
        pull = pull if answers.n_labels <= CONFUSED_AT_MOST else COINS
    return right, right, known_people(answers, right, gold, pull), pull


def _estimate(
    method: str,
    answers: Answers,
    names: Sequence[str],
    gold: Gold,
    probabilities: Floats,
    right: Floats,
    people: People,
    pull: Pull,
) -> Estimate:
    labels = _decided(answers, probabilities)
    log_prior = np.log(prior(answers, right))
    evidence = weighed(answers, people.likely, log_prior, labels)
    correlation = None
    known = np.array([task for task in gold if answers.per_task[task]], np.int64)
    if len(known):
        unheld = answers.by_task[known] @ np.log(people.likely) + log_prior
        guessed = labels.copy()
        guessed[known] = np.where(answers.votes[known] > 0, unheld, -np.inf).argmax(axis=1)
        told = weighed(answers, people.likely, log_prior, guessed)
        correlation = fitted_correlation(told, np.array([gold[int(task)] for task in known]), known)
    model = _question(method, names, right[answers.per_task > 0].sum(axis=0), people, pull, correlation)
    confidence = np.where(labels >= 0, evidence.confidence(model.correlation), 0.0)
    for task, label in gold.items():
        labels[task], confidence[task] = label, 1.0
    return Estimate(labels, confidence, probabilities, model, _people(answers, people, pull, names))


def _decided(answers: Answers, probabilities: Floats) -> Ints:
    """Returns the most likely label that somebody gave; probabilities that differ only by rounding are a tie."""
    named = np.where(answers.votes > 0, probabilities, -1.0)
    labels = (named >= named.max(axis=1, keepdims=True) - 1e-9).argmax(axis=1).astype(np.int64)
    return np.where(answers.per_task > 0, labels, -1)


def _question(
    method: str, names: Sequence[str], found: Floats, people: People, pull: Pull, correlation: float | None
) -> QuestionModel:
    counts = [round(float(count), 3) for count in found]
    model = QuestionModel(list(names), counts, people.pooled, pull.row, method=method)
    return model if correlation is None else QuestionModel(*_fields(model), correlation, method)


def _fields(model: QuestionModel) -> tuple[list[str], list[float], float, float]:
    return model.labels, model.found, model.accuracy, model.pull


def _people(answers: Answers, people: People, pull: Pull, names: Sequence[str]) -> list[PersonModel]:
    confusions: list[dict[str, dict[str, float]]] = [{} for _ in range(answers.n_people)]
    if pull.row < ALIKE.row:
        for cell, label in zip(*np.nonzero(people.counts >= SELDOM), strict=True):
            person, said = int(answers.cell_people[cell]), names[int(answers.cell_labels[cell])]
            confusions[person].setdefault(names[int(label)], {})[said] = round(float(people.counts[cell, label]), 3)
    return [
        PersonModel(float(accuracy), int(attempts), confusion)
        for accuracy, attempts, confusion in zip(people.accuracy, answers.per_person, confusions, strict=True)
    ]
