"""The operations of projects, and of those who work on them."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.projects import service
from refonte_studio.projects.model import EXAMPLE, Project, ProjectOut, Template
from refonte_studio.projects.routes.assignments import operations as studio_operations
from refonte_studio.web import Call, Operations, Params

operations = Operations("Projects")


class TemplateOut(msgspec.Struct):
    id: str
    version: int
    created_at: str
    updated_at: str
    template_variables: dict[str, Any]
    response_schema: dict[str, Any] | UnsetType = UNSET

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        return cls(
            id=template.project.id,
            version=template.project.version,
            created_at=iso(template.project.created_at),
            updated_at=iso(template.updated_at),
            template_variables=template.variables,
            response_schema=UNSET if template.response_schema is None else template.response_schema,
        )


async def _described(tx: Tx, project: Project) -> ProjectOut:
    return (await service.described(tx, project.team_id, [project]))[0]


class ListProjects(Params):
    archived: bool | None = None


async def _all(tx: Tx, caller: Caller, archived: bool) -> list[ProjectOut]:
    found = await service.projects(tx, caller.team_id, caller.mode, archived=archived)
    return await service.described(tx, caller.team_id, found)


@operations.add(
    "GET",
    "/v1/projects",
    may=Permission.READ,
    params=ListProjects,
    answer=list[ProjectOut],
    example={"archived": False},
    example_answer=[EXAMPLE],
    ignores=("callback_url",),
)
async def list_projects(call: Call, params: ListProjects) -> list[ProjectOut]:
    """List all projects, newest first.

    Archived projects are not included; `archived: true` lists only those. Each project has the latest 100 versions of
    its parameters, oldest first.
    """
    return await call.db.read(_all, call.caller, params.archived or False)


async def _get(tx: Tx, caller: Caller, path: Mapping[str, str]) -> ProjectOut:
    return await _described(tx, await service.locate(tx, caller, path))


@operations.add(
    "GET",
    "/v1/projects/{name}",
    may=Permission.READ,
    answer=ProjectOut,
    locate=service.locate,
    example={},
    example_answer=EXAMPLE,
)
async def get_project(call: Call, _params: Params) -> ProjectOut:
    """Get a project by its name."""
    return await call.db.read(_get, call.caller, call.path)


async def _archive(tx: Tx, caller: Caller, path: Mapping[str, str], now: int) -> ProjectOut:
    return await _described(tx, await service.archive(tx, await service.locate(tx, caller, path), now))


@operations.add(
    "POST",
    "/v1/projects/{name}/archive",
    may=Permission.MANAGE,
    answer=ProjectOut,
    locate=service.locate,
    example={},
    example_answer={**EXAMPLE, "archived": True},
)
async def archive_project(call: Call, _params: Params) -> ProjectOut:
    """Archive a project.

    The project no longer gives out tasks or reviews, and accepts no new tasks. People may finish what they have
    claimed. Nothing is deleted: its tasks and results remain, and its batches keep their positions in the queue.
    Archiving an archived project changes nothing.
    """
    return await call.db.write(_archive, call.caller, call.path, call.now)


async def _unarchive(tx: Tx, caller: Caller, path: Mapping[str, str]) -> ProjectOut:
    return await _described(tx, await service.unarchive(tx, await service.locate(tx, caller, path)))


@operations.add(
    "POST",
    "/v1/projects/{name}/unarchive",
    may=Permission.MANAGE,
    answer=ProjectOut,
    locate=service.locate,
    example={},
    example_answer=EXAMPLE,
)
async def unarchive_project(call: Call, _params: Params) -> ProjectOut:
    """Restore an archived project.

    It gives out work and accepts tasks again, in its earlier state. A project that is not archived stays unchanged.
    """
    return await call.db.write(_unarchive, call.caller, call.path)


async def _template(tx: Tx, caller: Caller, path: Mapping[str, str]) -> TemplateOut:
    return TemplateOut.of(await service.template(tx, await service.locate(tx, caller, path)))


@operations.add(
    "GET",
    "/v1/projects/{name}/taskTemplates",
    may=Permission.READ,
    answer=TemplateOut,
    errors=(400,),
    locate=service.locate,
    example={},
    example_answer={
        "id": "6553f1a0c8e25b7d91f0a3c4",
        "version": 1,
        "created_at": "2023-08-09T16:12:38.072Z",
        "updated_at": "2023-08-09T16:12:38.072Z",
        "template_variables": {
            "fields": [{"field_id": "reasonable", "type": "category", "title": "Is the answer reasonable?"}]
        },
        "response_schema": {"reasonable": {"type": "category", "title": "Is the answer reasonable?"}},
    },
)
async def get_task_template(call: Call, _params: Params) -> TemplateOut:
    """Get what the tasks of a textcollection project have in common.

    Projects of other types do not have a task template.
    """
    return await call.db.read(_template, call.caller, call.path)


operations.extend(studio_operations)
