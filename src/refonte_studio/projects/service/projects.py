"""Use-cases of projects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import UNSET

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.clock import iso
from refonte_studio.kit.errors import BadInput, Conflict, NotFound, StudioError, shown
from refonte_studio.kit.ids import new_id
from refonte_studio.kit.names import checked_name, name_key
from refonte_studio.kit.redaction import redacted
from refonte_studio.projects import policy
from refonte_studio.projects.model import (
    ANY_TYPE,
    CONSENSUS,
    DEFAULT_NAME,
    DEFAULTS,
    STANDARD,
    Project,
    ProjectOut,
    QualityChanged,
    Template,
    Version,
)
from refonte_studio.projects.policy import checked_type
from refonte_studio.projects.store import projects as project_store


async def create_project(
    tx: Tx,
    team_id: str,
    mode: Mode,
    name: str,
    type: str,  # noqa: A002 - the API's name
    now: int,
    *,
    params: Mapping[str, Any] | None = None,
    studio: bool = False,
    rapid: bool = False,
    dataset_id: str | None = None,
    pipeline: str | None = None,
    consensus_attempts: int | None = None,
) -> Project:
    """Creates a project. Raises Conflict if the name is taken."""
    chosen, attempts = (policy.checked_pipeline if studio else policy.no_pipeline)(pipeline, consensus_attempts)
    project = Project(
        id=new_id(now),
        team_id=team_id,
        mode=mode,
        name=checked_name("project", name),
        type=checked_type(type),
        studio=studio,
        rapid=rapid,
        dataset_id=dataset_id,
        pipeline=chosen,
        consensus_attempts=attempts,
        version=1,
        params=policy.checked_params(params or {}),
        created_at=now,
    )
    if not await project_store.insert(tx, project):
        raise Conflict(f"there is a project {shown(name)} already")
    return project


async def find(tx: Tx, team_id: str, mode: Mode, name: str) -> Project:
    """Returns the project named in a path or a filter. Raises NotFound."""
    return await _named(tx, team_id, mode, name, NotFound)


async def find_in_body(tx: Tx, team_id: str, mode: Mode, name: str) -> Project:
    """Returns the project named in a body. Raises BadInput."""
    return await _named(tx, team_id, mode, name, BadInput)


async def _named(tx: Tx, team_id: str, mode: Mode, name: str, error: type[StudioError]) -> Project:
    project = await project_store.by_name(tx, team_id, mode, name_key(name))
    if project is None:
        raise error(f"there is no project {shown(name)}")
    return project


async def projects(tx: Tx, team_id: str, mode: Mode, *, archived: bool) -> list[Project]:
    """Returns all projects that are archived, or all that are not, newest first."""
    return await project_store.all_of_team(tx, team_id, mode, archived)


async def by_id(tx: Tx, team_id: str, project_id: str) -> Project:
    """Returns a project that is known to exist."""
    return (await project_store.by_ids(tx, team_id, [project_id]))[project_id]


async def by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, Project]:
    """Returns projects by id."""
    return await project_store.by_ids(tx, team_id, ids)


async def names_by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Returns the names of projects, by id, without their parameters."""
    return await project_store.names_by_ids(tx, team_id, ids)


async def default_project(tx: Tx, team_id: str, mode: Mode, now: int) -> Project:
    """Returns the project of tasks that name no project; creates it when first needed."""
    project = await present_default(tx, team_id, mode)
    if project is not None:
        return project
    await tx.lock(f"default-project:{team_id}:{mode}")
    project = await present_default(tx, team_id, mode)
    number = 1
    while project is None:
        name = DEFAULT_NAME if number == 1 else f"{DEFAULT_NAME} {number}"
        made = Project(
            new_id(now),
            team_id,
            mode,
            name,
            ANY_TYPE,
            False,
            False,
            None,
            STANDARD,
            policy.DEFAULT_ATTEMPTS,
            1,
            "{}",
            now,
        )
        project = made if await project_store.insert(tx, made) else None
        number += 1
    return project


async def present_default(tx: Tx, team_id: str, mode: Mode) -> Project | None:
    """Returns the project of tasks that name no project, if it exists."""
    named = await project_store.by_name(tx, team_id, mode, DEFAULT_NAME)
    if named is None or named.type == ANY_TYPE:
        return named  # the default project has priority for this name
    return await project_store.of_type(tx, team_id, mode, ANY_TYPE)


async def hold(tx: Tx, project: Project) -> Project:
    """Returns the project with its current pipeline, which cannot change until this transaction ends.

    Code that creates tasks by the pipeline must call this, so that `set_pipeline` reaches every task.
    """
    return await project_store.hold(tx, project)


async def archive(tx: Tx, project: Project, now: int) -> Project:
    """Archives the project, which then gives out no work and accepts no tasks. People may finish what they have
    claimed.

    Waits for transactions that hold the project. Archiving an archived project changes nothing.
    """
    await project_store.lock(tx, project.team_id, project.id)
    project = await by_id(tx, project.team_id, project.id)
    if project.archived_at is None:
        await project_store.set_archived(tx, project, now)
    return await by_id(tx, project.team_id, project.id)


async def unarchive(tx: Tx, project: Project) -> Project:
    """Restores an archived project in its earlier state."""
    await project_store.lock(tx, project.team_id, project.id)
    await project_store.set_archived(tx, project, None)
    return await by_id(tx, project.team_id, project.id)


