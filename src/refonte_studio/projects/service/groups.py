"""Use-cases of the groups of labelers in a project."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Mode
from refonte_studio.kit.errors import BadInput, Conflict, NotFound, shown
from refonte_studio.kit.ids import new_id, new_ids
from refonte_studio.kit.names import address_key, checked_name, looks_like_address, name_key
from refonte_studio.projects.model import Group, Project
from refonte_studio.projects.store import assignments as assignment_store
from refonte_studio.teams import service as teams
from refonte_studio.teams.model import Teammate


async def groups(tx: Tx, project: Project) -> list[Group]:
    """Returns all groups of the project, including those of one person, in the order of creation."""
    return await assignment_store.groups_of_project(tx, project.team_id, project.id)


async def create_group(tx: Tx, project: Project, name: str, emails: Sequence[str], now: int) -> Group:
    """Creates a group of people assigned to the project. Raises Conflict if the name is taken."""
    name = checked_name("group", name)
    if looks_like_address(name):
        raise BadInput(
            f"a group cannot be named {shown(name)}: an e-mail address stands for that teammate alone, "
            "and is given to a batch without creating a group"
        )
    members = await assigned_people(tx, project, emails)
    group_id = new_id(now)
    if not await assignment_store.insert_group(tx, project.team_id, project.id, group_id, name, now):
        raise Conflict(f"project {shown(project.name)} has a group {shown(name)} already")
    await assignment_store.add_members(tx, project.team_id, group_id, [person.id for person in members])
    return (await groups_by_ids(tx, project.team_id, [group_id]))[group_id]


async def find_group(tx: Tx, project: Project, name: str) -> Group:
    """Returns the project's group with this name. Raises NotFound."""
    key = group_key(name)
    group = (await assignment_store.groups_by_names(tx, project.team_id, project.id, [key])).get(key)
    if group is None:
        raise NotFound(f"project {shown(project.name)} has no group {shown(name)}")
    return group


async def update_group(tx: Tx, project: Project, name: str, add: Sequence[str], remove: Sequence[str]) -> Group:
    """Adds and removes members of a group. Raises BadInput naming people who are not assigned; then nothing changes."""
    group = await find_group(tx, project, name)
    added = await assigned_people(tx, project, add)
    removed = await teams.people(tx, project.team_id, remove) if remove else []
    both = {person.id for person in added} & {person.id for person in removed}
    if both:
        emails = [person.email for person in added if person.id in both]
        raise BadInput(f"{_list(emails)} cannot be both added and removed")
    if group.singleton:
        _check_singleton(group, added, removed)
    await assignment_store.remove_members(tx, project.team_id, group.id, [person.id for person in removed])
    await assignment_store.add_members(tx, project.team_id, group.id, [person.id for person in added])
    return (await groups_by_ids(tx, project.team_id, [group.id]))[group.id]


def _check_singleton(group: Group, added: Sequence[Teammate], removed: Sequence[Teammate]) -> None:
    others = [person.email for person in added if person.email != group.name]
    if others or any(person.email == group.name for person in removed):
        raise BadInput(f"the group {shown(group.name)} stands for that teammate alone; its members cannot be changed")


async def assigned_people(tx: Tx, project: Project, emails: Sequence[str]) -> list[Teammate]:
    """Returns these teammates, who stay assigned until the transaction ends. Raises BadInput naming unassigned
    people."""
    people = await teams.people(tx, project.team_id, emails) if emails else []
    assigned = await assignment_store.hold_assigned(tx, project.team_id, project.id, [person.id for person in people])
    strangers = [person.email for person in people if person.id not in assigned]
    if strangers:
        raise BadInput(f"{_list(strangers)} is not assigned to project {shown(project.name)}")
    return people


async def groups_for_batch(tx: Tx, project: Project, names: Sequence[str], now: int) -> list[Group]:
    """Returns the project's distinct groups with these names, in order. An e-mail address stands for that person's
    group.

    Creates the group of a person if needed. Raises BadInput for an unknown group or an unassigned person.
    """
    addresses = [name for name in names if looks_like_address(name)]
    people = await assigned_people(tx, project, addresses)
    await _ensure_singletons(tx, project, people, now)
    wanted = dict.fromkeys(map(group_key, names))
    found = await assignment_store.groups_by_names(tx, project.team_id, project.id, list(wanted))
    unknown = [name for name in names if group_key(name) not in found]
    if unknown:
        raise BadInput(f"project {shown(project.name)} has no group {_list(unknown)}")
    return [found[name] for name in wanted]


async def _ensure_singletons(tx: Tx, project: Project, people: Sequence[Teammate], now: int) -> None:
    if not people:
        return
    await tx.lock(f"singletons:{project.id}")
    emails = [person.email for person in people]
    present = await assignment_store.groups_by_names(tx, project.team_id, project.id, emails)
    missing = [email for email in emails if email not in present]
    named = list(zip(new_ids(now, len(missing)), missing, strict=True))
    await assignment_store.insert_singletons(tx, project.team_id, project.id, named, now)
    await assignment_store.fill_singletons(tx, project.team_id, [person.id for person in people], [project.id])


async def group_ids_named(tx: Tx, team_id: str, mode: Mode, name: str, project_id: str | None) -> list[str]:
    """Returns the ids of the groups with this name, in one project or in all projects of this mode; may be empty."""
    return await assignment_store.group_ids_named(tx, team_id, mode, group_key(name), project_id)


async def groups_by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, Group]:
    """Returns groups with their members, by id."""
    return await assignment_store.groups_by_ids(tx, team_id, ids)


async def group_names(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Returns the names of groups, by id."""
    return await assignment_store.group_names(tx, team_id, ids)


def group_key(name: str) -> str:
    """Returns the stored form of a group's name: the form of an address, if it represents one person."""
    return address_key(name) if looks_like_address(name) else name_key(name)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:10]))
