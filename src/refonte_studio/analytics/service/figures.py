"""Use-cases of figures: how much was done in a period, and how well, by project, batch, group and labeler."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from refonte_studio.analytics.model import AnalyticsQuery, AttemptFigures, Figures, FigureSubject, Scope, Subject
from refonte_studio.analytics.policy import figures as figure_policy
from refonte_studio.analytics.store import figures as figure_store
from refonte_studio.batches import service as batches
from refonte_studio.batches.model import Counts
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.projects import service as projects
from refonte_studio.teams import service as teams


async def scope_of(tx: Tx, caller: Caller, asked: AnalyticsQuery) -> Scope:
    """The people and the period that a request means.

    Raises NotFound for an unknown project, batch or group, and BadInput for an unknown address, for text that is not a
    time, and for a period that ends before it begins.
    """
    await batches.check_filters(tx, caller, _named(asked))
    project_id, batch_id = await batches.ids_filtered_by(tx, caller, asked.project, asked.batch)
    start, end = figure_policy.period(asked.start, asked.end, asked.now)
    people = await _people(tx, caller, asked, project_id)
    return Scope(start, end, project_id, batch_id, people)


def _named(asked: AnalyticsQuery) -> dict[str, str]:
    named = {"project": asked.project, "batch": asked.batch, "group": asked.group}
    return {name: value for name, value in named.items() if value is not None}


async def _people(tx: Tx, caller: Caller, asked: AnalyticsQuery, project_id: str | None) -> list[str] | None:
    """The ids of the people selected by addresses and group; None for everybody."""
    chosen: set[str] | None = None
    if asked.emails is not None:
        if not asked.emails:
            raise BadInput("labeler_emails must not be an empty list")
        chosen = {mate.id for mate in await teams.labelers(tx, caller.team_id, asked.emails)}
    if asked.group is not None:
        ids = await projects.group_ids_named(tx, caller.team_id, caller.mode, asked.group, project_id)
        found = await projects.groups_by_ids(tx, caller.team_id, ids)
        members = {worker_id for group in found.values() for worker_id, _ in group.workers}
        chosen = members if chosen is None else chosen & members
    return None if chosen is None else sorted(chosen)


async def figures(
    tx: Tx, caller: Caller, subject: Subject, asked: AnalyticsQuery, limit: int, token: str | None
) -> tuple[Scope, Page[Figures]]:
    """A page of rows about projects, batches, groups or people, newest first, and the scope that they describe.

    Raises what `scope_of` raises, and BadInput for groups without a project.
    """
    before = checked_token(token)
    if subject == "group" and asked.project is None:
        raise BadInput("project is required")
    scope = await scope_of(tx, caller, asked)
    page = page_of(await _subjects(tx, caller, subject, asked, scope, limit + 1, before), limit, lambda one: one.id)
    rows = await _rows(tx, caller, subject, page.docs, scope)
    return scope, Page(rows, limit, page.next_token)


async def _subjects(
    tx: Tx, caller: Caller, subject: Subject, asked: AnalyticsQuery, scope: Scope, limit: int, before: str | None
) -> list[FigureSubject]:
    if subject == "project":
        return await figure_store.projects_page(tx, caller, scope.project_id, limit, before)
    if subject == "batch":
        return await figure_store.batches_page(tx, caller, scope, limit, before)
    if subject == "group":
        group = None if asked.group is None else projects.group_key(asked.group)
        return await figure_store.groups_page(tx, caller, scope.project_id or "", group, limit, before)
    return await figure_store.labelers_page(tx, caller, scope, limit, before)


async def _rows(
    tx: Tx, caller: Caller, subject: Subject, subjects: Sequence[FigureSubject], scope: Scope
) -> list[Figures]:
    if not subjects:
        return []
    keys = [one.id for one in subjects]
    done = await figure_store.done(tx, caller, subject, keys, scope)
    skipped = await figure_store.skipped(tx, caller, subject, keys, scope)
    evaluated = await figure_store.evaluated(tx, caller, subject, keys, scope)
    counts = await _counts(tx, caller, subject, keys, scope)
    project_ids = sorted({one.project_id for one in subjects if one.project_id is not None})
    names = await projects.names_by_ids(tx, caller.team_id, project_ids) if project_ids else {}
    alphas = await figure_store.alphas(tx, caller.team_id, keys) if subject == "project" else {}
    return [
        _figures(
            one,
            names.get(one.project_id or ""),
            done.get(one.id, AttemptFigures()),
            counts[one.id],
            skipped.get(one.id, 0),
            evaluated.get(one.id, (0, 0)),
            alphas.get(one.id),
            scope,
            has_completed=subject != "labeler",
        )
        for one in subjects
    ]


async def _counts(tx: Tx, caller: Caller, subject: Subject, keys: Sequence[str], scope: Scope) -> Mapping[str, Counts]:
    """The counts of tasks in the batches of each key."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key, batch_id in await figure_store.batches_of(tx, caller, subject, keys, scope.project_id):
        if scope.batch_id in (None, batch_id):
            found[key].add(batch_id)
    counts = await batches.counts(tx, sorted({batch_id for ids in found.values() for batch_id in ids}))
    return {
        key: Counts(
            pending=sum(counts[batch_id].pending for batch_id in found[key]),
            completed=sum(counts[batch_id].completed for batch_id in found[key]),
        )
        for key in keys
    }


def _figures(
    one: FigureSubject,
    project: str | None,
    done: AttemptFigures,
    counts: Counts,
    skipped: int,
    evaluated: tuple[int, int],
    alpha: float | None,
    scope: Scope,
    *,
    has_completed: bool,
) -> Figures:
    tried, passed = evaluated
    return Figures(
        name=one.name,
        project=project,
        done=done,
        per_active_hour=figure_policy.per_active_hour(done),
        per_calendar_day=figure_policy.per_calendar_day(done, scope.start, scope.end),
        pending=counts.pending,
        completed=counts.completed if has_completed else None,
        skipped=skipped,
        evaluated=tried,
        passed=passed,
        accuracy=figure_policy.wilson(passed, tried),
        alpha=alpha,
    )
