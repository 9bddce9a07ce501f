"""The operations of the queue of Studio batches."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from refonte_studio.batches import service
from refonte_studio.batches.model import Batch, BatchSummary, BatchType
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.web import Call, Operations, Params

operations = Operations("Studio Actions")

_EXAMPLE = {
    "id": "6553f1a0c8e25b7d91f0a3d1",
    "name": "Dogs, first hundred",
    "projectId": "6553f1a0c8e25b7d91f0a3c4",
    "projectName": "Dog photographs",
    "batchType": "Production",
    "studioPriority": 1,
    "total": 100,
    "completed": 60,
    "groups": ["Night shift"],
}


class ListStudioBatches(Params):
    project: str | None = None
    group: str | None = None


class AssignBatch(Params):
    ALIASES: ClassVar[Mapping[str, str]] = {"group": "groups"}
    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset({"groups"})

    groups: list[str]


class BatchName(msgspec.Struct):
    """A batch, by its name. Other fields of the object are ignored."""

    name: str


class SetPriorities(Params):
    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset({"batches"})

    batches: list[str | BatchName]
    group: str | None = None
    project: str | None = None


class ResetPriorities(Params):
    group: str | None = None
    project: str | None = None


class StudioBatchOut(msgspec.Struct, kw_only=True):
    id: str
    name: str
    projectId: str
    projectName: str
    batchType: BatchType
    studioPriority: int | UnsetType = UNSET  # of pending batches
    total: int
    completed: int
    groups: list[str]

    @classmethod
    def of(cls, listed: BatchSummary) -> "StudioBatchOut":
        return cls(
            id=listed.batch.id,
            name=listed.batch.name,
            projectId=listed.batch.project_id,
            projectName=listed.project_name,
            batchType=listed.batch.batch_type,
            studioPriority=UNSET if listed.priority is None else listed.priority,
            total=listed.counts.total,
            completed=listed.counts.completed,
            groups=list(listed.groups),
        )


def _outs(batches: Sequence[BatchSummary]) -> list[StudioBatchOut]:
    return [StudioBatchOut.of(listed) for listed in batches]


async def located(tx: Tx, caller: Caller, path: Mapping[str, str]) -> Batch:
    """Returns the batch in the path."""
    return await service.find(tx, caller.team_id, caller.mode, path["batch"])


@operations.add(
    "GET",
    "/v1/studio/batches",
    may=Permission.READ,
    locate=service.check_filters,
    params=ListStudioBatches,
    answer=list[StudioBatchOut],
    errors=(404,),
    example={"project": "Dog photographs"},
    example_answer=[_EXAMPLE],
)
async def list_studio_batches(call: Call, params: ListStudioBatches) -> list[StudioBatchOut]:
    """List the pending batches in order of priority.

    Pending batches are finalized and not yet completed. `project` and `group` filter the list; `studioPriority` still
    counts all of them. Batches open to everybody belong to no group.
    """
    return _outs(await call.db.read(service.pending, call.caller, params.project, params.group))


@operations.add(
    ("POST", "PUT"),
    "/v1/studio/batches/{batch}",
    may=Permission.MANAGE,
    params=AssignBatch,
    answer=StudioBatchOut,
    locate=located,
    example={"groups": ["Night shift", "dee@example.com"]},
    example_answer={**_EXAMPLE, "groups": ["Night shift", "dee@example.com"]},
)
async def assign_studio_batch(call: Call, params: AssignBatch) -> StudioBatchOut:
    """Set the groups that may work on a batch.

    They replace the existing groups. An e-mail address stands for that teammate alone, who must be assigned to the
    project. An empty list opens the batch to everyone assigned to the project.
    """
    return StudioBatchOut.of(
        await call.db.write(service.set_groups, call.caller, call.path["batch"], params.groups, call.now)
    )


@operations.add(
    "POST",
    "/v1/studio/batches/set_priorities",
    may=Permission.MANAGE,
    params=SetPriorities,
    answer=list[StudioBatchOut],
    example={"batches": [{"name": "Dogs, second hundred"}, {"name": "Dogs, first hundred"}]},
    example_answer=[_EXAMPLE],
)
async def set_studio_priorities(call: Call, params: SetPriorities) -> list[StudioBatchOut]:
    """Put pending batches first, in the given order.

    The others follow in their current order. With `group` (and `project`, which narrows it), only that group's batches
    exchange positions among themselves. A name that is unknown, completed, repeated or outside the group is rejected,
    and nothing changes. Returns all pending batches.
    """
    names = [batch if isinstance(batch, str) else batch.name for batch in params.batches]
    return _outs(await call.db.write(service.set_priorities, call.caller, names, params.project, params.group))


@operations.add(
    "POST",
    "/v1/studio/batches/reset_priorities",
    may=Permission.MANAGE,
    params=ResetPriorities,
    answer=list[StudioBatchOut],
    example={"group": "Night shift"},
    example_answer=[_EXAMPLE],
)
async def reset_studio_priorities(call: Call, params: ResetPriorities) -> list[StudioBatchOut]:
    """Put pending batches back in their initial order.

    Calibration batches come first, then the others, each by creation. With `group` (and `project`, which narrows it),
    only that group's batches exchange positions among themselves. Returns all pending batches.
    """
    return _outs(await call.db.write(service.reset_priorities, call.caller, params.project, params.group))
