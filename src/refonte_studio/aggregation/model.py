"""What several responses give together, and the models of the people who gave them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from refonte_studio.consensus.judges import Informed, PersonModel, Plain, QuestionModel
from refonte_studio.consensus.model import Judge

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Result:
    """What attempts give: a response (JSON), the probability that it is right, and how much they agree; 0 to 1."""

    response: str
    confidence: float
    agreement: float


class StoredModels(msgspec.Struct, frozen=True):
    """What is known of some people's answers, as it is stored: models of questions, and of questions and people."""

    questions: Sequence[tuple[str, str]] = ()
    people: Sequence[tuple[str, str, str]] = ()


def question_family(question: str) -> str:
    """The family of a question: questions about one choice among several are modelled together."""
    parent = question.rpartition("/")[0]
    return parent if parent == "categories" or "/" in parent else question


class ByFamily(dict[str, V]):
    """Values by question. A question without a value of its own has that of its family."""

    def get(self, question: str, default: Any = None, /) -> Any:
        found = super().get(question)
        return super().get(question_family(question), default) if found is None else found


@dataclass(frozen=True, slots=True)
class AnnotatorModels:
    """What is known of some people's answers to the questions of a project."""

    questions: Mapping[str, QuestionModel] = field(default_factory=dict)
    people: Mapping[str, Mapping[str, PersonModel]] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Iterable[tuple[str, str]], people: Iterable[tuple[str, str, str]]) -> "AnnotatorModels":
        """From stored models: of questions, and of questions and people."""
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
        """From what `stored` has read."""
        return cls.of(stored.questions, stored.people)

    def judge(self, people: Sequence[str]) -> Judge:
        """The judge of a task's attempts, made by these people."""
        if not self.questions:
            return Plain(len(people))
        return Informed(self.questions, [self.people.get(teammate_id) for teammate_id in people])


NO_MODELS = AnnotatorModels()
