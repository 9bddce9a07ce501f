"""Use-cases that show tasks: one, a page, an export."""

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

OFFSET_LIMIT = 10_000  # of a page; beyond, `next_token` goes on
COUNTED = 10_000  # tasks, at most, where a filter has to be tried on each of them
EXPORT_TASKS = 500  # of one page of an export, at most
EXPORT_CHARACTERS = 2_000_000  # of one page, about; attempts may take as much again for each of them


async def described(
    tx: Tx, team_id: str, tasks: Sequence[Task], *, attempts: bool = False, files_url: str | None = None
) -> list[bytes]:
    """The JSON of each of these tasks, with their attempts if that is asked for."""
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
    """The addresses of those who audited, attempted or imported, by id."""
    given = [*audits.values(), *tries.values()]
    people = {each.teammate_id for by_task in given for each in by_task}
    people |= {each.imported_by for by_task in tries.values() for each in by_task if each.imported_by is not None}
    return await teams.emails_of(tx, team_id, people)


async def show(tx: Tx, caller: Caller, task_id: str) -> bytes:
    """One task's JSON. Raises NotFound."""
    return (await described(tx, caller.team_id, [await find(tx, caller.team_id, caller.mode, task_id)]))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """What a list or an export is asked for, as it came in."""

    project: str | None = None
    batch: str | None = None
    status: str | None = None
    type: str | None = None
    reviews: Sequence[str] | None = None
    rest: TaskFilter = field(default_factory=TaskFilter)  # all that needs no look-up


async def filter_for(tx: Tx, caller: Caller, asked: TaskQuery) -> TaskFilter:
    """The filter that a question means. Raises NotFound for an unknown project or batch, or a batch of another
    project, then BadInput."""
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
    """How many tasks there are, or that there are at least so many."""

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
    """One page of tasks, newest first, as JSON, and how many there are in all.

    Raises as `filter_for`, and BadInput for a place that cannot be.
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
    """How many tasks a filter lets through, of which at least so many were seen: by the batches' own counts where they
    tell, else by counting, which ends at a limit where other filters than project, batch, status and type take part."""
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
    """The next lines of an export, bounded in number and size, and the id to go on after; None at the end."""
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
    """Makes a change to a task, and answers with the task's JSON."""
    task = await change(tx, caller, *args, **more)
    return (await described(tx, caller.team_id, [task]))[0]


async def tasks_by_ids(tx: Tx, team_id: str, task_ids: Sequence[str]) -> dict[str, Task]:
    """These tasks of the team, by id."""
    return await task_store.tasks_by_ids(tx, team_id, task_ids)
