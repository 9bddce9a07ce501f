"""Use-cases of annotator models: which project to fit, the input of the fit, and what it writes.

`fitting_process` runs the fit in a separate process and calls these use-cases in small steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from refonte_studio.aggregation import service as aggregation
from refonte_studio.annotator_models import store as annotator_store
from refonte_studio.annotator_models.model import (
    FitJob,
    FittedLabeler,
    FittedQuestion,
    FittedResult,
    StoredAttempt,
    StoredTask,
)
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import QualityChanged, settings_of
from refonte_studio.tasks import service as tasks
from refonte_studio.tasks.model import TasksChanged
from refonte_studio.tasks.service.completion import decide_next_step
from refonte_studio.teams import service as teams

PAUSE_MS = 30_000  # between two fits of a project; plus a millisecond for each attempt
LOST_MS = 900_000  # after which a fit that has not finished counts as lost
ATTEMPTS_LIMIT = 1_000_000  # a fit reads at most this many attempts, the newest


async def take_next_fit(tx: Tx, now: int) -> FitJob | None:
    """Starts the fit of the project that is due; returns None if there is none."""
    project = await annotator_store.due(tx, now, PAUSE_MS, LOST_MS)
    if project is None or not await annotator_store.take(tx, project.team_id, project.project_id, now, LOST_MS):
        return None
    settings = settings_of(project.quality)
    target = settings.target_confidence if project.pipeline == "consensus_task" else None
    return FitJob(project.team_id, project.mode, project.project_id, settings.consensus_method, target, now)


async def seen_now(tx: Tx, job: FitJob) -> str:
    """Returns the id of the claim before which all attempts are recorded, so that the next read misses none."""
    first = await annotator_store.first_held(tx, job.team_id, job.project_id)
    last = await annotator_store.newest(tx, job.team_id, job.project_id)
    return last if first is None else min(first, last)


async def attempts_page(tx: Tx, job: FitJob, before: str | None, limit: int) -> list[StoredAttempt]:
    """Returns a page of the project's attempts that count, newest first."""
    return await annotator_store.attempts_before(tx, job.team_id, job.project_id, before, limit)


async def tasks_page(tx: Tx, job: FitJob, task_ids: Sequence[str]) -> list[StoredTask]:
    """Returns these tasks."""
    return await annotator_store.tasks(tx, job.team_id, task_ids)


async def keep_questions(tx: Tx, job: FitJob, found: Sequence[FittedQuestion]) -> None:
    """Replaces the models of the project's questions."""
    await annotator_store.clear_models(tx, job.team_id, job.project_id, [each.question for each in found])
    rows = [(job.team_id, job.project_id, *msgspec.structs.astuple(each)) for each in found]
    await annotator_store.insert_project_models(tx, rows)


async def keep_people(tx: Tx, job: FitJob, found: Sequence[FittedLabeler]) -> None:
    """Replaces the models of some people."""
    rows = [(job.team_id, job.project_id, *msgspec.structs.astuple(each)) for each in found]
    await annotator_store.replace_people(tx, job.team_id, job.project_id, rows)


async def keep_results(tx: Tx, job: FitJob, found: Sequence[FittedResult], now: int) -> int:
    """Writes new results of tasks, except those that a person has decided about.

    Returns the number of tasks whose response has changed; their callbacks are sent.
    """
    rows = [msgspec.structs.astuple(each) for each in found]
    changed = await annotator_store.set_results(tx, job.team_id, rows, now)
    if changed:
        urls = {task.id: task.callback_url for task in changed if task.callback_url is not None}
        await tx.tell(TasksChanged(job.team_id, job.mode, tuple(task.id for task in changed), urls, now))
    return len(changed)


async def complete_confident(tx: Tx, job: FitJob, task_id: str, now: int) -> None:
    """Completes a task that waits for more attempts, if it reaches the target confidence and nobody holds it."""
    found = await tasks.lock_pending(tx, job.team_id, job.mode, task_id)
    if found is None:
        return
    task, slots = found
    enough = slots.attempts >= slots.rules.least and not slots.reviewing and not slots.judging
    if slots.rules.adaptive and enough and slots.open == slots.wanted - slots.attempts:
        await decide_next_step(tx, task, slots, now, asked=False)


async def postpone_fit(tx: Tx, job: FitJob, now: int, pause_ms: int) -> None:
    """Schedules the retry of a fit that failed, after a pause."""
    await annotator_store.put_off(tx, job.team_id, job.project_id, job.began, now - LOST_MS + pause_ms)


async def finish_fit(tx: Tx, job: FitJob, seen: str, attempts: int, now: int) -> None:
    """Records that the project's models are fitted from this many attempts."""
    await annotator_store.done(tx, job.team_id, job.project_id, seen, attempts, job.began, now)


async def on_quality_changed(tx: Tx, event: QualityChanged) -> None:
    """Requests a new fit when the consensus method changes."""
    if event.before.quality.consensus_method != event.after.quality.consensus_method:
        await aggregation.request_refit(tx, event.after.team_id, event.after.id, event.now)


async def ask_for_estimates(tx: Tx, caller: Caller, project_name: str, now: int) -> None:
    """Requests a new fit of a project's models. Raises NotFound."""
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    await aggregation.request_refit(tx, project.team_id, project.id, now)


@dataclass(frozen=True, slots=True)
class Estimates:
    """The models of a project's questions, and the state of the fit."""

    method: str
    attempts: int  # the number of attempts of the last fit
    done_at: int | None
    waiting: bool  # whether a new fit is requested
    running: bool  # whether a fit is in progress
    questions: list[FittedQuestion]


async def estimates(tx: Tx, caller: Caller, project_name: str) -> Estimates:
    """Returns the models of a project's questions and the state of the fit. Raises NotFound."""
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    state = await annotator_store.state(tx, project.team_id, project.id)
    questions = await annotator_store.project_models(tx, project.team_id, project.id)
    return Estimates(
        project.quality.consensus_method,
        state.attempts if state else 0,
        state.done_at if state else None,
        state is not None and state.asked_at is not None,
        state is not None and state.taken_at is not None,
        questions,
    )


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """The models of one person in a project, one for each question."""

    id: str
    email: str
    questions: list[FittedLabeler]


async def known_people(tx: Tx, caller: Caller, project_name: str, limit: int, token: str | None) -> Page[KnownPerson]:
    """Returns a page of people and their models in a project. Raises NotFound, and BadInput for a bad token."""
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    ids = await annotator_store.people_known(tx, project.team_id, project.id, checked_token(token), limit + 1)
    emails = await teams.emails_of(tx, project.team_id, ids)
    found: dict[str, list[FittedLabeler]] = {id_: [] for id_ in ids}
    for each in await annotator_store.people_models(tx, project.team_id, project.id, ids):
        found[each.teammate_id].append(each)
    people = [KnownPerson(id_, emails[id_], questions) for id_, questions in found.items()]
    return page_of(people, limit, lambda person: person.id)
