"""Use-cases of people's standing: courses, feedback, accuracy, pauses."""

from collections.abc import Sequence
from dataclasses import replace

from refonte_studio.callbacks import service as callbacks
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Role
from refonte_studio.kit.errors import BadInput, NotFound, shown
from refonte_studio.kit.pages import Page
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import Pause, Project
from refonte_studio.quality import policy
from refonte_studio.quality.model import Course, Feedback, Standing, Tally
from refonte_studio.quality.store import standings as standing_store
from refonte_studio.teams import service as teams
from refonte_studio.teams.model import TeammateState

COURSES_LIMIT = 1_000
CHIEFS = (Role.ADMIN, Role.MANAGER)


async def feedback(tx: Tx, caller: Caller, claim_id: str) -> Feedback:
    """Returns the feedback on the person's attempt at a training task.

    Raises NotFound with the same text for every claim without feedback: on a task for work or an evaluation task, of
    another person, or in a project that gives no feedback.
    """
    found = await standing_store.training_attempt(tx, caller, claim_id)
    settings = (await projects.by_id(tx, caller.team_id, found.project_id)).quality if found is not None else None
    if found is None or settings is None or not settings.training_feedback:
        raise NotFound(f"there is no feedback on claim {shown(claim_id)}")
    tries = await standing_store.training_tries(tx, caller.team_id, caller.teammate_id, found.task_id)
    return replace(found, attempts_left=0 if found.passed else max(0, settings.training_attempts - tries))


async def courses(tx: Tx, caller: Caller) -> list[Course]:
    """Returns the person's own courses, in the projects that have training for them."""
    return await standing_store.courses(tx, caller, COURSES_LIMIT)


async def accuracy(
    tx: Tx, caller: Caller, project: str | None, emails: Sequence[str] | None, limit: int, token: str | None
) -> Page[Standing]:
    """Returns a page of people's standings in the projects that they are assigned to, in the order of people.

    Raises NotFound for an unknown project, BadInput for an unknown address.
    """
    project_id = await _filter(tx, caller, project)
    people = None if emails is None else [mate.id for mate in await teams.people(tx, caller.team_id, emails)]
    page = await projects.assignments_page(tx, caller, project_id, people, limit, token)
    pairs = [(each.teammate_id, each.project_id) for each in page.docs]
    tallies = await standing_store.tallies(tx, caller.team_id, pairs) if pairs else {}
    trained = await standing_store.trained(tx, caller.team_id, pairs) if pairs else {}
    docs = [
        Standing(
            email=each.email,
            tally=tallies.get(pair, Tally()),
            course=Course(each.project, *trained.get(pair, (0, 0)), paused=each.paused_at is not None),
            paused_at=each.paused_at,
            pause_reason=each.reason,
        )
        for pair, each in zip(pairs, page.docs, strict=True)
    ]
    return Page(docs, page.limit, page.next_token)


async def _filter(tx: Tx, caller: Caller, project: str | None) -> str | None:
    return None if project is None else (await projects.find(tx, caller.team_id, caller.mode, project)).id


async def pauses(tx: Tx, caller: Caller, project: str | None, limit: int, token: str | None) -> Page[Pause]:
    """Returns a page of pauses, in the order of people. Raises NotFound for an unknown project."""
    return await projects.assignments_page(
        tx, caller, await _filter(tx, caller, project), None, limit, token, paused=True
    )


async def add_pauses(
    tx: Tx, caller: Caller, project: str, emails: Sequence[str], reason: str | None, now: int
) -> list[Pause]:
    """Pauses these people in the project and returns their pauses; existing pauses do not change.

    Raises BadInput and changes nothing for an unknown project or person, or a person who is not assigned.
    """
    found, ids = await _named(tx, caller, project, emails)
    await projects.pause(tx, found, ids, policy.checked_reason(reason, caller.email), now)
    return await projects.pauses_of(tx, found, ids)


async def lift_pauses(tx: Tx, caller: Caller, project: str, emails: Sequence[str], now: int) -> list[Pause]:
    """Lifts the pauses of these people in the project and returns those that remain, which are none.

    Raises BadInput and changes nothing for an unknown project or person, or a person who is not assigned.
    """
    found, ids = await _named(tx, caller, project, emails)
    await projects.lift_pauses(tx, found, ids, now)
    return await projects.pauses_of(tx, found, ids)


async def _named(tx: Tx, caller: Caller, project: str, emails: Sequence[str]) -> tuple[Project, list[str]]:
    if not emails:
        raise BadInput("emails must not be an empty list")
    found = await projects.find_in_body(tx, caller.team_id, caller.mode, project)
    return found, [person.id for person in await projects.assigned_people(tx, found, emails)]


async def pause(tx: Tx, project: Project, teammate_id: str, reason: str, now: int) -> None:
    """Pauses a person by the project's rules and notifies every admin and manager, once."""
    if not await projects.pause(tx, project, [teammate_id], reason, now):
        return
    chiefs = [
        mate.email
        for mate in await teams.team_members(tx, project.team_id)
        if mate.state is TeammateState.ACTIVE and mate.role in CHIEFS
    ]
    await callbacks.tell_paused(tx, project.team_id, project.mode, project.id, teammate_id, chiefs, now)


async def judge_evaluation(tx: Tx, project: Project, teammate_id: str, now: int) -> None:
    """Pauses a person who has just done an evaluation task, if their accuracy is below the project's limit."""
    if project.quality.pause_below is None:
        return
    pair = (teammate_id, project.id)
    tally = (await standing_store.tallies(tx, project.team_id, [pair])).get(pair, Tally())
    reason = policy.why_to_pause(project.quality, tally)
    if reason is not None:
        await pause(tx, project, teammate_id, reason, now)


async def may_try_again(tx: Tx, project: Project, teammate_id: str, task_id: str, now: int) -> bool:
    """Returns whether the person has attempts left at a training task; if not, pauses them."""
    allowed = project.quality.training_attempts
    if await standing_store.training_tries(tx, project.team_id, teammate_id, task_id) < allowed:
        return True
    await pause(tx, project, teammate_id, policy.why_training_ends(allowed), now)
    return False
