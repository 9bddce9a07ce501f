"""Use-cases of training and evaluation tasks."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, Conflict, shown
from refonte_studio.kit.ids import digest
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.projects import service as projects
from refonte_studio.quality import policy
from refonte_studio.quality.model import QualityTask, TrainingAttempt
from refonte_studio.quality.service.standings import (
    judge_evaluation,
    may_try_again,
    pause,
)
from refonte_studio.quality.store import quality_tasks as quality_store
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import CheckContext, CheckedResponse, Kind, ReviewStatus, Task, TaskStatus
from refonte_studio.teams import service as teams

DECOYS = 1_000  # upper bound on the evaluation tasks from which a decoy is chosen


async def create_quality_task(
    tx: Tx,
    caller: Caller,
    kind: Kind,
    type_name: str,
    given: Mapping[str, Any],
    now: int,
    ready: tasks.PreparedCreation | None = None,
) -> QualityTask:
    """Creates a training or evaluation task.

    `given` holds the parameters of the task, `expected_response` (required) and `initial_response`; `ready` holds them
    if they were checked before the transaction. Raises what creating a task raises, and BadInput for a response that
    does not fit the task.
    """
    parameters, responses = parted(given)
    task = await tasks.create_task(tx, caller, type_name, parameters, now, kind=kind, ready=ready)
    if ready is None:
        params = msgspec.json.decode(task.params)
        checked = {
            name: _checked(type_name, params, name, response)
            for name, response in responses.items()
            if response is not None
        }
    else:
        checked = ready.responses
    return await _insert(tx, task, checked["expected_response"], checked.get("initial_response"), None)


def parted(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Separates the task's parameters from the responses. Raises BadInput without `expected_response`."""
    parameters = dict(given)
    responses = {name: parameters.pop(name, None) for name in ("expected_response", "initial_response")}
    if responses["expected_response"] is None:
        raise BadInput("expected_response is required")
    return parameters, responses


async def make_of_task(
    tx: Tx, caller: Caller, task_id: str, kind: Kind, expected_response: dict[str, Any] | None, now: int
) -> QualityTask:
    """Copies a completed task into a training or evaluation task.

    The expected response is that of the task, unless another is given. Raises NotFound for an unknown task; BadInput if
    the task is not completed, if nobody has accepted or fixed it, or if the response does not fit it; Conflict if a
    copy of this kind exists.
    """
    source = await tasks.lock(tx, caller.team_id, caller.mode, task_id)
    await _check_source(tx, source)
    present = await quality_store.made_of(tx, source.team_id, source.project_id, source.id, kind)
    if present is not None:
        raise Conflict(f"task {present} was made of task {source.id} as {kind} before")
    expected = source.response or "{}"
    if expected_response is not None:
        expected = _checked(source.type, msgspec.json.decode(source.params), "expected_response", expected_response)
    return await _insert(tx, await tasks.copy_task(tx, source, kind, now), expected, None, source.id)


async def _check_source(tx: Tx, source: Task) -> None:
    if source.kind != "work":
        raise BadInput(f"task {source.id} is made for {source.kind} already")
    if source.status is not TaskStatus.COMPLETED:
        raise BadInput(f"task {source.id} is {source.status}; only a completed task can become a quality task")
    audited = source.review_status in (ReviewStatus.ACCEPTED, ReviewStatus.FIXED)
    if source.review_status == ReviewStatus.REJECTED:
        raise BadInput(f"task {source.id} was rejected by its last audit, so its response is not what is expected")
    if not audited and not await quality_store.is_reviewed(tx, source.team_id, source.id):
        raise BadInput(f"task {source.id} is not audited: accept or fix its response first")


async def _insert(tx: Tx, task: Task, expected: str, initial: str | None, source_id: str | None) -> QualityTask:
    project = await projects.by_id(tx, task.team_id, task.project_id)
    await quality_store.insert_quality_task(
        tx,
        task_id=task.id,
        team_id=task.team_id,
        expected_response=expected,
        initial_response=initial,
        pass_mark=policy.pass_mark(msgspec.json.decode(task.params), project.quality),
        source_task_id=source_id,
    )
    if task.kind == "evaluation":
        await projects.set_evaluates(tx, project)
    return QualityTask(task.id, expected, initial)


def _checked(type_name: str, params: dict[str, Any], name: str, response: object) -> str:
    return tasks.checked_response(tasks.task_type(type_name), params, name, response)


async def to_score(tx: Tx, caller: Caller, asked: CheckContext, project_id: str) -> CheckContext:
    """Adds the expected response, so that the response is scored when it is checked.

    A task for work gets a decoy: the expected response of one of the project's evaluation tasks, always the same one.
    Scoring a large response takes time, which must not reveal the kind of the task.
    """
    expected = await quality_store.expected_of_any(tx, caller.team_id, asked.task_id)
    if expected is not None:
        return msgspec.structs.replace(asked, expected=expected)
    known = await quality_store.evaluations(tx, caller.team_id, project_id, asked.type, DECOYS)
    if not known:
        return asked
    decoy = await quality_store.expected(tx, caller.team_id, known[int(digest(asked.task_id)[:8], 16) % len(known)])
    return msgspec.structs.replace(asked, expected=decoy, is_decoy=True)


async def score_attempt(
    tx: Tx, caller: Caller, task: Task, attempt_id: str, checked: CheckedResponse, now: int
) -> bool:
    """Scores an attempt at a quality task that has just been recorded, and pauses its labeler if that is due.

    Returns whether the labeler must do the task again: a training task that is not passed, with attempts left.
    """
    project = await projects.by_id(tx, task.team_id, task.project_id)
    params = msgspec.json.decode(task.params)
    score = checked.score
    if score is None:
        expected = msgspec.json.decode(await quality_store.expected(tx, task.team_id, task.id))
        score = task_types.TYPES[task.type].score(params, expected, msgspec.json.decode(checked.response))
    passed = score >= policy.pass_mark(params, project.quality)
    await quality_store.insert_attempt(tx, caller, attempt_id, task.id, score, passed)
    if task.kind == "training":
        return not passed and await may_try_again(tx, project, caller.teammate_id, task.id, now)
    await judge_evaluation(tx, project, caller.teammate_id, now)
    return False


async def note_declined(tx: Tx, caller: Caller, project_id: str, task_id: str, now: int) -> None:
    """Pauses a person in a project if the task that they declined is a training task, which real work requires."""
    if await quality_store.is_training(tx, caller.team_id, task_id):
        project = await projects.by_id(tx, caller.team_id, project_id)
        await pause(tx, project, caller.teammate_id, policy.DECLINED, now)


async def attempts(
    tx: Tx,
    caller: Caller,
    task_ids: Sequence[str] | None,
    emails: Sequence[str] | None,
    limit: int,
    token: str | None,
) -> Page[TrainingAttempt]:
    """Returns a page of attempts at these quality tasks by these people, newest first.

    Raises BadInput if neither is given, or for an unknown task or address.
    """
    if task_ids is None and emails is None:
        raise BadInput("quality_task_ids or labeler_emails is required")
    if task_ids is not None:
        known = await quality_store.known_quality_tasks(tx, caller, task_ids)
        unknown = [task_id for task_id in task_ids if task_id not in known]
        if unknown:
            raise BadInput(f"there is no quality task {', '.join(map(shown, unknown[:10]))}")
    people = None if emails is None else [mate.id for mate in await teams.labelers(tx, caller.team_id, emails)]
    rows = await quality_store.attempts(tx, caller, task_ids, people, limit + 1, checked_token(token))
    return page_of(rows, limit, lambda attempt: attempt.id)
