"""Computes confusion matrices and disagreement from attempts. This may take about a second."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.analytics.model import ComparedAttempt, Confusion, Pair, Params, RecentAttempts, Votes
from refonte_studio.analytics.policy import figures as figure_policy
from refonte_studio.analytics.policy.figures import PersonAnswer
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import TYPES

COMPARISONS = 200_000  # upper bound on pairs of answers that are compared
DRAWN_COMPARISONS = 4_000  # the same for drawn or typed answers, which take much longer


class _Reader:
    """Extracts votes from responses. What to extract is found once for tasks with the same parameters."""

    def __init__(self) -> None:
        self._last: tuple[str, str] | None = None
        self._params: Params = {}

    def params(self, given: ComparedAttempt) -> Params:
        if self._last != (given.type, given.params):
            self._last, self._params = (given.type, given.params), msgspec.json.decode(given.params)
        return self._params

    def votes(self, given: ComparedAttempt, response: dict[str, Any]) -> Votes:
        """The votes, or none if the response no longer fits what the task asks."""
        try:
            return TYPES[given.type].votes(self.params(given), response)
        except BadInput:
            return {}


def confusion(read: RecentAttempts, question: str | None, apart: Sequence[str]) -> Confusion:
    """Returns the confusion matrix of a question. Raises BadInput for a question that nobody answers."""
    reader = _Reader()
    votes: list[tuple[str, Votes, Votes]] = []
    asked: Counter[str] = Counter()
    for given in read.attempts:
        said = reader.votes(given, msgspec.json.decode(given.response))
        right = reader.votes(given, msgspec.json.decode(given.result or "{}"))
        asked.update(said)
        votes.append((given.teammate_id, right, said))
    if not votes and question is not None:
        return figure_policy.confusion(question, [], apart)
    return figure_policy.confusion(figure_policy.the_question(question, asked), votes, apart)


def disagreement(read: RecentAttempts, at_least: int, limit: int) -> tuple[list[Pair], bool]:
    """Returns the pairs with at least `at_least` common tasks that agree least, and whether any were left out."""
    reader = _Reader()
    by_task: dict[str, list[tuple[ComparedAttempt, PersonAnswer]]] = {}
    for given in read.attempts:
        response = msgspec.json.decode(given.response)
        said = PersonAnswer(given.teammate_id, reader.votes(given, response), response)
        by_task.setdefault(given.task_id, []).append((given, said))
    met = [answers for answers in by_task.values() if len(answers) > 1]
    likeness: dict[int, Params] = {}

    def alike(place: int, one: PersonAnswer, other: PersonAnswer) -> float:
        given = met[place][0][0]
        if place not in likeness:
            likeness.clear()
            likeness[place] = reader.params(given)
        return _likeness(given.type, likeness[place], one.response, other.response)

    quick = all(answers[0][1].votes for answers in met)
    found, truncated = figure_policy.pairs(
        [[said for _, said in answers] for answers in met], alike, COMPARISONS if quick else DRAWN_COMPARISONS
    )
    return figure_policy.worst_first(found, at_least, limit), truncated


def _likeness(type_name: str, params: Params, one: Any, other: Any) -> float:
    """Returns the similarity of two responses; 0 if they do not fit the task's parameters."""
    try:
        return TYPES[type_name].similarity(params, one, other)
    except BadInput:
        return 0.0


def label(text: str) -> msgspec.Raw:
    """Returns a label, which is a JSON text, as raw JSON."""
    return msgspec.Raw(text.encode())


def labels_of(found: Confusion) -> list[str]:
    """Returns every label of the matrix, most frequent first."""
    counts: Counter[str] = Counter()
    for cell in found.cells:
        counts[cell.result] += cell.count
        counts[cell.answer] += cell.count
    ordered: Mapping[str, int] = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return list(ordered)
