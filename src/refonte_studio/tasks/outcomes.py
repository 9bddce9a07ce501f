"""What the attempts of tasks give, and what comes of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.model import Judge
from refonte_studio.db import Tx
from refonte_studio.tasks import judging, policy
from refonte_studio.tasks.model import Attempt, Result, Task


async def results(tx: Tx, tasks: Sequence[Task], attempts: Mapping[str, Sequence[Attempt]]) -> dict[str, Result]:
    """What each of these tasks of one project is given by its attempts, by what is known of the people."""
    people = {attempt.teammate_id for task in tasks for attempt in attempts[task.id]}
    known = await judging.known(tx, tasks[0].team_id, tasks[0].project_id, people)
    return {task.id: _result(task, attempts[task.id], known) for task in tasks}


def _result(task: Task, attempts: Sequence[Attempt], known: judging.Known) -> Result:
    judge = known.judge([attempt.teammate_id for attempt in attempts])
    responses = [msgspec.json.decode(attempt.response) for attempt in attempts]
    return judged(task.type, msgspec.json.decode(task.params), responses, judge)


def judged(type_name: str, params: dict[str, Any], responses: Sequence[dict[str, Any]], judge: Judge) -> Result:
    """What attempts give together, by this judge of them."""
    outcome = policy.task_type(type_name).consensus(params, responses, judge)
    return Result(policy.as_json("response", outcome.response), outcome.confidence, outcome.agreement)


def alone(type_name: str, params: dict[str, Any], response: dict[str, Any], text: str) -> Result:
    """What the only attempt gives, of whose maker nothing is known: its response (`text` is its JSON), as it is."""
    outcome = policy.task_type(type_name).consensus(params, [response], Plain(1))
    return Result(text, outcome.confidence, outcome.agreement)
