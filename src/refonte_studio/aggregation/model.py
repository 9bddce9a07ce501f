"""The result of several responses, and the models of the people who gave them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from refonte_studio.consensus.judges import Informed, PersonModel, Plain, QuestionModel
from refonte_studio.consensus.model import Judge

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one task's attempts: a response (JSON), the probability that it is right, and their agreement.

    Both numbers are between 0 and 1.
    """

    response: str
    confidence: float
    agreement: float


class StoredModels(msgspec.Struct, frozen=True):
    """Models as they are stored (JSON): (question, model) and (question, teammate id, model)."""

    questions: Sequence[tuple[str, str]] = ()
    people: Sequence[tuple[str, str, str]] = ()


def question_family(question: str) -> str:
    """Returns the family of a question: questions about one choice among several share a model."""
    parent = question.rpartition("/")[0]
    return parent if parent == "categories" or "/" in parent else question


class ByFamily(dict[str, V]):
    """Values by question. A question without a value has the value of its family."""

    def get(self, question: str, default: Any = None, /) -> Any:
        found = super().get(question)
        return super().get(question_family(question), default) if found is None else found


@dataclass(frozen=True, slots=True)
class AnnotatorModels:
    """The models of some people and of the questions of a project."""

    questions: Mapping[str, QuestionModel] = field(default_factory=dict)
    people: Mapping[str, Mapping[str, PersonModel]] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Iterable[tuple[str, str]], people: Iterable[tuple[str, str, str]]) -> "AnnotatorModels":
        """Decodes (question, model) and (question, teammate id, model), where a model is JSON."""
        by_person: dict[str, dict[str, PersonModel]] = {}
        for question, teammate_id, model in people:
            held = msgspec.json.decode(model, type=PersonModel)
            by_person.setdefault(teammate_id, ByFamily())[question] = held
        by_question = {
            question: msgspec.json.decode(model, type=QuestionModel) for question, model in questions if question
        }
        return cls(ByFamily(by_question), by_person)

    @classmethod
    def stored(cls, stored: StoredModels) -> "AnnotatorModels":
        """Decodes stored models."""
        return cls.of(stored.questions, stored.people)

    def judge(self, people: Sequence[str]) -> Judge:
        """Returns the judge of a task whose attempts are by these people, in this order."""
        if not self.questions:
            return Plain(len(people))
        return Informed(self.questions, [self.people.get(teammate_id) for teammate_id in people])


NO_MODELS = AnnotatorModels()
