"""Computes the results of tasks from their attempts, as far as that is cheap enough to do at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import AnnotatorModels, Result
from refonte_studio.aggregation.service import INLINE_CHARACTERS, INLINE_STEPS
from refonte_studio.db import Tx
from refonte_studio.tasks.model import Attempt, Task

UNCOUNTED_STEPS = 1_000  # a consensus with at most this many steps does not count towards the total
TOGETHER_STEPS = 10 * INLINE_STEPS  # upper bound on the total steps of one call


@dataclass(frozen=True, slots=True)
class DecodedAttempts:
    """A task and its attempts, decoded."""

    task: Task
    people: Sequence[str]
    params: dict[str, Any]
    responses: Sequence[dict[str, Any]]

    @classmethod
    def of(cls, task: Task, attempts: Sequence[Attempt]) -> "DecodedAttempts":
        """Decodes a task and its attempts."""
        responses = [msgspec.json.decode(attempt.response) for attempt in attempts]
        return cls(task, [attempt.teammate_id for attempt in attempts], msgspec.json.decode(task.params), responses)

    def result(self, known: AnnotatorModels) -> Result:
        """Computes the result of the attempts with the models of their labelers."""
        return aggregation.aggregate(self.task.type, self.params, self.responses, known.judge(self.people))


async def results(
    tx: Tx, tasks: Sequence[Task], attempts: Mapping[str, Sequence[Attempt]]
) -> tuple[dict[str, Result], list[Task]]:
    """Computes the results of these tasks of one project, by task id; also returns the tasks whose result is too costly
    to compute now."""
    reads, costly = _affordable(tasks, attempts)
    if not reads:
        return {}, costly
    people = {person for read in reads for person in read.people}
    known = await aggregation.annotator_models(tx, tasks[0].team_id, tasks[0].project_id, people)
    return {read.task.id: read.result(known) for read in reads}, costly


def _affordable(
    tasks: Sequence[Task], attempts: Mapping[str, Sequence[Attempt]]
) -> tuple[list[DecodedAttempts], list[Task]]:
    """Returns the tasks whose consensus is cheap, decoded, and the other tasks."""
    cheap: list[DecodedAttempts] = []
    costly: list[Task] = []
    total = 0
    for task in tasks:
        made = attempts[task.id]
        read, steps = None, 0
        if sum(len(attempt.response) for attempt in made) <= INLINE_CHARACTERS:
            read = DecodedAttempts.of(task, made)
            steps = aggregation.cost(task.type, read.params, read.responses)
        if steps > UNCOUNTED_STEPS:
            total += steps
        if read is None or steps > INLINE_STEPS or (steps > UNCOUNTED_STEPS and total > TOGETHER_STEPS):
            costly.append(task)
        else:
            cheap.append(read)
    return cheap, costly
