"""The SQL of a project's reviewers."""

from collections.abc import Sequence

from refonte_studio.db import Tx


async def emails(tx: Tx, team_id: str, project_id: str) -> list[str]:
    """Returns the addresses of the project's reviewers, in the order in which they joined the team."""
    rows = await tx.all(
        """SELECT u.email FROM reviewers rv JOIN teammates u ON u.id = rv.teammate_id AND u.team_id = rv.team_id
           WHERE rv.project_id = :project_id AND rv.team_id = :team_id ORDER BY u.id""",
        team_id=team_id,
        project_id=project_id,
    )
    return [row["email"] for row in rows]


async def is_reviewer(tx: Tx, team_id: str, project_id: str, teammate_id: str) -> bool:
    """Returns whether the person may review the project's tasks."""
    row = await tx.one(
        """SELECT 1 AS one FROM reviewers
           WHERE teammate_id = :teammate_id AND project_id = :project_id AND team_id = :team_id""",
        teammate_id=teammate_id,
        project_id=project_id,
        team_id=team_id,
    )
    return row is not None


async def add(tx: Tx, team_id: str, project_id: str, teammate_ids: Sequence[str], now: int) -> None:
    """Adds reviewers; ignores those who are reviewers already."""
    await tx.run(
        """INSERT INTO reviewers (team_id, project_id, teammate_id, created_at)
           SELECT u.team_id, :project_id, u.id, :now FROM teammates u
           WHERE u.id IN :teammate_ids[] AND u.team_id = :team_id ORDER BY u.id
           ON CONFLICT (teammate_id, project_id) DO NOTHING""",
        team_id=team_id,
        project_id=project_id,
        teammate_ids=list(teammate_ids),
        now=now,
    )


async def remove(tx: Tx, team_id: str, project_id: str, teammate_ids: Sequence[str]) -> None:
    await tx.run(
        """DELETE FROM reviewers
           WHERE teammate_id IN :teammate_ids[] AND project_id = :project_id AND team_id = :team_id""",
        team_id=team_id,
        project_id=project_id,
        teammate_ids=list(teammate_ids),
    )
