"""Operations that set the parameters of a project, which the task types define."""

from collections.abc import Mapping
from typing import Any

from refonte_studio import task_types
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import EXAMPLE, Project, ProjectOut
from refonte_studio.tasks.service import inheritance
from refonte_studio.web import Body, Call, Operations, Params
from refonte_studio.web.params import read_dynamic_params

operations = Operations("Projects")


def _inheritable() -> dict[str, Any]:
    """Returns the JSON schema of every parameter of any type, except those that only a task can have."""
    found: dict[str, Any] = {}
    every = [task_types.COMMON_PARAMETERS, *(each.parameters for each in task_types.TYPES.values())]
    for parameters in every:
        for name, parameter in parameters.items():
            if name not in ("project", "batch", "unique_id"):
                found.setdefault(name, {**parameter.schema, "description": parameter.description})
    return found


class CreateProject(Params):
    type: str
    name: str
    params: dict[str, Any] | None = None
    instruction: str | None = None  # short for the parameter of this name in `params`
    rapid: bool | None = None
    studio: bool | None = None
    datasetId: str | None = None
    pipeline: str | None = None
    consensus_attempts: int | None = None


async def _described(tx: Tx, project: Project) -> ProjectOut:
    return (await projects.described(tx, project.team_id, [project]))[0]


async def _create(tx: Tx, caller: Caller, params: CreateProject, given: dict[str, Any], now: int) -> ProjectOut:
    project = await projects.create_project(
        tx,
        caller.team_id,
        caller.mode,
        params.name,
        params.type,
        now,
        params=inheritance.first_params(params.type, given),
        studio=params.studio or False,
        rapid=params.rapid or False,
        dataset_id=params.datasetId,
        pipeline=params.pipeline,
        consensus_attempts=params.consensus_attempts,
    )
    return await _described(tx, project)


@operations.add(
    "POST",
    "/v1/projects",
    may=Permission.MANAGE,
    params=CreateProject,
    answer=ProjectOut,
    errors=(409,),
    example={
        "name": "Dog photographs",
        "type": "categorization",
        "params": {"instruction": "Which breed is it?"},
        "studio": True,
        "pipeline": "consensus_task",
        "consensus_attempts": 3,
    },
    example_answer=EXAMPLE,
    ignores=("force",),
)
async def create_project(call: Call, params: CreateProject) -> ProjectOut:
    """Create a project.

    Tasks of the project inherit `params`; a task's own parameters override them. They are checked like those of a task,
    except that required ones may be missing: each task must then supply them. With `studio: true` it is a Studio
    project, whose `pipeline` is `standard_task` (the default) or `consensus_task` with 2 to 15
    `consensus_attempts` (3 by default). The name must be unique in the team and mode.
    """
    given = _with(params.params or {}, "instruction", params.instruction)
    return await call.db.write(_create, call.caller, params, given, call.now)


def _with(given: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    """Adds a parameter. Raises BadInput if it is given already with another value."""
    if value is None:
        return given
    if given.get(name, value) != value:
        raise BadInput(f"{name} is given twice and differs: {shown(value)} and {shown(given[name])}")
    return {**given, name: value}


async def _set(
    tx: Tx, caller: Caller, path: Mapping[str, str], given: dict[str, Any], patch: bool, now: int
) -> ProjectOut:
    project = await inheritance.set_params(tx, await projects.locate(tx, caller, path), given, patch, now)
    return await _described(tx, project)


_INHERITABLE = _inheritable()
_PATCH: dict[str, Any] = {
    "type": "boolean",
    "default": False,
    "description": "Whether to keep the parameters that are not given.",
}


@operations.add(
    ("POST", "PUT"),
    "/v1/projects/{name}/setParams",
    may=Permission.MANAGE,
    answer=ProjectOut,
    body=Body.OPEN,
    body_schema={
        "type": "object",
        "description": "Parameters of the project's task type. With `patch`, null removes a parameter.",
        "properties": {"patch": _PATCH, **_INHERITABLE},
        "additionalProperties": True,
    },
    locate=projects.locate,
    example={"patch": True, "instruction": "Which breed is it? Look at the ears."},
    example_answer=EXAMPLE,
)
async def set_project_params(call: Call, _params: Params) -> ProjectOut:
    """Set the parameters of a project, as a new version.

    They apply to tasks that are created from now on, and are checked like those of a task, except that required ones
    may be missing. With `patch: true` they are merged into the present parameters, and null removes a parameter;
    otherwise they replace all of them. A call without parameters is refused.
    """
    try:
        given, patch = _given(call)
    except BadInput:
        await call.db.read(projects.locate, call.caller, call.path)  # 404 takes precedence over 400
        raise
    return await call.db.write(_set, call.caller, call.path, given, patch, call.now)


def _given(call: Call) -> tuple[dict[str, Any], bool]:
    """Returns the parameters from body and query, including null, and whether to merge them."""
    given = read_dynamic_params({**_INHERITABLE, "patch": _PATCH}, call.body, call.query)
    patch = task_types.coerced(given.pop("patch", False), _PATCH)
    if not isinstance(patch, bool):
        raise BadInput(f"patch must be true or false, not {shown(patch)}")
    absent = [name for name, value in call.body.items() if value is None and name not in given and name != "patch"]
    return {**given, **dict.fromkeys(absent)}, patch
