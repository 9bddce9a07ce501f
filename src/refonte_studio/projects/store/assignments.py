"""The SQL of assignments and groups."""

from collections.abc import Sequence

from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Mode
from refonte_studio.projects.model import Group


async def assignments(tx: Tx, team_id: str, mode: Mode) -> list[tuple[str, str | None]]:
    """Returns address and project of active teammates in the order they were added; without a project, None."""
    rows = await tx.all(
        """SELECT u.email, p.name AS project
           FROM teammates u
           LEFT JOIN (assignments a JOIN projects p ON p.id = a.project_id AND p.mode = :mode)
             ON a.teammate_id = u.id
           WHERE u.team_id = :team_id AND u.state = 'active'
           ORDER BY u.id""",
        team_id=team_id,
        mode=mode,
    )
    return [(row["email"], row["project"]) for row in rows]


async def assign(tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str], now: int) -> None:
    """Assigns each person to each project; existing assignments stay unchanged."""
    # lock first, so that no project is archived between this check and the new assignment
    await tx.all(
        "SELECT id FROM projects WHERE id IN :project_ids[] AND team_id = :team_id ORDER BY id FOR KEY SHARE",
        team_id=team_id,
        project_ids=list(project_ids),
    )
    await tx.run(
        """INSERT INTO assignments (team_id, teammate_id, project_id, created_at, archived)
           SELECT u.team_id, u.id, p.id, :now, p.archived_at IS NOT NULL
           FROM teammates u JOIN projects p ON p.team_id = u.team_id
           WHERE u.team_id = :team_id AND u.id IN :teammate_ids[] AND p.id IN :project_ids[]
           ORDER BY u.id, p.id
           ON CONFLICT (teammate_id, project_id) DO NOTHING""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        project_ids=list(project_ids),
        now=now,
    )


async def unassign(
    tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str]
) -> list[tuple[str, str]]:
    """Deletes assignments. Returns the person and project of those that existed."""
    rows = await tx.all(
        """DELETE FROM assignments
           WHERE team_id = :team_id AND teammate_id IN :teammate_ids[] AND project_id IN :project_ids[]
           RETURNING teammate_id, project_id""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        project_ids=list(project_ids),
    )
    return [(row["teammate_id"], row["project_id"]) for row in rows]


async def projects_of(tx: Tx, team_id: str, mode: Mode, teammate_ids: Sequence[str]) -> list[str]:
    """Returns the projects that any of these people is assigned to."""
    rows = await tx.all(
        """SELECT DISTINCT a.project_id FROM assignments a JOIN projects p ON p.id = a.project_id
           WHERE a.team_id = :team_id AND p.mode = :mode AND a.teammate_id IN :teammate_ids[]""",
        team_id=team_id,
        mode=mode,
        teammate_ids=list(teammate_ids),
    )
    return [row["project_id"] for row in rows]


async def assigned(tx: Tx, project_id: str, teammate_ids: Sequence[str]) -> set[str]:
    """Returns those of these people who are assigned."""
    rows = await tx.all(
        "SELECT teammate_id FROM assignments WHERE project_id = :project_id AND teammate_id IN :teammate_ids[]",
        project_id=project_id,
        teammate_ids=list(teammate_ids),
    )
    return {row["teammate_id"] for row in rows}


async def hold_assigned(tx: Tx, team_id: str, project_id: str, teammate_ids: Sequence[str]) -> set[str]:
    """Returns those of these people who are assigned, locked until this transaction ends."""
    rows = await tx.all(
        """SELECT teammate_id FROM assignments
           WHERE team_id = :team_id AND project_id = :project_id AND teammate_id IN :teammate_ids[]
           ORDER BY teammate_id FOR KEY SHARE""",
        team_id=team_id,
        project_id=project_id,
        teammate_ids=list(teammate_ids),
    )
    return {row["teammate_id"] for row in rows}


ASSIGNMENT_COLUMNS = (
    *("team_id", "teammate_id", "project_id", "created_at"),
    *("paused_at", "pause_reason", "archived", "counts_from"),
)


