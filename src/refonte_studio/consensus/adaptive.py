"""Asking on while the answer is not clear, and no longer: how many attempts that saves, and what it costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from refonte_studio.consensus.answers import Answers, Flags, Floats, Ints
from refonte_studio.consensus.asking import wants_more
from refonte_studio.consensus.judges import Informed, PersonModel, QuestionModel
from refonte_studio.consensus.labels import DEFAULT, Estimate, estimate

QUESTION = "replay"
FIRST_ESTIMATE = 50  # answers, before which nothing is known of anybody
GROWTH = 1.25  # how much more answers there are at each further estimate


@dataclass(frozen=True, slots=True)
class StoppingRules:
    """The settings of a project: attempts at least and at most, and the confidence from which a task is done."""

    least: int
    most: int
    target: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was asked for (of each answer), and what it gives: estimated a last time from all that was gathered.

    `at_once` is, of each task, the label that was decided when its last attempt came; -1 where none came.
    """

    asked: Flags
    at_once: Ints
    final: Estimate

    @property
    def share(self) -> float:
        return float(self.asked.mean())


def replay(answers: Answers, order: Ints, rules: StoppingRules, method: str = DEFAULT) -> Replayed:
    """Answers arrive in this order, as if nobody were known at the start; those of a task that is done are not asked.

    From time to time people are estimated from what has been gathered, as in the background of the server.
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
    """The tasks that are still open, and what is known by now."""

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
        """Takes the answer, unless its task is done, and looks whether the task is done now."""
        task = int(self.answers.tasks[place])
        if self.done[task]:
            return
        self.asked[place] = True
        self.gathered += 1
        self.attempts[task].append(place)
        self._look(task)

    def learn(self, estimated: Estimate) -> None:
        """Holds of the people what was estimated, and looks at the open tasks anew."""
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
        # whom nothing is known of is no better known than a stranger
        models: list[Mapping[str, PersonModel] | None] = [
            {QUESTION: person} if person.attempts else None for person in known
        ]
        return Informed({QUESTION: self.model}, models)


def replays(
    answers: Answers, rules: StoppingRules, orders: int, seed: int, scored: Callable[[Replayed], Floats]
) -> Floats:
    """Orders × scores: what `scored` gives for each of several random orders of arrival."""
    draw = np.random.default_rng(seed)
    return np.array([scored(replay(answers, draw.permutation(len(answers)), rules)) for _ in range(orders)])
