"""Use-cases of assignments of people to projects."""

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
    """Returns the e-mail address of every active teammate, with the sorted names of their projects."""
    found: dict[str, list[str]] = {}
    for email, project in await assignment_store.assignments(tx, caller.team_id, caller.mode):
        names = found.setdefault(email, [])
        if project is not None:
            names.append(project)
    return {email: sorted(names) for email, names in found.items()}


async def assign(
    tx: Tx, caller: Caller, emails: Sequence[str], projects: Sequence[str] | None, now: int
) -> dict[str, list[str]]:
    """Assigns each person to each project. Returns all assignments.

    Raises BadInput for an unknown address or project, or a disabled person; then nothing changes.
    """
    await teams.lock_roster(tx, caller.team_id)  # nobody may be disabled at the same time
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
    """Removes each person from each project and its groups. Returns all assignments.

    None stands for all projects. Raises BadInput for an unknown address or project; then nothing changes.
    """
    ids = [person.id for person in await teams.people(tx, caller.team_id, emails)]
    if projects is None:
        project_ids = await assignment_store.projects_of(tx, caller.team_id, caller.mode, ids)
    else:
        project_ids = await named_projects(tx, caller.team_id, caller.mode, projects)
    gone = await assignment_store.unassign(tx, caller.team_id, ids, project_ids) if project_ids else ()
    if gone:
        people_ids = tuple(sorted({teammate_id for teammate_id, _ in gone}))
        left_ids = tuple(sorted({project_id for _, project_id in gone}))
        await assignment_store.leave_groups(tx, caller.team_id, people_ids, left_ids)
        await tx.tell(Unassigned(caller.team_id, caller.mode, people_ids, left_ids, now))
    return await assignments(tx, caller)


async def named_projects(tx: Tx, team_id: str, mode: Mode, names: Sequence[str]) -> list[str]:
    """Returns the ids of these projects. Raises BadInput naming an unknown one."""
    found = await project_store.ids_by_names(tx, team_id, mode, list(map(name_key, names))) if names else {}
    unknown = [name for name in names if name_key(name) not in found]
    if unknown:
        raise BadInput(f"there is no project {_list(unknown)}")
    return list(found.values())


async def is_assigned(tx: Tx, project_id: str, teammate_ids: Sequence[str]) -> set[str]:
    """Returns those of these people who are assigned to the project."""
    return await assignment_store.assigned(tx, project_id, teammate_ids)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:10]))


async def bar_claims(tx: Tx, team_id: str, teammate_ids: Sequence[str]) -> None:
    """Waits for claims that these people are making just now, and keeps them from making more until the commit.

    A claim locks the person's assignment. One that has waited for the old row finds it gone, and makes nothing of what
    it knew before.
    """
    await assignment_store.rewrite(tx, team_id, teammate_ids)
