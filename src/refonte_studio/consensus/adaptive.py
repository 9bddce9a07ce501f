"""Simulates adaptive stopping: how many attempts are saved by stopping when the answer is clear, and at what cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from refonte_studio.consensus.answers import Answers, Flags, Floats, Ints
from refonte_studio.consensus.asking import wants_more
from refonte_studio.consensus.judges import Informed, PersonModel, QuestionModel
from refonte_studio.consensus.labels import DEFAULT, Estimate, estimate

QUESTION = "replay"
FIRST_ESTIMATE = 50  # number of answers at which people are first estimated
GROWTH = 1.25  # the next estimate follows when the number of answers has grown by this factor


@dataclass(frozen=True, slots=True)
class StoppingRules:
    """A project's settings: the least and the most attempts per task, and the confidence at which a task is done."""

    least: int
    most: int
    target: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a replay.

    `asked` says for each answer whether it was requested. `at_once` holds for each task the label that was decided
    when its last attempt arrived, or -1 if it has no attempt. `final` is the estimate from all requested answers.
    """

    asked: Flags
    at_once: Ints
    final: Estimate

    @property
    def share(self) -> float:
        """The share of the answers that were requested."""
        return float(self.asked.mean())


def replay(answers: Answers, order: Ints, rules: StoppingRules, method: str = DEFAULT) -> Replayed:
    """Replays the answers in this order, starting without models; skips the answers of tasks that are done.

    The models of people are estimated at intervals from the answers so far, as the server does in the background.
    """
    desk = _Desk(answers, rules)
    due = FIRST_ESTIMATE
    for place in map(int, order):
        desk.take(place)
        if desk.gathered >= due:
            desk.learn(estimate(method, answers.only(desk.asked)))
            due = int(desk.gathered * GROWTH) + 1
    return Replayed(desk.asked, desk.decided, estimate(method, answers.only(desk.asked)))


@dataclass
class _Desk:
    """The state of a replay: which tasks are open, and the current models."""

    answers: Answers
    rules: StoppingRules
    model: QuestionModel | None = None
    people: Sequence[PersonModel] = ()
    gathered: int = 0

    asked: Flags = field(init=False)
    decided: Ints = field(init=False)
    done: Flags = field(init=False)
    attempts: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.asked = np.zeros(len(self.answers), bool)
        self.decided = np.full(self.answers.n_tasks, -1, np.int64)
        self.done = np.zeros(self.answers.n_tasks, bool)
        self.attempts = [[] for _ in range(self.answers.n_tasks)]
        self.names = [str(label) for label in range(self.answers.n_labels)]

    def take(self, place: int) -> None:
        """Records the answer unless its task is done, then decides the task again."""
        task = int(self.answers.tasks[place])
        if self.done[task]:
            return
        self.asked[place] = True
        self.gathered += 1
        self.attempts[task].append(place)
        self._look(task)

    def learn(self, estimated: Estimate) -> None:
        """Replaces the models with the estimated ones and decides the open tasks again."""
        self.model, self.people = estimated.model, estimated.people
        for task in np.flatnonzero(~self.done & (self.decided >= 0)):
            self._look(int(task))

    def _look(self, task: int) -> None:
        places = self.attempts[task]
        said = [self.names[int(self.answers.labels[place])] for place in places]
        decision = self._judge(places).decide(QUESTION, said, self.answers.n_labels)
        self.decided[task] = int(decision.label)
        rules = self.rules
        self.done[task] = not wants_more(decision.confidence, len(places), rules.least, rules.most, rules.target)

    def _judge(self, places: Sequence[int]) -> Informed:
        if self.model is None:
            return Informed({}, [None] * len(places))
        known = [self.people[int(self.answers.people[place])] for place in places]
        # the model of a person without answers says no more than the pool's
        models: list[Mapping[str, PersonModel] | None] = [
            {QUESTION: person} if person.attempts else None for person in known
        ]
        return Informed({QUESTION: self.model}, models)


def replays(
    answers: Answers, rules: StoppingRules, orders: int, seed: int, scored: Callable[[Replayed], Floats]
) -> Floats:
    """Returns `scored` of the replay in each of `orders` random orders of arrival: an array orders × scores."""
    draw = np.random.default_rng(seed)
    return np.array([scored(replay(answers, draw.permutation(len(answers)), rules)) for _ in range(orders)])