async def rewrite(tx: Tx, team_id: str, teammate_ids: Sequence[str]) -> None:
    """Waits for those who have locked these people's assignments, and replaces the rows by equal ones."""
    rows = await tx.all(
        f"""SELECT {", ".join(ASSIGNMENT_COLUMNS)} FROM assignments
            WHERE team_id = :team_id AND teammate_id IN :teammate_ids[]
            ORDER BY teammate_id, project_id FOR UPDATE""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
    )
    await tx.run(
        "DELETE FROM assignments WHERE team_id = :team_id AND teammate_id IN :teammate_ids[]",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
    )
    await tx.insert("assignments", ASSIGNMENT_COLUMNS, [[row[column] for column in ASSIGNMENT_COLUMNS] for row in rows])


# --------------------------------------------------------------------------------------------- groups

_GROUPS = """SELECT gr.id, gr.project_id, gr.name, gr.singleton, u.id AS teammate_id, u.email
  FROM groups gr
  LEFT JOIN group_members m ON m.group_id = gr.id
  LEFT JOIN teammates u ON u.id = m.teammate_id
  WHERE gr.team_id = :team_id"""


def _groups(rows: Sequence[Row]) -> list[Group]:
    workers: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        members = workers.setdefault(row["id"], [])
        if row["teammate_id"] is not None:
            members.append((row["teammate_id"], row["email"]))
    return [
        Group(
            id=row["id"],
            project_id=row["project_id"],
            name=row["name"],
            singleton=bool(row["singleton"]),
            workers=tuple(sorted(workers[row["id"]], key=lambda worker: (worker[1].lower(), worker[0]))),
        )
        for row in {row["id"]: row for row in rows}.values()
    ]


async def groups_of_project(tx: Tx, team_id: str, project_id: str) -> list[Group]:
    """Returns the groups in the order of creation."""
    rows = await tx.all(
        f"{_GROUPS} AND gr.project_id = :project_id ORDER BY gr.id", team_id=team_id, project_id=project_id
    )
    return _groups(rows)


async def groups_by_names(tx: Tx, team_id: str, project_id: str, names: Sequence[str]) -> dict[str, Group]:
    rows = await tx.all(
        f"{_GROUPS} AND gr.project_id = :project_id AND gr.name IN :names[] ORDER BY gr.id",
        team_id=team_id,
        project_id=project_id,
        names=list(names),
    )
    return {group.name: group for group in _groups(rows)}


async def groups_by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, Group]:
    rows = await tx.all(f"{_GROUPS} AND gr.id IN :group_ids[] ORDER BY gr.id", team_id=team_id, group_ids=list(ids))
    return {group.id: group for group in _groups(rows)}


async def group_names(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, str]:
    rows = await tx.all(
        "SELECT id, name FROM groups WHERE team_id = :team_id AND id IN :group_ids[]",
        team_id=team_id,
        group_ids=list(ids),
    )
    return {row["id"]: row["name"] for row in rows}


async def group_ids_named(tx: Tx, team_id: str, mode: Mode, name: str, project_id: str | None) -> list[str]:
    rows = await tx.all(
        """SELECT gr.id FROM groups gr JOIN projects p ON p.id = gr.project_id
           WHERE gr.team_id = :team_id AND p.mode = :mode AND gr.name = :name
             AND (CAST(:project_id AS TEXT) IS NULL OR gr.project_id = :project_id)
           ORDER BY gr.id""",
        team_id=team_id,
        mode=mode,
        name=name,
        project_id=project_id,
    )
    return [row["id"] for row in rows]


async def insert_group(tx: Tx, team_id: str, project_id: str, group_id: str, name: str, now: int) -> bool:
    """Inserts a group. Returns whether it is new; a taken name inserts nothing."""
    made = await tx.one(
        """INSERT INTO groups (id, team_id, project_id, name, singleton, created_at)
           VALUES (:id, :team_id, :project_id, :name, FALSE, :now)
           ON CONFLICT (project_id, name) DO NOTHING RETURNING id""",
        id=group_id,
        team_id=team_id,
        project_id=project_id,
        name=name,
        now=now,
    )
    return made is not None


async def insert_singletons(tx: Tx, team_id: str, project_id: str, named: Sequence[tuple[str, str]], now: int) -> None:
    """Adds members; existing members stay unchanged."""
    await tx.insert(
        "groups",
        ("id", "team_id", "project_id", "name", "singleton", "created_at"),
        [(group_id, team_id, project_id, name, True, now) for group_id, name in named],
    )


async def fill_singletons(tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str]) -> None:
    """Adds these people to the groups that represent them in these projects."""
    await tx.run(
        """INSERT INTO group_members (team_id, group_id, teammate_id)
           SELECT gr.team_id, gr.id, u.id
           FROM teammates u JOIN groups gr ON gr.team_id = u.team_id AND gr.name = u.email
           WHERE u.team_id = :team_id AND u.id IN :teammate_ids[] AND gr.project_id IN :project_ids[] AND gr.singleton
           ORDER BY gr.id, u.id
           ON CONFLICT (group_id, teammate_id) DO NOTHING""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        project_ids=list(project_ids),
    )


async def add_members(tx: Tx, team_id: str, group_id: str, teammate_ids: Sequence[str]) -> None:
    """Those who are members already are left as they are."""
    await tx.run(
        """INSERT INTO group_members (team_id, group_id, teammate_id)
           SELECT u.team_id, gr.id, u.id FROM teammates u JOIN groups gr ON gr.team_id = u.team_id
           WHERE u.team_id = :team_id AND gr.id = :group_id AND u.id IN :teammate_ids[]
           ORDER BY u.id
           ON CONFLICT (group_id, teammate_id) DO NOTHING""",
        team_id=team_id,
        group_id=group_id,
        teammate_ids=list(teammate_ids),
    )


async def remove_members(tx: Tx, team_id: str, group_id: str, teammate_ids: Sequence[str]) -> None:
    await tx.run(
        """DELETE FROM group_members
           WHERE team_id = :team_id AND group_id = :group_id AND teammate_id IN :teammate_ids[]""",
        team_id=team_id,
        group_id=group_id,
        teammate_ids=list(teammate_ids),
    )


async def leave_groups(tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str]) -> None:
    """Adds these people to the groups that represent them in these projects."""
    await tx.run(
        """DELETE FROM group_members
           WHERE team_id = :team_id AND teammate_id IN :teammate_ids[]
             AND group_id IN (SELECT id FROM groups WHERE project_id IN :project_ids[])""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        project_ids=list(project_ids),
    )
