"""Use-cases of training and evaluation tasks."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.quality import policy, store
from refonte_studio.quality.model import PASS_MARK, QualityTask, TrainingAttempt
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks import types
from refonte_studio.teams import service as teams

Kind = Literal["training", "evaluation"]


async def create_quality_task(
    tx: Tx, caller: Caller, kind: Kind, type_name: str, given: Mapping[str, Any], now: int
) -> QualityTask:
    """A task whose answer is known: `given` are a task's parameters, `expected_response` (required) and
    `initial_response`. Raises what creating a task raises, and BadInput for a response that does not fit it."""
    parameters = dict(given)
    responses = {name: parameters.pop(name, None) for name in ("expected_response", "initial_response")}
    if responses["expected_response"] is None:
        raise BadInput("expected_response is required")
    task = await tasks.create_task(tx, caller, type_name, parameters, now, kind=kind)
    params = msgspec.json.decode(task.params)
    for name, response in responses.items():
        if response is not None:
            responses[name] = _checked(type_name, params, name, response)
    await store.insert_quality_task(
        tx, task_id=task.id, team_id=caller.team_id, pass_mark=_pass_mark(params), **responses
    )
    return QualityTask(task.id, str(responses["expected_response"]), responses["initial_response"])


def _checked(type_name: str, params: dict[str, Any], name: str, response: object) -> str:
    try:
        checked = types.TYPES[type_name].check_response(params, response)
    except BadInput as error:
        raise BadInput(f"{name} does not fit the task: {error.message}") from error
    return msgspec.json.encode(checked).decode()


def _pass_mark(params: Mapping[str, Any]) -> float:
    """The project's own pass mark, which reaches the task with its other parameters, or 0.8."""
    mark = params.get("pass_mark", PASS_MARK)
    if isinstance(mark, bool) or not isinstance(mark, int | float) or not 0 <= mark <= 1:
        raise BadInput(f"pass_mark must be a number from 0 to 1, not {shown(mark)}")
    return float(mark)


async def score_attempt(tx: Tx, caller: Caller, task_id: str, attempt_id: str, response: dict[str, Any]) -> None:
    """Scores an attempt of a quality task that has just been recorded."""
    row = await store.expected(tx, caller.team_id, task_id)
    score = policy.score(msgspec.json.decode(row["expected_response"]), response)
    await store.insert_attempt(tx, caller, attempt_id, task_id, score, score >= row["pass_mark"])


async def attempts(
    tx: Tx,
    caller: Caller,
    task_ids: Sequence[str] | None,
    emails: Sequence[str] | None,
    limit: int,
    token: str | None,
) -> Page[TrainingAttempt]:
    """Attempts of these quality tasks by these people (at least one of the two is given), the newest first."""
    if task_ids is None and emails is None:
        raise BadInput("quality_task_ids or labeler_emails is required")
    if task_ids is not None:
        known = await store.known_quality_tasks(tx, caller, task_ids)
        unknown = [task_id for task_id in task_ids if task_id not in known]
        if unknown:
            raise BadInput(f"there is no quality task {', '.join(map(shown, unknown[:10]))}")
    people = None if emails is None else [mate.id for mate in await teams.labelers(tx, caller.team_id, emails)]
    rows = await store.attempts(tx, caller, task_ids, people, limit + 1, checked_token(token))
    return page_of(rows, limit, lambda attempt: attempt.id)
