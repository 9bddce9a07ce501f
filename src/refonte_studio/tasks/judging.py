"""What is known of people's answers in a project, for judging their attempts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from refonte_studio.consensus.judges import Informed, PersonModel, Plain, QuestionModel
from refonte_studio.consensus.model import Judge
from refonte_studio.db import Tx
from refonte_studio.tasks import policy, store_estimates
from refonte_studio.tasks.model import Stored


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some people's answers to the questions of a project."""

    questions: Mapping[str, QuestionModel] = field(default_factory=dict)
    people: Mapping[str, Mapping[str, PersonModel]] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Iterable[tuple[str, str]], people: Iterable[tuple[str, str, str]]) -> "Known":
        """From stored models: of questions, and of questions and people."""
        by_person: dict[str, dict[str, PersonModel]] = {}
        for question, teammate_id, model in people:
            held = msgspec.json.decode(model, type=PersonModel)
            by_person.setdefault(teammate_id, policy.Families())[question] = held
        by_question = {
            question: msgspec.json.decode(model, type=QuestionModel) for question, model in questions if question
        }
        return cls(policy.Families(by_question), by_person)

    @classmethod
    def stored(cls, stored: Stored) -> "Known":
        """From what `stored` has read."""
        return cls.of(stored.questions, stored.people)

    def judge(self, people: Sequence[str]) -> Judge:
        """The judge of a task's attempts, made by these people."""
        if not self.questions:
            return Plain(len(people))
        return Informed(self.questions, [self.people.get(teammate_id) for teammate_id in people])


NOTHING = Known()


async def known(tx: Tx, team_id: str, project_id: str, people: Collection[str]) -> Known:
    """What is known of these people's answers in a project."""
    found = await stored_of(tx, team_id, project_id, people)
    return Known.stored(found) if found.questions else NOTHING


async def stored_of(tx: Tx, team_id: str, project_id: str, people: Collection[str]) -> Stored:
    """The same as it is stored, for another process to make a judge of."""
    questions = await store_estimates.question_models(tx, team_id, project_id)
    if not questions:
        return Stored()
    return Stored(questions, await store_estimates.models_of(tx, team_id, project_id, sorted(people)))
