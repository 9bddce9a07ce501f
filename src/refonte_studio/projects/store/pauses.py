"""The SQL of pauses: a paused assignment remains, but allows no claims."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Mode
from refonte_studio.projects.model import Pause

_PAUSE = Record(Pause)
_SELECT = """SELECT a.teammate_id, u.email, a.project_id, p.name AS project, a.paused_at,
      a.pause_reason AS reason
    FROM assignments a JOIN projects p ON p.id = a.project_id AND p.team_id = a.team_id
    JOIN teammates u ON u.id = a.teammate_id AND u.team_id = a.team_id"""


async def pause(
    tx: Tx, team_id: str, project_id: str, teammate_ids: Sequence[str], reason: str, now: int
) -> Sequence[str]:
    """Pauses those of these people who are assigned and not paused. Returns their ids.

    Waits for claims that they are currently making.
    """
    rows = await tx.all(
        """UPDATE assignments SET paused_at = :now, pause_reason = :pause_reason
           WHERE team_id = :team_id AND project_id = :project_id AND teammate_id IN :teammate_ids[]
             AND paused_at IS NULL
           RETURNING teammate_id""",
        team_id=team_id,
        project_id=project_id,
        teammate_ids=list(teammate_ids),
        pause_reason=reason,
        now=now,
    )
    return [row["teammate_id"] for row in rows]


async def lift(tx: Tx, team_id: str, project_id: str, teammate_ids: Sequence[str], now: int) -> Sequence[str]:
    """Ends the pauses of these people. Returns their ids. Earlier evaluations and training no longer count."""
    rows = await tx.all(
        """UPDATE assignments SET paused_at = NULL, pause_reason = NULL, counts_from = :now
           WHERE team_id = :team_id AND project_id = :project_id AND teammate_id IN :teammate_ids[]
             AND paused_at IS NOT NULL
           RETURNING teammate_id""",
        team_id=team_id,
        project_id=project_id,
        teammate_ids=list(teammate_ids),
        now=now,
    )
    return [row["teammate_id"] for row in rows]


async def page(
    tx: Tx,
    team_id: str,
    mode: Mode,
    project_id: str | None,
    teammate_ids: Sequence[str] | None,
    after: tuple[str, str] | None,
    limit: int,
    *,
    paused: bool,
) -> list[Pause]:
    """Returns the assignments of active people, all or only paused ones, by person and project."""
    person, project = after or ("", "")
    people = "" if teammate_ids is None else "AND a.teammate_id IN :teammate_ids[]"
    rows = await tx.all(
        f"""{_SELECT}
            WHERE a.team_id = :team_id AND p.mode = :mode AND u.state = 'active' {people}
              {"AND a.paused_at IS NOT NULL" if paused else ""}
              AND (CAST(:project_id AS TEXT) IS NULL OR a.project_id = :project_id)
              AND (a.teammate_id, a.project_id) > (:after_teammate_id, :after_project_id)
            ORDER BY a.teammate_id, a.project_id LIMIT :limit""",
        team_id=team_id,
        mode=mode,
        project_id=project_id,
        after_teammate_id=person,
        after_project_id=project,
        limit=limit,
        **({} if teammate_ids is None else {"teammate_ids": list(teammate_ids)}),
    )
    return [_PAUSE.of(row) for row in rows]


async def assignments(tx: Tx, team_id: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Pause]:
    """Returns assignments by person and project: those of these pairs, and possibly others."""
    rows = await tx.all(
        f"""{_SELECT}
            WHERE a.team_id = :team_id AND a.teammate_id IN :teammate_ids[] AND a.project_id IN :project_ids[]""",
        team_id=team_id,
        teammate_ids=sorted({teammate_id for teammate_id, _ in pairs}),
        project_ids=sorted({project_id for _, project_id in pairs}),
    )
    return {(row["teammate_id"], row["project_id"]): _PAUSE.of(row) for row in rows}
