"""Operations that return figures of the work in a period."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from refonte_studio.analytics import service
from refonte_studio.analytics.model import AnalyticsQuery, Figures, Subject
from refonte_studio.batches import service as batches
from refonte_studio.kit.caller import Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.web import Call, Operations, Params

operations = Operations("Insight")


class PeriodParams(Params):
    """Filters of work and period. The period includes `from` and excludes `to`."""

    project: str | None = None
    batch: str | None = None
    group: str | None = None
    labeler_emails: list[str] | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    to: str | None = None


class FiguresParams(PeriodParams):
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class ThroughputOut(msgspec.Struct):
    per_active_hour: float | None
    per_calendar_day: float | None


class ActiveOut(msgspec.Struct):
    median: int | None
    p90: int | None
    total: int


class AccuracyFigureOut(msgspec.Struct):
    evaluated: int
    passed: int
    accuracy: float | None
    low: float | None
    high: float | None


class AgreementOut(msgspec.Struct):
    alpha: float | None
    mean: float | None


class FiguresOut(msgspec.Struct, kw_only=True):
    name: str | UnsetType = UNSET  # of a project, batch or group
    email: str | UnsetType = UNSET  # of a labeler
    project: str | None
    done: int
    completed: int | None
    pending: int
    skipped: int
    rejected: int
    throughput: ThroughputOut
    active_ms: ActiveOut
    accuracy: AccuracyFigureOut
    agreement: AgreementOut

    @classmethod
    def of(cls, subject: Subject, row: Figures) -> "FiguresOut":
        share, low, high = row.accuracy or (None, None, None)
        return cls(
            name=UNSET if subject == "labeler" else row.name,
            email=row.name if subject == "labeler" else UNSET,
            project=row.project,
            done=row.done.done,
            completed=row.completed,
            pending=row.pending,
            skipped=row.skipped,
            rejected=row.done.rejected,
            throughput=ThroughputOut(row.per_active_hour, row.per_calendar_day),
            active_ms=ActiveOut(row.done.median_ms, row.done.p90_ms, row.done.active_ms),
            accuracy=AccuracyFigureOut(row.evaluated, row.passed, share, low, high),
            agreement=AgreementOut(row.alpha, row.done.agreement),
        )


class FiguresPage(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    from_: str | None  # null: from the beginning
    to: str
    docs: list[FiguresOut]
    limit: int
    has_more: bool
    next_token: str | UnsetType = UNSET


def asked_for(params: PeriodParams, now: int) -> AnalyticsQuery:
    """Returns the query of the parameters."""
    return AnalyticsQuery(
        now, params.project, params.batch, params.group, params.labeler_emails, params.from_, params.to
    )


async def _page(call: Call, subject: Subject, params: FiguresParams) -> FiguresPage:
    asked = asked_for(params, call.now)
    scope, page = await call.replica.read(service.figures, call.caller, subject, asked, params.limit, params.next_token)
    return FiguresPage(
        from_=None if scope.start is None else iso(scope.start),
        to=iso(scope.end if params.to else call.now),
        docs=[FiguresOut.of(subject, row) for row in page.docs],
        limit=page.limit,
        has_more=page.has_more,
        next_token=page.next_token or UNSET,
    )


_EXAMPLE = {"from": "2023-08-01", "to": "2023-09-01"}
_EXAMPLE_ROW = {
    "name": "Dog breeds",
    "project": "Dog breeds",
    "done": 2412,
    "completed": 803,
    "pending": 197,
    "skipped": 12,
    "rejected": 31,
    "throughput": {"per_active_hour": 118.2, "per_calendar_day": 77.8},
    "active_ms": {"median": 24_180, "p90": 61_020, "total": 73_461_000},
    "accuracy": {"evaluated": 120, "passed": 111, "accuracy": 0.925, "low": 0.8637, "high": 0.96},
    "agreement": {"alpha": 0.81, "mean": 0.893},
}
_EXAMPLE_PAGE = {
    "from": "2023-08-01T00:00:00.000Z",
    "to": "2023-09-01T00:00:00.000Z",
    "docs": [_EXAMPLE_ROW],
    "limit": 100,
    "has_more": False,
}
_OF_PART = {**_EXAMPLE_ROW, "agreement": {"alpha": None, "mean": 0.893}}


@operations.add(
    "GET",
    "/v1/insight/projects",
    may=Permission.READ,
    locate=batches.check_filters,
    params=FiguresParams,
    answer=FiguresPage,
    errors=(404,),
    example={"project": "Dog breeds", **_EXAMPLE},
    example_answer=_EXAMPLE_PAGE,
)
async def project_figures(call: Call, params: FiguresParams) -> FiguresPage:
    """Get the figures of each project: work done and its quality.

    Newest projects first. `batch`, `group` (its present members) and `labeler_emails` restrict whose work counts.

    * `done` counts the attempts at work tasks submitted at or after `from` and before `to`. Without `from`, the period
      begins with the first attempt; without `to`, it ends now. Imported attempts count as well.
    * `completed` and `pending` count tasks as they are now, for any period and people. `skipped` counts declined tasks.
    * `rejected` counts the attempts of `done` that a review rejected, or whose task the last audit rejected.
    * `active_ms` is the time from claim to submission by the server's clock: its median, its 90th percentile and its
      sum. Imported attempts have no such time.
    * `throughput` is the number of these attempts per hour of that time, and per calendar day of the period, or since
      the first attempt if the period has no start. A period shorter than a day counts as a day.
    * `accuracy` is the share of evaluation tasks passed, with its 95 % interval (Wilson).
    * `agreement.mean` is the mean agreement (0 to 1) of the completed tasks that several people did; `alpha` is
      Krippendorff's alpha of the whole project, null until it is computed.
    """
    return await _page(call, "project", params)


@operations.add(
    "GET",
    "/v1/insight/batches",
    may=Permission.READ,
    locate=batches.check_filters,
    params=FiguresParams,
    answer=FiguresPage,
    errors=(404,),
    example={"project": "Dog breeds", **_EXAMPLE},
    example_answer={**_EXAMPLE_PAGE, "docs": [{**_OF_PART, "name": "Dogs, first hundred"}]},
)
async def batch_figures(call: Call, params: FiguresParams) -> FiguresPage:
    """Get the figures of each batch: work done and its quality.

    Newest batches first. The figures have the same meaning as for projects. An evaluation task counts for the batch
    with whose tasks it was given out.
    """
    return await _page(call, "batch", params)


@operations.add(
    "GET",
    "/v1/insight/groups",
    may=Permission.READ,
    locate=batches.check_filters,
    params=FiguresParams,
    answer=FiguresPage,
    errors=(404,),
    example={"project": "Dog breeds", **_EXAMPLE},
    example_answer={**_EXAMPLE_PAGE, "docs": [{**_OF_PART, "name": "Night shift"}]},
)
async def group_figures(call: Call, params: FiguresParams) -> FiguresPage:
    """Get the figures of each group of a project: work done and its quality.

    `project` is required. Newest groups first. The figures have the same meaning as for projects and describe the work
    of the group's present members; `completed` and `pending` count the tasks of the batches assigned to the group.
    """
    return await _page(call, "group", params)


@operations.add(
    "GET",
    "/v1/insight/labelers",
    may=Permission.READ,
    locate=batches.check_filters,
    params=FiguresParams,
    answer=FiguresPage,
    errors=(404,),
    example={"project": "Dog breeds", **_EXAMPLE},
    example_answer={
        **_EXAMPLE_PAGE,
        "docs": [{"email": "ben@example.com", **{k: v for k, v in _OF_PART.items() if k != "name"}, "completed": None}],
    },
)
async def labeler_figures(call: Call, params: FiguresParams) -> FiguresPage:
    """Get the figures of each labeler: work done and its quality.

    Lists the people assigned to the project (without a project: all labelers) and everybody else who did anything in
    the period, newest people first. The figures have the same meaning as for projects. `completed` is null, because a
    task can have several labelers, and `pending` counts the tasks of pending batches that are open to the person.
    """
    return await _page(call, "labeler", params)
