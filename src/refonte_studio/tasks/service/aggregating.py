"""What the attempts of tasks give, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import AnnotatorModels, Result
from refonte_studio.aggregation.service import INLINE_CHARACTERS, INLINE_STEPS
from refonte_studio.db import Tx
from refonte_studio.tasks.model import Attempt, Task

UNCOUNTED_STEPS = 1_000  # as little as this is not added up
TOGETHER_STEPS = 10 * INLINE_STEPS  # of what is made in one go


@dataclass(frozen=True, slots=True)
class DecodedAttempts:
    """A task and its attempts, decoded."""

    task: Task
    people: Sequence[str]
    params: dict[str, Any]
    responses: Sequence[dict[str, Any]]

    @classmethod
    def of(cls, task: Task, attempts: Sequence[Attempt]) -> "DecodedAttempts":
        """From what is stored."""
        responses = [msgspec.json.decode(attempt.response) for attempt in attempts]
        return cls(task, [attempt.teammate_id for attempt in attempts], msgspec.json.decode(task.params), responses)

    def result(self, known: AnnotatorModels) -> Result:
        """What the attempts give, by what is known of the people."""
        return aggregation.aggregate(self.task.type, self.params, self.responses, known.judge(self.people))


async def results(
    tx: Tx, tasks: Sequence[Task], attempts: Mapping[str, Sequence[Attempt]]
) -> tuple[dict[str, Result], list[Task]]:
    """What each of these tasks of one project is given by its attempts, by what is known of the people; and those
    tasks whose result costs too much to be made now."""
    reads, costly = _affordable(tasks, attempts)
    if not reads:
        return {}, costly
    people = {person for read in reads for person in read.people}
    known = await aggregation.annotator_models(tx, tasks[0].team_id, tasks[0].project_id, people)
    return {read.task.id: read.result(known) for read in reads}, costly


def _affordable(
    tasks: Sequence[Task], attempts: Mapping[str, Sequence[Attempt]]
) -> tuple[list[DecodedAttempts], list[Task]]:
    """Those tasks whose consensus is cheap, and the others."""
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
