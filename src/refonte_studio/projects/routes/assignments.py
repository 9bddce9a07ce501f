"""The operations of assignments and groups."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.projects import service
from refonte_studio.projects.model import Group, Project
from refonte_studio.web import Call, Operations, Params

operations = Operations("Studio Teams")

_ASSIGNMENTS = {"ana@example.com": [], "ben@example.com": ["Dog photographs", "Street signs"]}
_GROUP = {
    "id": "6553f1a0c8e25b7d91f0a3c5",
    "name": "Night shift",
    "numWorkers": 1,
    "isSingleton": False,
    "workers": [{"id": "6553f1a0c8e25b7d91f0a3c6", "email": "ben@example.com"}],
}


class AssignmentParams(Params):
    ALIASES: ClassVar[Mapping[str, str]] = {"email": "emails"}

    emails: list[str]
    projects: list[str] | None = None


class CreateGroup(Params):
    ALIASES: ClassVar[Mapping[str, str]] = {"email": "emails"}

    name: str
    emails: list[str] | None = None


class UpdateGroup(Params):
    add_emails: list[str] | None = None
    remove_emails: list[str] | None = None


class WorkerOut(msgspec.Struct):
    id: str
    email: str


class GroupOut(msgspec.Struct):
    id: str
    name: str
    numWorkers: int
    isSingleton: bool
    workers: list[WorkerOut]

    @classmethod
    def of(cls, group: Group) -> "GroupOut":
        workers = [WorkerOut(teammate_id, email) for teammate_id, email in group.workers]
        return cls(group.id, group.name, len(workers), group.singleton, workers)


@operations.add(
    "GET",
    "/v1/studio/assignments",
    may=Permission.READ,
    answer=dict[str, list[str]],
    example={},
    example_answer=_ASSIGNMENTS,
)
async def list_assignments(call: Call, _params: Params) -> dict[str, list[str]]:
    """List every active teammate's projects, by e-mail address.

    Invited and disabled teammates are not included.
    """
    return await call.db.read(service.assignments, call.caller)


@operations.add(
    "POST",
    "/v1/studio/assignments/add",
    may=Permission.MANAGE,
    params=AssignmentParams,
    answer=dict[str, list[str]],
    example={"emails": ["ben@example.com"], "projects": ["Dog photographs"]},
    example_answer=_ASSIGNMENTS,
)
async def add_assignments(call: Call, params: AssignmentParams) -> dict[str, list[str]]:
    """Assign teammates to projects.

    Assigns each person to each project; without `projects`, nothing changes. Invited people can be assigned, and appear
    here once they accept. An unknown address or project, or a disabled teammate, is rejected, and nothing changes.
    """
    return await call.db.write(service.assign, call.caller, params.emails, params.projects, call.now)


@operations.add(
    "POST",
    "/v1/studio/assignments/remove",
    may=Permission.MANAGE,
    params=AssignmentParams,
    answer=dict[str, list[str]],
    example={"emails": ["ben@example.com"], "projects": ["Street signs"]},
    example_answer={"ana@example.com": [], "ben@example.com": ["Dog photographs"]},
)
async def remove_assignments(call: Call, params: AssignmentParams) -> dict[str, list[str]]:
    """Unassign teammates from projects.

    Without `projects`, from all of them; an empty list changes nothing. They also leave the groups of those projects,
    and their claims return to the queue.
    """
    return await call.db.write(service.unassign, call.caller, params.emails, params.projects, call.now)


async def _find_project(tx: Tx, caller: Caller, path: Mapping[str, str]) -> Project:
    """The project in the path. A `name` among the parameters is that of a group. Raises NotFound."""
    return await service.find(tx, caller.team_id, caller.mode, path["project"])


async def located_group(tx: Tx, caller: Caller, path: Mapping[str, str]) -> Group:
    """Returns the group in the path."""
    return await service.find_group(tx, await _find_project(tx, caller, path), path["group"])


async def _groups(tx: Tx, caller: Caller, path: Mapping[str, str]) -> list[Group]:
    return await service.groups(tx, await _find_project(tx, caller, path))


@operations.add(
    "GET",
    "/v1/studio/projects/{project}/groups",
    may=Permission.READ,
    answer=list[GroupOut],
    locate=_find_project,
    example={},
    example_answer=[_GROUP],
)
async def list_groups(call: Call, _params: Params) -> list[GroupOut]:
    """List the groups of labelers in a project.

    A group with `isSingleton: true` represents one teammate; its name is their e-mail address.
    """
    return [GroupOut.of(group) for group in await call.db.read(_groups, call.caller, call.path)]


async def _create(tx: Tx, caller: Caller, path: Mapping[str, str], params: CreateGroup, now: int) -> Group:
    return await service.create_group(tx, await _find_project(tx, caller, path), params.name, params.emails or [], now)


@operations.add(
    "POST",
    "/v1/studio/projects/{project}/groups",
    may=Permission.MANAGE,
    params=CreateGroup,
    answer=GroupOut,
    errors=(409,),
    locate=_find_project,
    example={"name": "Night shift", "emails": ["ben@example.com"]},
    example_answer=_GROUP,
    ignores=("force",),
)
async def create_group(call: Call, params: CreateGroup) -> GroupOut:
    """Create a group of labelers in a project.

    Every member must be assigned to the project. The name must be unique in the project, and must not be an e-mail
    address.
    """
    return GroupOut.of(await call.db.write(_create, call.caller, call.path, params, call.now))


async def _update(tx: Tx, caller: Caller, path: Mapping[str, str], params: UpdateGroup) -> Group:
    project = await _find_project(tx, caller, path)
    return await service.update_group(tx, project, path["group"], params.add_emails or [], params.remove_emails or [])


@operations.add(
    ("POST", "PUT"),
    "/v1/studio/projects/{project}/groups/{group}",
    may=Permission.MANAGE,
    params=UpdateGroup,
    answer=GroupOut,
    locate=located_group,
    example={"add_emails": ["ben@example.com"], "remove_emails": ["dee@example.com"]},
    example_answer=_GROUP,
)
async def update_group(call: Call, params: UpdateGroup) -> GroupOut:
    """Add members to a group of labelers, and remove others.

    Added people must be assigned to the project. Removed people may finish what they have claimed.
    """
    return GroupOut.of(await call.db.write(_update, call.caller, call.path, params))
