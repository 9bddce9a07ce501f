"""Use-cases that read tasks: one task, a page, an export."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Concatenate, ParamSpec

from refonte_studio import task_types
from refonte_studio.batches import service as batches
from refonte_studio.batches.model import Counts
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.ndjson import escape_line_separators
from refonte_studio.kit.pages import Page, PageCursor, checked_cursor, page_of
from refonte_studio.projects import service as projects
from refonte_studio.tasks.model import Attempt, Audit, ReviewStatus, Task, TaskFilter, TaskStatus
from refonte_studio.tasks.policy import presentation
from refonte_studio.tasks.service.editing import find
from refonte_studio.tasks.store import attempts as attempt_store
from refonte_studio.tasks.store import lists as list_store
from refonte_studio.tasks.store import tasks as task_store
from refonte_studio.teams import service as teams

P = ParamSpec("P")

OFFSET_LIMIT = 10_000  # the largest offset of a page; further pages need `next_token`
COUNTED = 10_000  # tasks are counted up to this number if a filter must be evaluated for each
EXPORT_TASKS = 500  # upper bound on the tasks of one page of an export
EXPORT_CHARACTERS = 2_000_000  # approximate size of one page; attempts can multiply it


async def described(
    tx: Tx, team_id: str, tasks: Sequence[Task], *, attempts: bool = False, files_url: str | None = None
) -> list[bytes]:
    """Returns the JSON of each of these tasks; with `attempts`, including their attempts."""
    ids = [task.id for task in tasks]
    names = await projects.names_by_ids(tx, team_id, list({task.project_id for task in tasks}))
    batch_names = await _batch_names(tx, team_id, tasks)
    reviewed = [task.id for task in tasks if task.review_status is not None]
    audits = await attempt_store.audits_of(tx, team_id, reviewed) if reviewed else {}
    tries = await attempt_store.attempts_of(tx, team_id, ids) if attempts else {}
    emails = await _emails(tx, team_id, audits, tries)
    return [
        presentation.task_json(
            task,
            names[task.project_id],
            batch_names[task.batch_id] if task.batch_id is not None else None,
            audits=audits.get(task.id, ()),
            attempts=tries.get(task.id, ()) if attempts else None,
            emails=emails,
            files_url=files_url,
        )
        for task in tasks
    ]


async def _batch_names(tx: Tx, team_id: str, tasks: Sequence[Task]) -> dict[str, str]:
    ids = {task.batch_id for task in tasks if task.batch_id is not None}
    found = await batches.by_ids(tx, team_id, list(ids))
    return {batch_id: batch.name for batch_id, batch in found.items()}


async def _emails(
    tx: Tx, team_id: str, audits: dict[str, list[Audit]], tries: dict[str, list[Attempt]]
) -> dict[str, str]:
    """Returns the addresses of the people who audited, attempted or imported, by id."""
    given = [*audits.values(), *tries.values()]
    people = {each.teammate_id for by_task in given for each in by_task}
    people |= {each.imported_by for by_task in tries.values() for each in by_task if each.imported_by is not None}
    return await teams.emails_of(tx, team_id, people)


async def show(tx: Tx, caller: Caller, task_id: str) -> bytes:
    """Returns the JSON of one task. Raises NotFound."""
    return (await described(tx, caller.team_id, [await find(tx, caller.team_id, caller.mode, task_id)]))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """The filters of a list or an export, as given by the client."""

    project: str | None = None
    batch: str | None = None
    status: str | None = None
    type: str | None = None
    reviews: Sequence[str] | None = None
    rest: TaskFilter = field(default_factory=TaskFilter)  # the filters that need no look-up


async def filter_for(tx: Tx, caller: Caller, asked: TaskQuery) -> TaskFilter:
    """Resolves the names of a query. Raises NotFound for an unknown project or batch or a batch of another project, and
    BadInput for an unknown status, type or review status."""
    project, batch = await batches.filtered_by(tx, caller, asked.project, asked.batch)
    if asked.status is not None and asked.status not in list(TaskStatus):
        raise BadInput(f"status must be one of {', '.join(TaskStatus)}, not {shown(asked.status)}")
    task_type = None if asked.type is None else task_types.get(asked.type)
    if asked.type is not None and task_type is None:
        raise BadInput(f"type must be one of {', '.join(task_types.TYPES)}, not {shown(asked.type)}")
    for review in asked.reviews or ():
        if review not in list(ReviewStatus):
            raise BadInput(f"customer_review_status must be of {', '.join(ReviewStatus)}, not {shown(review)}")
    return replace(
        asked.rest,
        project_id=None if project is None else project.id,
        batch_id=None if batch is None else batch.id,
        status=None if asked.status is None else TaskStatus(asked.status),
        type=None if task_type is None else task_type.name,
        reviews=None if asked.reviews is None else tuple(map(ReviewStatus, asked.reviews)),
    )


@dataclass(frozen=True, slots=True)
class Total:
    """The number of matching tasks; with `is_minimum`, there may be more."""

    count: int
    is_minimum: bool = False


async def page(
    tx: Tx,
    caller: Caller,
    asked: TaskQuery,
    place: PageCursor,
    limit: int,
    limited: bool,
    files_url: str | None,
) -> tuple[Page[bytes], Total]:
    """Returns one page of tasks as JSON, newest first, and their total number.

    Raises what `filter_for` raises, and BadInput for an invalid cursor.
    """
    which = await filter_for(tx, caller, asked)
    checked_cursor(place, OFFSET_LIMIT)
    rows = await list_store.newest(tx, caller.team_id, caller.mode, which, place, limit + 1)
    found = page_of(rows, limit, lambda task: task.id)
    total = await _total(tx, caller, which, place.offset + len(rows))
    if limited:
        names = await projects.names_by_ids(tx, caller.team_id, list({task.project_id for task in found.docs}))
        docs = [presentation.limited_json(task, names[task.project_id]) for task in found.docs]
    else:
        docs = await described(tx, caller.team_id, found.docs, files_url=files_url)
    return Page(docs, limit, found.next_token), total


async def _total(tx: Tx, caller: Caller, which: TaskFilter, seen: int) -> Total:
    """Returns the number of tasks that match a filter, at least `seen`.

    It is the sum of the batches' counts where that suffices. Otherwise the tasks are counted, up to `COUNTED` if there
    are filters other than project, batch, status and type.
    """
    rest = replace(which, project_id=None, batch_id=None, status=None)
    if rest == TaskFilter():
        return Total(await _by_batches(tx, caller, which))
    if replace(rest, type=None) == TaskFilter():
        return Total(await list_store.count(tx, caller.team_id, caller.mode, which, None))
    counted = await list_store.count(tx, caller.team_id, caller.mode, which, COUNTED)
    return Total(max(counted, seen), counted >= COUNTED)


async def _by_batches(tx: Tx, caller: Caller, which: TaskFilter) -> int:
    if which.project_id is None and which.batch_id is None:
        return _of_status(await batches.counts_of_team(tx, caller.team_id, caller.mode), which.status)
    if which.batch_id is not None:
        chosen = [await batches.by_id(tx, caller.team_id, which.batch_id)]
    else:
        chosen = await batches.of_project(tx, await projects.by_id(tx, caller.team_id, which.project_id or ""))
    ids = [batch.id for batch in chosen if which.project_id in (None, batch.project_id)]
    counts = (await batches.counts(tx, ids)).values()
    return sum(_of_status(count, which.status) for count in counts)


def _of_status(counts: Counts, status: TaskStatus | None) -> int:
    return counts.total if status is None else getattr(counts, status.value)


async def export_page(
    tx: Tx, caller: Caller, which: TaskFilter, after: str, attempts: bool
) -> tuple[bytes, str | None]:
    """Returns the next lines of an export, bounded in number and size, and the id to continue after, or None."""
    sizes = await list_store.oldest_sizes(tx, caller.team_id, caller.mode, which, after, EXPORT_TASKS)
    last, taken, characters = "", 0, 0
    for task_id, size in sizes:
        if taken and characters + size > EXPORT_CHARACTERS:
            break
        last, taken, characters = task_id, taken + 1, characters + size
    if not taken:
        return b"", None
    tasks = await list_store.between(tx, caller.team_id, caller.mode, which, after, last)
    lines = await described(tx, caller.team_id, tasks, attempts=attempts)
    more = taken < len(sizes) or len(sizes) == EXPORT_TASKS
    return escape_line_separators(b"\n".join(lines) + b"\n"), last if more else None


async def shown_after(
    tx: Tx,
    caller: Caller,
    change: Callable[Concatenate[Tx, Caller, P], Awaitable[Task]],
    *args: P.args,
    **more: P.kwargs,
) -> bytes:
    """Applies a change to a task and returns the task's JSON."""
    task = await change(tx, caller, *args, **more)
    return (await described(tx, caller.team_id, [task]))[0]


async def tasks_by_ids(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, Task]:
    """Returns these tasks of the team, by id."""
    return await task_store.tasks_by_ids(tx, team_id, task_ids)
