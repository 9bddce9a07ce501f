"""Operations that forecast when batches will be finished."""

import asyncio
from typing import ClassVar

import msgspec

from refonte_studio.analytics.model import Basis, BatchForecast, Queue
from refonte_studio.analytics.policy import simulation
from refonte_studio.analytics.service import forecasts
from refonte_studio.batches import service as batches
from refonte_studio.kit.caller import Permission
from refonte_studio.kit.clock import iso
from refonte_studio.web import Call, Operations, Params

operations = Operations("Insight")


class ForecastParams(Params):
    project: str | None = None


class TriedBatch(msgspec.Struct):
    """A batch by name; other fields of the object are ignored."""

    name: str


class TryOutParams(Params):
    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset({"batches"})

    batches: list[str | TriedBatch]
    group: str | None = None
    project: str | None = None


class FinishOut(msgspec.Struct):
    median: str | None
    low: str | None
    high: str | None


class ForeseenOut(msgspec.Struct, kw_only=True):
    batch: str
    project: str
    remaining_attempts: int
    awaiting_review: int
    people: int
    starts_at: str | None
    finish_at: FinishOut
    pace: Basis | None
    reason: str | None

    @classmethod
    def of(cls, foreseen: BatchForecast, now: int) -> "ForeseenOut":
        finish = foreseen.finish
        return cls(
            batch=foreseen.batch,
            project=foreseen.project,
            remaining_attempts=foreseen.remaining,
            awaiting_review=foreseen.awaiting_review,
            people=foreseen.people,
            starts_at=_at(now, finish.starts),
            finish_at=FinishOut(_at(now, finish.median), _at(now, finish.low), _at(now, finish.high)),
            pace=finish.basis,
            reason=finish.reason,
        )


class ForecastOut(msgspec.Struct):
    now: str
    batches: list[ForeseenOut]
    left_out: int


def _at(now: int, ahead: int | None) -> str | None:
    return None if ahead is None else iso(now + ahead)


async def _forecast(call: Call, queue: Queue) -> ForecastOut:
    found = await asyncio.to_thread(simulation.foresee, queue.known)
    shown = [
        BatchForecast(
            batch=queue.names[place][0],
            project=queue.names[place][1],
            remaining=queue.known.lines[place].remaining,
            awaiting_review=queue.reviewing[place],
            people=len(queue.known.lines[place].people),
            finish=found[place],
        )
        for place in queue.shown
    ]
    return ForecastOut(iso(call.now), [ForeseenOut.of(each, call.now) for each in shown], queue.left_out)


_EXAMPLE = {
    "now": "2023-08-09T16:12:38.072Z",
    "batches": [
        {
            "batch": "Dogs, first hundred",
            "project": "Dog breeds",
            "remaining_attempts": 120,
            "awaiting_review": 0,
            "people": 4,
            "starts_at": "2023-08-09T16:12:38.072Z",
            "finish_at": {
                "median": "2023-08-10T10:41:00.000Z",
                "low": "2023-08-10T09:20:00.000Z",
                "high": "2023-08-10T14:05:00.000Z",
            },
            "pace": "measured",
            "reason": None,
        }
    ],
    "left_out": 0,
}


@operations.add(
    "GET",
    "/v1/insight/forecast",
    may=Permission.READ,
    locate=batches.check_filters,
    params=ForecastParams,
    answer=ForecastOut,
    errors=(404,),
    example={"project": "Dog breeds"},
    example_answer=_EXAMPLE,
)
async def get_forecast(call: Call, params: ForecastParams) -> ForecastOut:
    """Forecast when each pending batch will be finished.

    In order of priority, from what the people of each batch did in the last 14 days. `finish_at` is the median: the
    batch is as likely to be finished earlier as later. Its interval holds in four cases out of five. Everybody works on
    the first batch of the queue that is open to them, and nobody does a task twice. `project` restricts the batches
    that are shown, not those that the forecast takes into account.

    `remaining_attempts` counts the attempts that pending tasks still need. `people` counts those who may work on the
    batch: they are active, assigned, not paused and in one of its groups. `pace` is `measured` if any of them worked in
    these days, and otherwise `pooled` from their colleagues. A time without a forecast is null, and `reason` says why.
    The forecast is about attempts: tasks that wait for a review (`awaiting_review`) are completed by that review. It
    covers the first 500 batches of the queue; `left_out` counts the others.
    """
    return await _forecast(call, await call.replica.read(forecasts.present, call.caller, params.project, call.now))


@operations.add(
    "POST",
    "/v1/insight/forecast",
    may=Permission.READ,
    params=TryOutParams,
    answer=ForecastOut,
    changes=False,
    example={"batches": [{"name": "Dogs, second hundred"}, {"name": "Dogs, first hundred"}]},
    example_answer=_EXAMPLE,
)
async def try_out_priorities(call: Call, params: TryOutParams) -> ForecastOut:
    """Forecast when each pending batch would be finished with other priorities.

    The named batches come first, in that order, as `POST /v1/studio/batches/set_priorities` with the same parameters
    would order them, but nothing changes. A batch that is unknown, completed, repeated, or outside of the `group` or
    `project` is refused. With `project`, only the project's batches are shown.
    """
    names = [batch if isinstance(batch, str) else batch.name for batch in params.batches]
    queue = await call.replica.read(forecasts.tried_out, call.caller, names, params.project, params.group, call.now)
    return await _forecast(call, queue)
