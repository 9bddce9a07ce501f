"""Use-cases that read the input of a forecast."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from refonte_studio.analytics.model import (
    DAY_HOURS,
    HISTORY_DAYS,
    BatchRemainder,
    ForecastInput,
    ProjectPace,
    Queue,
    QueuedBatch,
    Worker,
)
from refonte_studio.analytics.policy import figures as figure_policy
from refonte_studio.analytics.store import forecasts as forecast_store
from refonte_studio.batches import service as batches
from refonte_studio.batches.model import BatchSummary
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.kit.errors import BadInput, NotFound

BATCHES_LIMIT = 500  # batches at the front of the queue; later ones do not affect them
PLACES_LIMIT = 20_000  # assignments of people to projects


async def present(tx: Tx, caller: Caller, project: str | None, now: int) -> Queue:
    """The queue as it is, and the batches to forecast. Raises NotFound for an unknown project."""
    queue = await batches.pending(tx, caller)
    asked = queue if project is None else await batches.pending(tx, caller, project)
    return await _queue(tx, caller, queue, [listed.batch.id for listed in asked], now)


async def tried_out(
    tx: Tx, caller: Caller, names: Sequence[str], project: str | None, group: str | None, now: int
) -> Queue:
    """The queue as `set_priorities` with the same parameters would order it. Raises BadInput where that refuses."""
    queue = await batches.pending(tx, caller)
    try:
        among = await batches.pending(tx, caller, project, group)
    except NotFound as error:
        raise BadInput(error.message) from error
    order = figure_policy.put_first(
        [listed.batch.name for listed in queue], [listed.batch.name for listed in among], names
    )
    by_name = {listed.batch.name: listed for listed in queue}
    shown = among if project is not None else queue
    return await _queue(tx, caller, [by_name[name] for name in order], [one.batch.id for one in shown], now)


async def _queue(tx: Tx, caller: Caller, queue: Sequence[BatchSummary], asked: Sequence[str], now: int) -> Queue:
    looked_at = queue[:BATCHES_LIMIT]
    ids = [listed.batch.id for listed in looked_at]
    people = await _people(tx, caller, looked_at, now) if ids else _People()
    left = await forecast_store.left(tx, caller.team_id, ids) if ids else {}
    had = await _had(tx, caller.team_id, ids, left)
    wanted = frozenset(asked)
    return Queue(
        known=ForecastInput(
            lines=[_line(listed, left.get(listed.batch.id), people, had) for listed in looked_at],
            workers=people.workers,
            paces=people.paces,
        ),
        names=[(listed.batch.name, listed.project_name) for listed in looked_at],
        reviewing=[int(left[batch_id].reviewing) if batch_id in left else 0 for batch_id in ids],
        shown=[place for place, batch_id in enumerate(ids) if batch_id in wanted],
        left_out=len(wanted.difference(ids)),
    )


async def _had(
    tx: Tx, team_id: str, batch_ids: Sequence[str], left: Mapping[str, BatchRemainder]
) -> Mapping[str, Mapping[str, int]]:
    """How many open tasks each person already had, for batches whose tasks several people do."""
    several = [batch_id for batch_id in batch_ids if batch_id in left and left[batch_id].wanted > 1]
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for batch_id, teammate_id, tasks in await forecast_store.had(tx, team_id, several) if several else ():
        found[batch_id][teammate_id] = tasks
    return found


@dataclass(frozen=True, slots=True)
class _People:
    """The people who may work on any of the batches, and their pace."""

    workers: Sequence[Worker] = ()
    paces: Mapping[str, ProjectPace] = field(default_factory=dict[str, ProjectPace])
    places: Mapping[str, int] = field(default_factory=dict[str, int])  # in `workers`, by teammate id
    of_project: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    of_batch: Mapping[str, frozenset[str | None]] = field(
        default_factory=dict[str, frozenset[str | None]]
    )  # that has groups

    def who(self, listed: BatchSummary) -> list[int]:
        """The indexes of the people who may work on the batch."""
        assigned = self.of_project.get(listed.batch.project_id, ())
        groups = self.of_batch.get(listed.batch.id)
        return [self.places[person] for person in assigned if groups is None or person in groups]


def _line(
    listed: BatchSummary, left: BatchRemainder | None, people: _People, had: Mapping[str, Mapping[str, int]]
) -> QueuedBatch:
    mine = had.get(listed.batch.id, {})
    return QueuedBatch(
        id=listed.batch.id,
        project_id=listed.batch.project_id,
        remaining=int(left.remaining) if left else 0,
        tasks=int(left.tasks) if left else 0,
        wanted=int(left.wanted) if left else 0,
        people=people.who(listed),
        had={people.places[person]: tasks for person, tasks in mine.items() if person in people.places},
    )


async def _people(tx: Tx, caller: Caller, queue: Sequence[BatchSummary], now: int) -> _People:
    ids = [listed.batch.id for listed in queue]
    assigned = await forecast_store.may_work(tx, caller.team_id, ids, PLACES_LIMIT + 1)
    if len(assigned) > PLACES_LIMIT:
        raise BadInput(f"more than {PLACES_LIMIT:,} people in projects may work these batches; ask for fewer at once")
    since: dict[str, int] = {}
    of_project: defaultdict[str, list[str]] = defaultdict(list)
    for each in assigned:
        since[each.teammate_id] = min(each.since, since.get(each.teammate_id, each.since))
        of_project[each.project_id].append(each.teammate_id)
    of_batch: defaultdict[str, set[str | None]] = defaultdict(set)
    for batch_id, teammate_id in await forecast_store.members(tx, caller.team_id, ids):
        of_batch[batch_id].add(teammate_id)
    workers, paces = await _workers(tx, caller, since, now)
    return _People(
        workers=workers,
        paces=paces,
        places={worker.id: place for place, worker in enumerate(workers)},
        of_project=of_project,
        of_batch={batch_id: frozenset(members) for batch_id, members in of_batch.items()},
    )


async def _workers(
    tx: Tx, caller: Caller, since: Mapping[str, int], now: int
) -> tuple[list[Worker], dict[str, ProjectPace]]:
    """The people with their work of the last days. A newcomer's days begin with their first attempt, or with their
    assignment if there is none."""
    people = sorted(since)
    start = now - HISTORY_DAYS * DAY_MS
    began = await forecast_store.began(tx, caller.team_id, people) if people else {}
    work: dict[str, list[list[float]]] = {}
    for person in people:
        days = min(HISTORY_DAYS, max(0, -(-(now - began.get(person, since[person])) // DAY_MS)))
        work[person] = [[0.0] * DAY_HOURS for _ in range(days)]
    own: defaultdict[str, dict[str, ProjectPace]] = defaultdict(dict)
    everybody: dict[str, ProjectPace] = {}
    for each in await forecast_store.worked(tx, caller, people, start, now) if people else ():
        active_ms = max(each.active_ms, each.attempts)  # an attempt takes at least a millisecond
        day, hour = divmod(each.ago, DAY_HOURS)
        days = work[each.teammate_id]
        if day < len(days):
            days[day][DAY_HOURS - 1 - hour] += active_ms
        for paces in (own[each.teammate_id], everybody):
            paces[each.project_id] = _more(paces.get(each.project_id), each.attempts, active_ms)
    return [Worker(person, work[person], own[person]) for person in people], everybody


def _more(pace: ProjectPace | None, attempts: int, active_ms: int) -> ProjectPace:
    before = pace or ProjectPace(0, 0.0)
    return ProjectPace(before.attempts + attempts, before.active_ms + active_ms)
