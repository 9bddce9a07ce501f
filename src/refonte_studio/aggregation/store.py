"""The SQL that reads annotator models to aggregate responses, and requests new ones."""

from collections.abc import Sequence

from refonte_studio.db import Tx


async def question_models(tx: Tx, team_id: str, project_id: str) -> list[tuple[str, str]]:
    """Returns the project's questions and their models: (question, model as JSON)."""
    rows = await tx.all(
        "SELECT question, model FROM project_models WHERE project_id = :project_id AND team_id = :team_id",
        project_id=project_id,
        team_id=team_id,
    )
    return [(row["question"], row["model"]) for row in rows]


async def models_of(tx: Tx, team_id: str, project_id: str, people: Sequence[str]) -> list[tuple[str, str, str]]:
    """Returns the models of these people: (question, teammate id, model as JSON)."""
    rows = await tx.all(
        """SELECT question, teammate_id, model FROM labeler_models
           WHERE project_id = :project_id AND team_id = :team_id AND teammate_id IN :teammate_ids[]""",
        project_id=project_id,
        team_id=team_id,
        teammate_ids=list(people),
    )
    return [(row["question"], row["teammate_id"], row["model"]) for row in rows]


async def request_refit(tx: Tx, team_id: str, project_id: str, now: int) -> None:
    """Asks for a project's models to be fitted again."""
    await tx.run(
        """INSERT INTO estimates (project_id, team_id, seen, attempts, asked_at)
           VALUES (:project_id, :team_id, '', 0, :now)
           ON CONFLICT (project_id) DO UPDATE SET asked_at = :now WHERE estimates.team_id = :team_id""",
        project_id=project_id,
        team_id=team_id,
        now=now,
    )


async def refit_when_due(tx: Tx, team_id: str, project_id: str) -> None:
    """Marks a project's models for the next regular fit, even without new attempts."""
    await tx.run(
        "UPDATE estimates SET seen = '' WHERE project_id = :project_id AND team_id = :team_id AND seen <> ''",
        project_id=project_id,
        team_id=team_id,
    )
