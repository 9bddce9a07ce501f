"""Use-cases of pauses, during which a person may not claim in a project."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.pages import Page, checked_token_of_two, page_of, token_of_two
from refonte_studio.projects.model import Pause, Paused, PauseLifted, Project
from refonte_studio.projects.store import pauses as pause_store


async def pause(tx: Tx, project: Project, teammate_ids: Sequence[str], reason: str, now: int) -> Sequence[str]:
    """Pauses these people in the project. Returns those who were not paused before.

    They may finish what they have claimed. People who are already paused keep the earlier reason.
    """
    paused = await pause_store.pause(tx, project.team_id, project.id, teammate_ids, reason, now)
    if paused:
        await tx.tell(Paused(project.team_id, project.mode, tuple(sorted(paused)), project.id, now))
    return paused


async def lift_pauses(tx: Tx, project: Project, teammate_ids: Sequence[str], now: int) -> Sequence[str]:
    """Ends the pauses of these people. Returns those who were paused. Their training and evaluation start again."""
    lifted = await pause_store.lift(tx, project.team_id, project.id, teammate_ids, now)
    if lifted:
        await tx.tell(PauseLifted(project.team_id, project.mode, tuple(sorted(lifted)), project.id, now))
    return lifted


async def assignments_page(
    tx: Tx,
    caller: Caller,
    project_id: str | None,
    teammate_ids: Sequence[str] | None,
    limit: int,
    token: str | None,
    *,
    paused: bool = False,
) -> Page[Pause]:
    """Returns a page of the assignments of active people, by person: all, or only paused ones."""
    after = checked_token_of_two(token)
    rows = await pause_store.page(
        tx, caller.team_id, caller.mode, project_id, teammate_ids, after, limit + 1, paused=paused
    )
    return page_of(rows, limit, lambda pause: token_of_two(pause.teammate_id, pause.project_id))


async def pauses_of(tx: Tx, project: Project, teammate_ids: Sequence[str]) -> list[Pause]:
    """Returns the pauses of these people in the project, in the order of the people."""
    pairs = [(teammate_id, project.id) for teammate_id in teammate_ids]
    found = await pause_store.assignments(tx, project.team_id, pairs)
    return [found[pair] for pair in dict.fromkeys(pairs) if pair in found and found[pair].paused_at is not None]


async def assignments_of(tx: Tx, team_id: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Pause]:
    """Returns assignments by person and project, with their pauses; former assignments are not included."""
    return await pause_store.assignments(tx, team_id, pairs)
