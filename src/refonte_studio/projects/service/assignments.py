"""Use-cases of who works on which project. Part of the room's service."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import name_key
from refonte_studio.projects.model import Unassigned
from refonte_studio.projects.store import assignments as assignment_store
from refonte_studio.projects.store import projects as project_store
from refonte_studio.teams import service as teams
from refonte_studio.teams.model import TeammateState


async def assignments(tx: Tx, caller: Caller) -> dict[str, list[str]]:
    """The e-mail of every active teammate, and the names of the projects they are assigned to, sorted."""
    found: dict[str, list[str]] = {}
    for row in await assignment_store.assignments(tx, caller.team_id, caller.mode):
        names = found.setdefault(row["email"], [])
        if row["project"] is not None:
            names.append(row["project"])
    return {email: sorted(names) for email, names in found.items()}


async def assign(
    tx: Tx, caller: Caller, emails: Sequence[str], projects: Sequence[str] | None, now: int
) -> dict[str, list[str]]:
    """Assigns each of these people to each of these projects; answers all assignments.

    Raises BadInput, changing nothing, for an unknown address or project, and for somebody who is disabled.
    """
    await teams.lock_roster(tx, caller.team_id)  # who is being disabled must not be assigned beside it
    people = await teams.people(tx, caller.team_id, emails)
    disabled = [person.email for person in people if person.state is TeammateState.DISABLED]
    if disabled:
        raise BadInput(f"{_list(disabled)} is disabled; give them a role before a project")
    project_ids = await named_projects(tx, caller.team_id, caller.mode, projects or [])
    if project_ids:
        ids = [person.id for person in people]
        await assignment_store.assign(tx, caller.team_id, ids, project_ids, now)
        await assignment_store.fill_singletons(tx, caller.team_id, ids, project_ids)
    return await assignments(tx, caller)


async def unassign(
    tx: Tx, caller: Caller, emails: Sequence[str], projects: Sequence[str] | None, now: int
) -> dict[str, list[str]]:
    """Takes each of these people from each of these projects, and from their groups; answers all assignments.

    None stands for all projects. Raises BadInput, changing nothing, for an unknown address or project.
    """
    ids = [person.id for person in await teams.people(tx, caller.team_id, emails)]
    if projects is None:
        project_ids = await assignment_store.projects_of(tx, caller.team_id, caller.mode, ids)
    else:
        project_ids = await named_projects(tx, caller.team_id, caller.mode, projects)
    gone = await assignment_store.unassign(tx, caller.team_id, ids, project_ids) if project_ids else ()
    if gone:
        people_ids = tuple(sorted({row["teammate_id"] for row in gone}))
        left_ids = tuple(sorted({row["project_id"] for row in gone}))
        await assignment_store.leave_groups(tx, caller.team_id, people_ids, left_ids)
        await tx.tell(Unassigned(caller.team_id, caller.mode, people_ids, left_ids, now))
    return await assignments(tx, caller)


async def named_projects(tx: Tx, team_id: str, mode: Mode, names: Sequence[str]) -> list[str]:
    """The ids of these projects. Raises BadInput naming an unknown one."""
    found = await project_store.ids_by_names(tx, team_id, mode, list(map(name_key, names))) if names else {}
    unknown = [name for name in names if name_key(name) not in found]
    if unknown:
        raise BadInput(f"there is no project {_list(unknown)}")
    return list(found.values())


async def is_assigned(tx: Tx, project_id: str, teammate_ids: Sequence[str]) -> set[str]:
    """Which of these people are assigned to the project."""
    return await assignment_store.assigned(tx, project_id, teammate_ids)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:10]))


async def bar_claims(tx: Tx, team_id: str, teammate_ids: Sequence[str]) -> None:
    """Waits for claims that these people are making just now, and keeps them from making more until the commit.

    A claim locks the person's assignment. One that has waited for the old row finds it gone, and makes nothing of what
    it knew before.
    """
    await assignment_store.rewrite(tx, team_id, teammate_ids)