def check_takes_tasks(project: Project) -> None:
    """Raises BadInput for an archived project."""
    if project.archived_at is not None:
        raise BadInput(f"project {shown(project.name)} is archived, so it takes no tasks")


async def set_pipeline(tx: Tx, project: Project, pipeline: str, consensus_attempts: int | None) -> Project:
    """Changes the pipeline of a Studio project, after waiting for transactions that hold it. Does not change tasks."""
    if not project.studio:
        raise BadInput(f"project {shown(project.name)} is not a Studio project, so it has no pipeline")
    await project_store.lock(tx, project.team_id, project.id)
    present = (await by_id(tx, project.team_id, project.id)).consensus_attempts
    chosen, attempts = policy.checked_pipeline(pipeline, consensus_attempts, present)
    await project_store.set_pipeline(tx, project, chosen, attempts)
    return await by_id(tx, project.team_id, project.id)


async def set_quality(tx: Tx, project: Project, changes: Mapping[str, Any], now: int) -> Project:
    """Changes some quality settings, after waiting for transactions that hold the project. Does not change tasks.

    None restores a default. Raises BadInput for unknown names and invalid values.
    """
    await project_store.lock(tx, project.team_id, project.id)
    before = await by_id(tx, project.team_id, project.id)
    policy.check_settings(changes)
    given = {name: getattr(DEFAULTS, name) if value is None else value for name, value in changes.items()}
    if given.keys() & policy.ADAPTIVE and not any(given.get(name) is not None for name in policy.ADAPTIVE):
        given.update(dict.fromkeys(policy.ADAPTIVE))  # the two settings depend on each other
    policy.check_adaptive(given, before.consensus_attempts if before.pipeline == CONSENSUS else None)
    settings = policy.checked_quality(msgspec.structs.replace(before.quality, **given), before.consensus_attempts)
    await project_store.set_quality(tx, before, settings, policy.mix_of(settings.evaluation_rate))
    after = replace(before, quality=settings)
    if after != before:
        await tx.tell(QualityChanged(before, after, now))
    return after


async def set_evaluates(tx: Tx, project: Project) -> None:
    """Records that the project has evaluation tasks."""
    await project_store.set_evaluates(tx, project.team_id, project.id)


async def set_params(
    tx: Tx, project: Project, change: Callable[[Mapping[str, Any]], Mapping[str, Any]], now: int
) -> Project:
    """Creates a version of the project's parameters: the result of `change` applied to the current ones."""
    await project_store.lock(tx, project.team_id, project.id)
    project = await by_id(tx, project.team_id, project.id)
    text = policy.checked_params(change(msgspec.json.decode(project.params)))
    await project_store.insert_version(tx, project, project.version + 1, text, now)
    await project_store.set_version(tx, project, project.version + 1)
    return replace(project, version=project.version + 1, params=text)


async def described(tx: Tx, team_id: str, found: Sequence[Project]) -> list[ProjectOut]:
    """Returns these projects as the API shows them, with the history of their parameters."""
    history = await project_store.versions(tx, team_id, [project.id for project in found])
    return [_described(project, history.get(project.id, [])) for project in found]


def _described(project: Project, history: Sequence[Version]) -> ProjectOut:
    consensus = project.studio and project.pipeline == CONSENSUS
    return ProjectOut(
        id=project.id,
        name=project.name,
        type=project.type,
        created_at=iso(project.created_at),
        studio=project.studio,
        rapid=project.rapid,
        archived=project.archived_at is not None,
        version=project.version,
        params=_shown(project.params),
        param_history=[
            {**_shown(one.params), "version": one.number, "created_at": iso(one.created_at)} for one in history
        ],
        pipeline=project.pipeline if project.studio else UNSET,
        consensus_attempts=project.consensus_attempts if consensus else UNSET,
        min_attempts=project.attempts_wanted if consensus and project.adaptive else UNSET,
        target_confidence=target if consensus and (target := project.quality.target_confidence) is not None else UNSET,
        datasetId=project.dataset_id if project.dataset_id is not None else UNSET,
    )


def _shown(params: str) -> dict[str, Any]:
    """Returns a project's parameters without the user and password in its callback_url."""
    shown_as: dict[str, Any] = msgspec.json.decode(params)
    url = shown_as.get("callback_url")
    return {**shown_as, "callback_url": redacted(url)} if isinstance(url, str) else shown_as


async def template(tx: Tx, project: Project) -> Template:
    """Returns the parts of tasks that the project defines. Raises BadInput if its type does not support templates."""
    if project.type != "textcollection":
        raise BadInput(
            f"project {shown(project.name)} is of type {project.type}, which does not support task templates"
        )
    history = (await project_store.versions(tx, project.team_id, [project.id]))[project.id]
    params = msgspec.json.decode(project.params)
    return Template(project, history[-1].created_at, policy.template_variables(params), policy.response_schema(params))


async def locate(tx: Tx, caller: Caller, path: Mapping[str, str]) -> Project:
    """Returns the project that a path names as `projectName` or `name`. Raises NotFound.

    The first comes first, because the query or body of such a request can have a `name` of its own.
    """
    return await find(tx, caller.team_id, caller.mode, path.get("projectName") or path["name"])
