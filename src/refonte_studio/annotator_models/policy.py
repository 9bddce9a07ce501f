"""Fits the annotator models of a project from all its attempts, and computes the results that follow from them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from refonte_studio import task_types
from refonte_studio.aggregation.model import Result, question_family
from refonte_studio.annotator_models.model import (
    ConfidentTasks,
    FitCompleted,
    FitJob,
    FitOutput,
    FittedLabeler,
    FittedLabelers,
    FittedQuestion,
    FittedQuestions,
    FittedResult,
    FittedResults,
    StoredAttempt,
    StoredTask,
)
from refonte_studio.consensus.agreement import alpha, alpha_by_distance
from refonte_studio.consensus.answers import Answers
from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.labels import Estimate, estimate
from refonte_studio.consensus.model import Decision, Judge

FAMILY_LIMIT = 3_000_000  # answers to the questions of one family; with more, no model is fitted
SAMPLE = 2_000  # pairs of responses that are compared to compute alpha for responses without labels
STEP = 200  # upper bound on the rows written at once
STEP_CHARACTERS = 1_000_000  # upper bound on their total length
CHANGE = 0.001  # smaller changes of confidence are not written


@dataclass(frozen=True, slots=True)
class ProjectAttempts:
    """The input of a fit: attempts in the order of their claims, and their tasks."""

    seen: str
    tasks: Sequence[StoredTask]
    attempts: Sequence[StoredAttempt]


@dataclass(frozen=True, slots=True)
class DecodedTask:
    """A task and its attempts, decoded."""

    task: StoredTask
    params: dict[str, Any]
    people: Sequence[str]
    responses: Sequence[dict[str, Any]]
    texts: Sequence[str]  # the responses as JSON
    votes: Sequence[Mapping[str, str]]


@dataclass
class QuestionAnswers:
    """The answers to the questions of one family, numbered as the consensus methods need them."""

    items: dict[tuple[str, str], int] = field(default_factory=dict)  # (task id, question) → number
    people: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    rows: tuple[list[int], list[int], list[int]] = field(default_factory=lambda: ([], [], []))
    gold: dict[int, int] = field(default_factory=dict)

    def add(self, task_id: str, question: str, person: str, label: str) -> None:
        """Adds one answer."""
        items, people, labels = self.rows
        items.append(self.items.setdefault((task_id, question), len(self.items)))
        people.append(self.people.setdefault(person, len(self.people)))
        labels.append(self.labels.setdefault(label, len(self.labels)))

    @cached_property
    def answers(self) -> Answers:
        """Returns all answers; no answer may be added afterwards."""
        return Answers.of(*self.rows, len(self.items), len(self.people), len(self.labels))

    def learn(self, task_id: str, question: str, label: str) -> None:
        """Records that this label is the correct one."""
        item = self.items.get((task_id, question))
        if item is not None:
            self.gold[item] = self.labels.setdefault(label, len(self.labels))


def findings(job: FitJob, given: ProjectAttempts) -> Iterator[FitOutput]:
    """Fits a project's models and yields what to store: models of questions and people, and changed results."""
    answered = _read(given)
    families = _answers_by_family(answered)
    estimates = {
        name: estimate(job.method, family.answers, list(family.labels), family.gold)
        for name, family in families.items()
    }
    yield FittedQuestions([*_questions(job, families, estimates, answered)])
    for step in _steps(_people(families, estimates), lambda person: len(person.model)):
        yield FittedLabelers(step)
    clear: list[str] = []
    for step in _steps(_results(job, families, estimates, answered, clear), lambda result: len(result.response or "")):
        yield FittedResults(step)
    for step in _steps(iter(clear), len):
        yield ConfidentTasks(step)
    yield FitCompleted(given.seen, len(given.attempts))


def _read(given: ProjectAttempts) -> list[DecodedTask]:
    """Decodes the tasks with their attempts, which stay in the order of their claims."""
    attempts: dict[str, list[StoredAttempt]] = {task.id: [] for task in given.tasks}
    for attempt in given.attempts:
        if attempt.task_id in attempts:
            attempts[attempt.task_id].append(attempt)
    return [_answered(task, attempts[task.id]) for task in given.tasks]


def _answered(task: StoredTask, attempts: Sequence[StoredAttempt]) -> DecodedTask:
    params = _decode(task.params)
    read = task_types.TYPES[task.type].reader(params)
    texts = [attempt.response for attempt in attempts]
    responses = [_decode(text) for text in texts]
    people = [attempt.teammate_id for attempt in attempts]
    return DecodedTask(task, params, people, responses, texts, [read(response) for response in responses])


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def _answers_by_family(answered: Sequence[DecodedTask]) -> dict[str, QuestionAnswers]:
    """Returns the answers by family of questions, without families of more than `FAMILY_LIMIT` answers."""
    families: dict[str, QuestionAnswers] = {}
    for each in answered:
        for person, votes in zip(each.people, each.votes, strict=True):
            for question, label in votes.items():
                families.setdefault(question_family(question), QuestionAnswers()).add(
                    each.task.id, question, person, label
                )
    kept = {name: family for name, family in families.items() if len(family.rows[0]) <= FAMILY_LIMIT}
    for each in answered:
        for question, label in _known(each).items():
            if (family := kept.get(question_family(question))) is not None:
                family.learn(each.task.id, question, label)
    return kept


