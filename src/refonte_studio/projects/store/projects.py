"""The SQL of projects and their parameters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Mode
from refonte_studio.projects.model import Project, QualitySettings, Version, settings_of

HISTORY_LIMIT = 100  # maximum versions shown of one project

_PROJECT = Record(Project, quality=settings_of)
_COLUMNS = ", ".join(f"pp.{column}" if column == "params" else f"p.{column}" for column in _PROJECT.columns)
_SELECT = f"""SELECT {_COLUMNS}
  FROM projects p
  JOIN project_params pp ON pp.project_id = p.id AND pp.version = p.version AND pp.team_id = p.team_id"""


async def insert(tx: Tx, project: Project) -> bool:
    """Inserts a project. Returns whether it is new; a taken name inserts nothing."""
    made = await tx.one(
        """INSERT INTO projects (id, team_id, mode, name, type, studio, rapid, dataset_id, pipeline,
             consensus_attempts, version, created_at)
           VALUES (:id, :team_id, :mode, :name, :type, :studio, :rapid, :dataset_id, :pipeline,
             :consensus_attempts, :version, :created_at)
           ON CONFLICT (team_id, mode, name) DO NOTHING RETURNING id""",
        id=project.id,
        team_id=project.team_id,
        mode=project.mode,
        name=project.name,
        type=project.type,
        studio=project.studio,
        rapid=project.rapid,
        dataset_id=project.dataset_id,
        pipeline=project.pipeline,
        consensus_attempts=project.consensus_attempts,
        version=project.version,
        created_at=project.created_at,
    )
    if made is not None:
        await insert_version(tx, project, project.version, project.params, project.created_at)
    return made is not None


async def insert_version(tx: Tx, project: Project, version: int, params: str, now: int) -> None:
    await tx.run(
        """INSERT INTO project_params (team_id, project_id, version, params, created_at)
           VALUES (:team_id, :project_id, :version, :params, :now)""",
        team_id=project.team_id,
        project_id=project.id,
        version=version,
        params=params,
        now=now,
    )


async def set_version(tx: Tx, project: Project, version: int) -> None:
    await tx.run(
        "UPDATE projects SET version = :version WHERE id = :project_id AND team_id = :team_id",
        project_id=project.id,
        team_id=project.team_id,
        version=version,
    )


async def set_pipeline(tx: Tx, project: Project, pipeline: str, consensus_attempts: int) -> None:
    await tx.run(
        """UPDATE projects SET pipeline = :pipeline, consensus_attempts = :consensus_attempts
           WHERE id = :project_id AND team_id = :team_id""",
        project_id=project.id,
        team_id=project.team_id,
        pipeline=pipeline,
        consensus_attempts=consensus_attempts,
    )


async def set_quality(tx: Tx, project: Project, settings: QualitySettings, mix: int) -> None:
    text = msgspec.json.encode(settings).decode()
    await tx.run(
        """UPDATE projects SET quality = :quality, evaluation_mix = :evaluation_mix
           WHERE id = :project_id AND team_id = :team_id""",
        project_id=project.id,
        team_id=project.team_id,
        quality=None if text == "{}" else text,
        evaluation_mix=mix,
    )


async def set_evaluates(tx: Tx, team_id: str, project_id: str) -> None:
    """Records that the project has evaluation tasks."""
    await tx.run(
        "UPDATE projects SET evaluates = true WHERE id = :project_id AND team_id = :team_id AND NOT evaluates",
        project_id=project_id,
        team_id=team_id,
    )


async def set_archived(tx: Tx, project: Project, archived_at: int | None) -> None:
    """Sets the flag on the project and, for dispatch, on all its assignments. The caller has locked the project."""
    await tx.run(
        "UPDATE projects SET archived_at = :archived_at WHERE id = :project_id AND team_id = :team_id",
        project_id=project.id,
        team_id=project.team_id,
        archived_at=archived_at,
    )
    await tx.run(
        "UPDATE assignments SET archived = :archived WHERE project_id = :project_id AND team_id = :team_id",
        project_id=project.id,
        team_id=project.team_id,
        archived=archived_at is not None,
    )


async def lock(tx: Tx, team_id: str, project_id: str) -> None:
    """Locks the project exclusively, after waiting for transactions that hold or lock it."""
    await tx.one(
        "SELECT id FROM projects WHERE id = :project_id AND team_id = :team_id FOR UPDATE",
        project_id=project_id,
        team_id=team_id,
    )


async def hold(tx: Tx, project: Project) -> Project:
    """Returns the project with its settings unchanged until the transaction ends; several transactions may hold it."""
    row = await tx.one(
        """SELECT pipeline, consensus_attempts, quality, evaluates, archived_at FROM projects
           WHERE id = :project_id AND team_id = :team_id FOR KEY SHARE""",
        project_id=project.id,
        team_id=project.team_id,
    )
    if row is None:
        return project
    return replace(
        project,
        pipeline=row["pipeline"],
        consensus_attempts=row["consensus_attempts"],
        quality=settings_of(row["quality"]),
        evaluates=bool(row["evaluates"]),
        archived_at=row["archived_at"],
    )


async def by_name(tx: Tx, team_id: str, mode: Mode, name: str) -> Project | None:
    row = await tx.one(
        f"{_SELECT} WHERE p.team_id = :team_id AND p.mode = :mode AND p.name = :name",
        team_id=team_id,
        mode=mode,
        name=name,
    )
    return _PROJECT.of(row) if row else None


async def of_type(tx: Tx, team_id: str, mode: Mode, type_name: str) -> Project | None:
    """Returns the oldest project of this type."""
    row = await tx.one(
        f"{_SELECT} WHERE p.team_id = :team_id AND p.mode = :mode AND p.type = :type ORDER BY p.id LIMIT 1",
        team_id=team_id,
        mode=mode,
        type=type_name,
    )
    return _PROJECT.of(row) if row else None


async def all_of_team(tx: Tx, team_id: str, mode: Mode, archived: bool) -> list[Project]:
    """Returns all projects that are archived, or all that are not, newest first."""
    rows = await tx.all(
        f"""{_SELECT} WHERE p.team_id = :team_id AND p.mode = :mode AND (p.archived_at IS NOT NULL) = :archived
            ORDER BY p.id DESC""",
        team_id=team_id,
        mode=mode,
        archived=archived,
    )
    return [_PROJECT.of(row) for row in rows]


async def by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, Project]:
    rows = await tx.all(
        f"{_SELECT} WHERE p.team_id = :team_id AND p.id IN :project_ids[]", team_id=team_id, project_ids=list(ids)
    )
    return {row["id"]: _PROJECT.of(row) for row in rows}


async def names_by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, str]:
    rows = await tx.all(
        "SELECT id, name FROM projects WHERE team_id = :team_id AND id IN :project_ids[]",
        team_id=team_id,
        project_ids=list(ids),
    )
    return {row["id"]: row["name"] for row in rows}


async def ids_by_names(tx: Tx, team_id: str, mode: Mode, names: Sequence[str]) -> dict[str, str]:
    rows = await tx.all(
        "SELECT id, name FROM projects WHERE team_id = :team_id AND mode = :mode AND name IN :names[]",
        team_id=team_id,
        mode=mode,
        names=list(names),
    )
    return {row["name"]: row["id"] for row in rows}


async def versions(tx: Tx, team_id: str, project_ids: Sequence[str]) -> dict[str, list[Version]]:
    """Returns the latest versions of these projects' parameters, oldest first."""
    rows: Sequence[Any] = await tx.all(
        """SELECT pp.project_id, pp.version, pp.params, pp.created_at
           FROM project_params pp JOIN projects p ON p.id = pp.project_id
           WHERE p.team_id = :team_id AND p.id IN :project_ids[] AND pp.version > p.version - :limit
           ORDER BY pp.project_id, pp.version""",
        team_id=team_id,
        project_ids=list(project_ids),
        limit=HISTORY_LIMIT,
    )
    found: dict[str, list[Version]] = {}
    for row in rows:
        found.setdefault(row["project_id"], []).append(Version(row["version"], row["params"], row["created_at"]))
    return found
