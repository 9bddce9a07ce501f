"""The SQL of batches, their groups and their position in the queue."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from refonte_studio.batches.model import Batch
from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Mode

_BATCH = Record(Batch)
_COLUMNS = _BATCH.select()
_PENDING = "team_id = :team_id AND mode = :mode AND state = 'in_progress' AND position IS NOT NULL"


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """The filters of a list of batches."""

    team_id: str
    mode: Mode
    state: str | None
    project_id: str | None
    created_from: int
    created_to: int
    exclude_archived: bool


async def insert(tx: Tx, batch: Batch) -> bool:
    """Inserts a batch. Returns whether it is new; a taken name inserts nothing."""
    made = await tx.one(
        f"""INSERT INTO batches ({_COLUMNS}) VALUES ({_BATCH.marks()})
            ON CONFLICT (team_id, mode, name) DO NOTHING RETURNING id""",
        **_BATCH.named(batch),
    )
    return made is not None


async def by_name(tx: Tx, team_id: str, mode: Mode, name: str) -> Batch | None:
    row = await tx.one(
        f"SELECT {_COLUMNS} FROM batches WHERE team_id = :team_id AND mode = :mode AND name = :name",
        team_id=team_id,
        mode=mode,
        name=name,
    )
    return _BATCH.of(row) if row else None


async def by_ids(tx: Tx, team_id: str, ids: Sequence[str]) -> dict[str, Batch]:
    rows = await tx.all(
        f"SELECT {_COLUMNS} FROM batches WHERE team_id = :team_id AND id IN :batch_ids[]",
        team_id=team_id,
        batch_ids=list(ids),
    )
    return {row["id"]: _BATCH.of(row) for row in rows}


async def of_project(tx: Tx, team_id: str, project_id: str) -> list[Batch]:
    """Returns all batches of the project, oldest first."""
    rows = await tx.all(
        f"SELECT {_COLUMNS} FROM batches WHERE team_id = :team_id AND project_id = :project_id ORDER BY id",
        team_id=team_id,
        project_id=project_id,
    )
    return [_BATCH.of(row) for row in rows]


async def default_of(tx: Tx, team_id: str, project_id: str) -> Batch | None:
    row = await tx.one(
        f"SELECT {_COLUMNS} FROM batches WHERE team_id = :team_id AND project_id = :project_id AND is_default",
        team_id=team_id,
        project_id=project_id,
    )
    return _BATCH.of(row) if row else None


async def hold(tx: Tx, batch: Batch) -> Batch | None:
    """Returns the current batch, which cannot change until the transaction ends; several transactions may hold it at
    once."""
    row = await tx.one(
        f"SELECT {_COLUMNS} FROM batches WHERE id = :batch_id AND team_id = :team_id FOR KEY SHARE",
        batch_id=batch.id,
        team_id=batch.team_id,
    )
    return _BATCH.of(row) if row else None


async def lock(tx: Tx, team_id: str, batch_id: str) -> Batch | None:
    """Returns the current batch, locked exclusively."""
    row = await tx.one(
        f"SELECT {_COLUMNS} FROM batches WHERE id = :batch_id AND team_id = :team_id FOR UPDATE",
        batch_id=batch_id,
        team_id=team_id,
    )
    return _BATCH.of(row) if row else None


async def lock_for_change(tx: Tx, batch: Batch) -> None:
    """Waits for transactions that change the batch, but not for those that hold it."""
    await tx.one(
        "SELECT id FROM batches WHERE id = :batch_id AND team_id = :team_id FOR NO KEY UPDATE",
        batch_id=batch.id,
        team_id=batch.team_id,
    )


async def set_metadata(tx: Tx, batch: Batch, metadata: str) -> None:
    await tx.run(
        "UPDATE batches SET metadata = :metadata WHERE id = :batch_id AND team_id = :team_id",
        batch_id=batch.id,
        team_id=batch.team_id,
        metadata=metadata,
    )


_LISTED = """team_id = :team_id AND mode = :mode AND created_at >= :created_from AND created_at <= :created_to
    AND (CAST(:state AS TEXT) IS NULL OR state = :state)
    AND (CAST(:project_id AS TEXT) IS NULL OR project_id = :project_id)
    AND (NOT :exclude_archived
      OR project_id NOT IN (SELECT id FROM projects WHERE team_id = :team_id AND archived_at IS NOT NULL))"""


async def page(tx: Tx, filters: BatchFilter, limit: int, before: str | None, offset: int) -> list[Batch]:
    """Returns batches, newest first, after the batch `before` if given."""
    rows = await tx.all(
        f"""SELECT {_COLUMNS} FROM batches
            WHERE {_LISTED} AND (CAST(:before AS TEXT) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit OFFSET :offset""",
        before=before,
        team_id=filters.team_id,
        mode=filters.mode,
        state=filters.state,
        project_id=filters.project_id,
        created_from=filters.created_from,
        created_to=filters.created_to,
        exclude_archived=filters.exclude_archived,
        limit=limit,
        offset=offset,
    )
    return [_BATCH.of(row) for row in rows]


async def total(tx: Tx, filters: BatchFilter) -> int:
    row = await tx.one(
        f"SELECT COUNT(*) AS total FROM batches WHERE {_LISTED}",
        team_id=filters.team_id,
        mode=filters.mode,
        state=filters.state,
        project_id=filters.project_id,
        created_from=filters.created_from,
        created_to=filters.created_to,
        exclude_archived=filters.exclude_archived,
    )
    return row["total"] if row else 0


# --------------------------------------------------------------------------------------------- states


async def finalize(tx: Tx, batch: Batch, position: int, now: int) -> None:
    """Moves a batch from staging to in_progress, with a position in the queue."""
    await tx.run(
        """UPDATE batches SET state = 'in_progress', position = :position, finalized_at = :now
           WHERE id = :batch_id AND team_id = :team_id AND state = 'staging'""",
        batch_id=batch.id,
        team_id=batch.team_id,
        position=position,
        now=now,
    )


async def mark_finalized(tx: Tx, batch: Batch, now: int) -> None:
    """Records the finalization time of a batch that continues to accept tasks."""
    await tx.run(
        "UPDATE batches SET finalized_at = :now WHERE id = :batch_id AND team_id = :team_id AND finalized_at IS NULL",
        batch_id=batch.id,
        team_id=batch.team_id,
        now=now,
    )


async def complete(tx: Tx, batch: Batch, now: int) -> Batch | None:
    """Moves a batch from in_progress to completed, and out of the queue. None if it is not in progress or never
    completes."""
    row = await tx.one(
        f"""UPDATE batches SET state = 'completed', position = NULL, completed_at = :now
            WHERE id = :batch_id AND team_id = :team_id AND state = 'in_progress' AND NOT (studio AND is_default)
            RETURNING {_COLUMNS}""",
        batch_id=batch.id,
        team_id=batch.team_id,
        now=now,
    )
    return _BATCH.of(row) if row else None


async def reopen(tx: Tx, batch: Batch) -> None:
    """Moves a batch from completed to in_progress, outside Studio projects."""
    await tx.run(
        """UPDATE batches SET state = 'in_progress', completed_at = NULL
           WHERE id = :batch_id AND team_id = :team_id AND state = 'completed' AND NOT studio""",
        batch_id=batch.id,
        team_id=batch.team_id,
    )


# ------------------------------------------------------------------------------------------ the queue


async def queue(tx: Tx, team_id: str, mode: Mode) -> list[Batch]:
    """Returns the pending batches of Studio projects, in order of priority."""
    rows = await tx.all(
        f"SELECT {_COLUMNS} FROM batches WHERE {_PENDING} ORDER BY position, id", team_id=team_id, mode=mode
    )
    return [_BATCH.of(row) for row in rows]


async def queue_ids(tx: Tx, team_id: str, mode: Mode) -> list[str]:
    """Returns the ids of the pending batches of Studio projects, in order of priority."""
    rows = await tx.all(f"SELECT id FROM batches WHERE {_PENDING} ORDER BY position, id", team_id=team_id, mode=mode)
    return [row["id"] for row in rows]


async def position_at_end(tx: Tx, team_id: str, mode: Mode) -> int:
    row = await tx.one(
        f"SELECT COALESCE(MAX(position), 0) + 1 AS position FROM batches WHERE {_PENDING}", team_id=team_id, mode=mode
    )
    return row["position"] if row else 1


async def position_after_calibrations(tx: Tx, team_id: str, mode: Mode) -> int:
    """Returns the position after the last pending calibration batch, or the first position; moves later batches on by
    one."""
    row = await tx.one(
        f"""SELECT COALESCE(MAX(position), 0) + 1 AS position FROM batches
            WHERE {_PENDING} AND batch_type = 'Calibration'""",
        team_id=team_id,
        mode=mode,
    )
    position = row["position"] if row else 1
    await tx.run(
        f"UPDATE batches SET position = position + 1 WHERE {_PENDING} AND position >= :position",
        team_id=team_id,
        mode=mode,
        position=position,
    )
    return position


_PAIRS = {"sqlite": "json_each(:positions)", "postgresql": "json_each_text(CAST(:positions AS JSON))"}


async def set_positions(tx: Tx, team_id: str, mode: Mode, places: Mapping[str, int]) -> None:
    """Sets the positions of pending batches, by id. A batch that has completed meanwhile gets none."""
    await tx.run(
        f"""UPDATE batches SET position = CAST(place.value AS INTEGER) FROM {_PAIRS[tx.engine]} AS place
            WHERE batches.id = place.key AND {_PENDING}""",
        team_id=team_id,
        mode=mode,
        positions=json.dumps(places),
    )


# --------------------------------------------------------------------------------------------- groups


async def set_groups(tx: Tx, batch: Batch, group_ids: Sequence[str]) -> None:
    """Replaces the groups of a batch, in this order."""
    await tx.run(
        "DELETE FROM batch_groups WHERE team_id = :team_id AND batch_id = :batch_id",
        team_id=batch.team_id,
        batch_id=batch.id,
    )
    await tx.insert(
        "batch_groups",
        ("team_id", "batch_id", "group_id", "number"),
        [(batch.team_id, batch.id, group_id, number) for number, group_id in enumerate(group_ids)],
    )


async def groups_of(tx: Tx, team_id: str, batch_ids: Sequence[str]) -> dict[str, list[str]]:
    """Returns the ids of each batch's groups, in order; batches without groups are absent."""
    rows = await tx.all(
        """SELECT batch_id, group_id FROM batch_groups
           WHERE team_id = :team_id AND batch_id IN :batch_ids[] ORDER BY batch_id, number""",
        team_id=team_id,
        batch_ids=list(batch_ids),
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["batch_id"], []).append(row["group_id"])
    return found