def _known(each: DecodedTask) -> Mapping[str, str]:
    """Returns the known correct labels of the task, by question."""
    known = each.task.expected or (each.task.response if each.task.decided else None)
    return {} if known is None else task_types.TYPES[each.task.type].votes(each.params, _decode(known))


def _questions(
    job: FitJob,
    families: Mapping[str, QuestionAnswers],
    estimates: Mapping[str, Estimate],
    answered: Sequence[DecodedTask],
) -> Iterator[FittedQuestion]:
    """Yields the model of each family of questions and, as question "", of each task type as a whole."""
    type_of = {
        question_family(question): each.task.type for each in answered for votes in each.votes for question in votes
    }
    alphas: dict[str, float | None] = {}
    for name, family in families.items():
        model = msgspec.json.encode(estimates[name].model).decode()
        counts = len(family.items), len(family.answers)
        alphas[name] = alpha(family.answers)
        yield FittedQuestion(name, type_of[name], job.method, *counts, alphas[name], model)
    by_type: dict[str, list[DecodedTask]] = {}
    for each in answered:
        by_type.setdefault(each.task.type, []).append(each)
    for type_name, those in by_type.items():
        attempts = sum(len(each.responses) for each in those)
        asked = {name for name, of in type_of.items() if of == type_name}
        one_label = len(asked) == 1 and asked <= task_types.WHOLE_QUESTIONS
        whole = alphas.get(next(iter(asked))) if one_label else _alpha_of_all(type_name, those)
        yield FittedQuestion("", type_name, job.method, len(those), attempts, whole, "{}")


def _alpha_of_all(type_name: str, answered: Sequence[DecodedTask]) -> float | None:
    """Returns Krippendorff's alpha of whole responses; the distance of two is 1 minus their similarity."""
    similarity = task_types.TYPES[type_name].similarity
    given = [(number, each.params, response) for number, each in enumerate(answered) for response in each.responses]

    def distance(one: int, other: int) -> float:
        return 1 - similarity(given[one][1], given[one][2], given[other][2])

    return alpha_by_distance([number for number, _, _ in given], distance, seed=0, most=SAMPLE)


def _people(families: Mapping[str, QuestionAnswers], estimates: Mapping[str, Estimate]) -> Iterator[FittedLabeler]:
    for name, family in families.items():
        for teammate_id, model in zip(family.people, estimates[name].people, strict=True):
            text = msgspec.json.encode(model).decode()
            yield FittedLabeler(name, teammate_id, model.attempts, model.accuracy, text)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A judge that returns the decisions of the fit for one task, and asks another judge about anything else."""

    task_id: str
    families: Mapping[str, QuestionAnswers]
    decisions: Mapping[str, Sequence[Decision]]
    otherwise: Judge

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:
        name = question_family(question)
        family = self.families.get(name)
        item = family.items.get((self.task_id, question)) if family is not None else None
        if item is None:
            return self.otherwise.decide(question, said, choices)
        return self.decisions[name][item]

    def weights(self) -> Sequence[float]:
        return self.otherwise.weights()


def _results(
    job: FitJob,
    families: Mapping[str, QuestionAnswers],
    estimates: Mapping[str, Estimate],
    answered: Sequence[DecodedTask],
    clear: list[str],
) -> Iterator[FittedResult]:
    """Yields the results that have changed, and adds to `clear` the pending tasks that reach the target."""
    if not families:
        return
    decisions = {name: _decisions(family, estimates[name]) for name, family in families.items()}
    for each in answered:
        task = each.task
        if task.expected is not None or task.settled or not any(each.votes):
            continue
        judge = _Settled(task.id, families, decisions, Plain(len(each.people)))
        result = _result(each, judge)
        if task.status == "pending":
            if job.target is not None and result.confidence >= job.target:
                clear.append(task.id)
        elif result.response != task.response or abs(result.confidence - (task.confidence or 0.0)) > CHANGE:
            news = result.response if result.response != task.response else None
            yield FittedResult(task.id, news, result.confidence, result.agreement, len(each.people))


def _decisions(family: QuestionAnswers, found: Estimate) -> list[Decision]:
    names = list(family.labels)
    sure = zip(found.labels.tolist(), found.confidence.tolist(), strict=True)
    return [Decision(names[label], confidence) for label, confidence in sure]


def _result(each: DecodedTask, judge: Judge) -> Result:
    """Returns the result of a task. If it has a single question, the response is that of one of its attempts."""
    first = each.votes[0]
    if len(first) == 1 and first.keys() <= task_types.WHOLE_QUESTIONS:
        [question] = first
        said = [votes[question] for votes in each.votes]
        decision = judge.decide(question, said, None)
        return Result(each.texts[said.index(decision.label)], decision.confidence, task_types.pair_agreement(said))
    outcome = task_types.TYPES[each.task.type].consensus(each.params, each.responses, judge)
    return Result(msgspec.json.encode(outcome.response).decode(), outcome.confidence, outcome.agreement)


T = TypeVar("T")


def _steps(found: Iterator[T], characters: Callable[[T], int]) -> Iterator[list[T]]:
    """Groups items into lists that are small enough to be written in one transaction."""
    step: list[T] = []
    size = 0
    for each in found:
        step.append(each)
        size += characters(each)
        if len(step) >= STEP or size >= STEP_CHARACTERS:
            yield step
            step, size = [], 0
    if step:
        yield step
