"""Judges: decide one task from the models of the people who answered it."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from refonte_studio.consensus.model import Decision

USUAL_ACCURACY = 0.75  # the assumed accuracy of a person without a model
USUAL_CORRELATION = 0.5  # the median of the best fits to 17 published data sets, which range from 0.2 to 1.6
LISTED_AT_MOST = 64  # up to this many labels are weighed one by one even if unused; of more, unused ones together
SURE = 1e-6  # bounds probabilities away from 0 and 1, because nobody is right or wrong for certain


class QuestionModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """The model of all of a project's people together, for one question."""

    labels: list[str]
    found: list[float]  # the estimated number of tasks with each label
    accuracy: float = USUAL_ACCURACY  # the share of answers that are right
    pull: float = 2.0  # the weight of `accuracy` in a row of a person's confusion matrix, in answers
    correlation: float = USUAL_CORRELATION
    method: str = ""


class PersonModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """The model of one person, for one question."""

    accuracy: float
    attempts: int = 0  # the number of answers that `accuracy` is based on
    confusion: dict[str, dict[str, float]] = {}  # correct label → given label → number of answers


class Informed:
    """Decides with a model of each question and, where there is one, a model of each person for the question.

    One more attempt with the decided label never lowers the confidence: the likelihood of a label is highest where that
    label is right, so an answer of a person who seems to use it more often elsewhere counts for nothing. A person
    without a model counts like the pool; a question without a model is decided as in `Plain`.
    """

    def __init__(self, models: Mapping[str, QuestionModel], people: Sequence[Mapping[str, PersonModel] | None]) -> None:
        """`people` holds, in the order of the attempts, the models of each attempt's labeler by question."""
        self._models = models
        self._people = people

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:
        model = self._models.get(question) or NOTHING_KNOWN
        named = [label for label in said if label is not None]
        new = [label for label in dict.fromkeys(named) if label not in set(model.labels)]
        total = max(choices or 0, len(model.labels) + len(new), 2)
        listed = _listed(model, named, new)
        answers = [
            self._log_likely(model, question, place, label, listed, total)
            for place, label in enumerate(said)
            if label is not None
        ]
        return _decided(answers, listed, _log_priors(model, listed, total), set(named), total, model.correlation)

    def weights(self) -> Sequence[float]:
        """Returns how much each person beats chance, relative to the pool: the mean over questions, at most 1."""
        return [self._weight(models or {}) for models in self._people]

    def _weight(self, person: Mapping[str, PersonModel]) -> float:
        edges = [
            (held.accuracy - 1 / max(len(model.labels), 2)) / max(model.accuracy - 1 / max(len(model.labels), 2), 0.01)
            for question, model in self._models.items()
            if (held := person.get(question)) is not None
        ]
        return sum(min(max(edge, 0.0), 1.0) for edge in edges) / len(edges) if edges else 1.0

    def _log_likely(
        self, model: QuestionModel, question: str, place: int, label: str, listed: Sequence[str], total: int
    ) -> list[float]:
        """Returns the log-likelihood of the person's label if each listed label were right; last, if any other were."""
        models = self._people[place] if place < len(self._people) else None
        person = models.get(question) if models else None
        accuracy = min(max(person.accuracy if person else model.accuracy, SURE), 1 - SURE)
        error = (1 - accuracy) / (total - 1)
        confusion = person.confusion if person else {}
        likely: list[float] = []
        for right in listed:
            row = confusion.get(right)
            alone = accuracy if right == label else error
            if row:
                alone = (row.get(label, 0.0) + model.pull * alone) / (sum(row.values()) + model.pull)
            likely.append(math.log(max(alone, SURE)))
        likely.append(math.log(max(error, SURE)))
        own = listed.index(label)
        likely[own] = max(likely)
        return likely


class Plain(Informed):
    """Decides without models: all votes count alike, and everybody has the usual accuracy."""

    def __init__(self, n: int) -> None:
        """`n` is the number of attempts."""
        super().__init__({}, [None] * n)

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:
        if len(said) == 1 and said[0] is not None:
            return Decision(said[0], confidence_alone(choices or 0))
        return super().decide(question, said, choices)


@lru_cache(maxsize=1_024)
def confidence_alone(choices: int) -> float:
    """The confidence in the only answer, of a person of whom nothing is known: it depends on the number of choices
    alone, not on what the answer says."""
    return Informed({}, [None]).decide("", ["x"], choices).confidence


NOTHING_KNOWN = QuestionModel([], [])


def _listed(model: QuestionModel, named: Sequence[str], new: Sequence[str]) -> list[str]:
    """Returns the labels that are weighed one by one, in their order."""
    if len(model.labels) <= LISTED_AT_MOST:
        return [*model.labels, *new]
    some = set(named)
    return [*(label for label in model.labels if label in some), *new]


def _log_priors(model: QuestionModel, listed: Sequence[str], total: int) -> list[float]:
    """Returns the log-prior of each listed label; last, that of each label that is not listed."""
    found = dict(zip(model.labels, model.found, strict=True))
    everything = sum(model.found) + total
    priors = [(found.get(label, 0.0) + 1.0) / everything for label in listed]
    left = total - len(listed)
    rest = (1.0 - sum(priors)) / left if left else 1.0
    return [*map(math.log, priors), math.log(max(rest, SURE))]


def _decided(
    answers: Sequence[Sequence[float]],
    listed: Sequence[str],
    log_priors: Sequence[float],
    named: set[str],
    total: int,
    correlation: float,
) -> Decision:
    scores = [log_priors[place] + sum(answer[place] for answer in answers) for place in range(len(listed))]
    # scores that differ only by rounding are a tie, which goes to the first label
    best = max(score for label, score in zip(listed, scores, strict=True) if label in named) - 1e-9
    chosen = next(place for place, label in enumerate(listed) if label in named and scores[place] >= best)
    against = 0.0
    for place in range(len(listed) + 1):
        times = 1 if place < len(listed) else total - len(listed)
        if place == chosen or not times:
            continue
        gains = [answer[chosen] - answer[place] for answer in answers]
        pro = sum(gain for gain in gains if gain > 0)
        contra = -sum(gain for gain in gains if gain < 0)
        odds = (math.log1p(correlation * pro) - math.log1p(correlation * contra)) / correlation
        against += times * math.exp(min(log_priors[place] - log_priors[chosen] - odds, 700.0))
    return Decision(listed[chosen], 1.0 / (1.0 + against))
