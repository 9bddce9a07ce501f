"""Use-cases that list reviews and due audits for managers."""

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.pages import Page, checked_token, page_of
from refonte_studio.projects import service as projects
from refonte_studio.reviews import policy
from refonte_studio.reviews.model import AuditDue, ReviewState, ReviewSummary
from refonte_studio.reviews.store import lists as list_store


async def reviews(
    tx: Tx, caller: Caller, project: str | None, state: str | None, limit: int, token: str | None
) -> Page[ReviewSummary]:
    """Returns a page of reviews, newest first. Raises NotFound for an unknown project, BadInput for a bad state."""
    project_id = None
    if project is not None:
        project_id = (await projects.find(tx, caller.team_id, caller.mode, project)).id
    if state is not None and state not in list(ReviewState):
        raise BadInput(f"state must be one of {', '.join(ReviewState)}, not {shown(state)}")
    rows = await list_store.newest(tx, caller, project_id, state, checked_token(token), limit + 1)
    return page_of(rows, limit, lambda listed: listed.review.id)


async def audits_due(tx: Tx, caller: Caller, project: str, limit: int, token: str | None) -> Page[AuditDue]:
    """Returns a page of a project's completed tasks that are sampled by its audit rate and that the caller may audit,
    oldest first. Raises NotFound for an unknown project."""
    found = await projects.find(tx, caller.team_id, caller.mode, project)
    after, bound = checked_token(token), policy.audit_bound(found.quality.audit_rate)
    if not found.quality.audit_rate:
        return Page((), limit, None)
    rows = await list_store.audits_due(tx, caller, found.id, bound, after, limit + 1)
    return page_of(rows, limit, lambda due: due.task_id)
