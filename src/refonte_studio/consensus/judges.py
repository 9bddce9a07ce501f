"""Who decides one task at once, from what is held of the people who answered it."""

import math
from collections.abc import Mapping, Sequence

import msgspec

from refonte_studio.consensus.model import Decision

USUAL_ACCURACY = 0.75  # of a person of whom nothing is known
USUAL_CORRELATION = 0.5  # over 17 published data sets 0.2 to 1.6 fitted each best, with the middle here
LISTED_AT_MOST = 64  # labels that are each weighed though nobody named them; others are weighed together
SURE = 1e-6  # nobody is held to be right or wrong for certain


class QuestionModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is held of a project's people together, for one question."""

    labels: list[str]
    found: list[float]  # how many tasks have each label, as far as is known
    accuracy: float = USUAL_ACCURACY  # how often the people are right
    pull: float = 2.0  # how many answers weigh as much as `accuracy` in a row of a person's confusion
    correlation: float = USUAL_CORRELATION
    method: str = ""


class PersonModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is held of one person, for one question."""

    accuracy: float
    attempts: int = 0  # what `accuracy` rests on
    confusion: dict[str, dict[str, float]] = {}  # how often what is said (inside) where that is right (outside)


class Informed:
    """Decides with a model of each question, and a model of each person for it where there is one.

    One more attempt that names the decided label never lowers the confidence: no person is held to name a label rather
    where another is right than where it is right itself; who seems to, counts for nothing there. A person without a
    model counts as the pool does, a question without a model as in `Plain`.
    """

    def __init__(self, models: Mapping[str, QuestionModel], people: Sequence[Mapping[str, PersonModel] | None]) -> None:
        """`people` are in the order of the attempts: what is held of who made each, by question."""
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
        """How much better than chance each is, against the pool, on average over the questions; at most 1."""
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
        """How likely the person would say this if each listed label were right, and last if any other were."""
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
    """Decides without knowing anybody: all votes count alike, and people are taken to be as right as is usual."""

    def __init__(self, n: int) -> None:
        """`n` attempts."""
        super().__init__({}, [None] * n)


NOTHING_KNOWN = QuestionModel([], [])


def _listed(model: QuestionModel, named: Sequence[str], new: Sequence[str]) -> list[str]:
    """The labels that are weighed one by one, in their order."""
    if len(model.labels) <= LISTED_AT_MOST:
        return [*model.labels, *new]
    some = set(named)
    return [*(label for label in model.labels if label in some), *new]


def _log_priors(model: QuestionModel, listed: Sequence[str], total: int) -> list[float]:
    """Of each listed label, and last of one of those that are not listed."""
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
    # scores that differ by rounding alone are a tie, which goes to the first
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
