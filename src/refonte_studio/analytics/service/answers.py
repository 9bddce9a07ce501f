"""Use-cases that read attempts. `policy/comparison` evaluates them, outside of the transaction."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from refonte_studio.analytics.model import AnalyticsQuery, ComparedAttempt, RecentAttempts, Scope
from refonte_studio.analytics.service.figures import scope_of
from refonte_studio.analytics.store import answers as answer_store
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.teams import service as teams

Against = Literal["result", "evaluation", "each_other"]

ATTEMPTS_LIMIT = 50_000  # that one question reads
CHARACTERS_LIMIT = 60_000_000  # of parameters and responses, about
FIRST_ROWS, LEAST_ROWS, MOST_ROWS = 200, 20, 5_000  # read at once: so many that they have about
CHARACTERS_AT_ONCE = 4_000_000

Fetch = Callable[[Tx, Caller, str, Scope, str | None, int], Awaitable[list[ComparedAttempt]]]
_FETCH: dict[Against, Fetch] = {
    "result": answer_store.with_results,
    "evaluation": answer_store.with_expected,
    "each_other": answer_store.side_by_side,
}


async def answers(tx: Tx, caller: Caller, asked: AnalyticsQuery, against: Against) -> RecentAttempts:
    """The newest attempts of a project in a period, with what they are held against, as many as are read at most.

    Raises as `scope_of`, and BadInput where no project is named.
    """
    if asked.project is None:
        raise BadInput("project is required")
    scope = await scope_of(tx, caller, asked)
    found: list[ComparedAttempt] = []
    rows, characters = FIRST_ROWS, 0
    while True:
        wanted = min(rows, ATTEMPTS_LIMIT + 1 - len(found))
        before = found[-1].id if found else None
        page = await _FETCH[against](tx, caller, scope.project_id or "", scope, before, wanted)
        found += page
        characters += sum(map(_size, page))
        if len(page) < wanted:
            return RecentAttempts(found, truncated=False)
        if len(found) > ATTEMPTS_LIMIT or characters > CHARACTERS_LIMIT:
            return RecentAttempts(found[:ATTEMPTS_LIMIT], truncated=True)
        rows = max(LEAST_ROWS, min(MOST_ROWS, CHARACTERS_AT_ONCE * len(found) // max(1, characters)))


async def held_against(tx: Tx, caller: Caller, asked: AnalyticsQuery, against: str) -> RecentAttempts:
    """The same for a confusion matrix. Raises BadInput for what they cannot be held against."""
    await scope_of(tx, caller, asked)
    if against == "result":
        return await answers(tx, caller, asked, "result")
    if against == "evaluation":
        return await answers(tx, caller, asked, "evaluation")
    raise BadInput(f"against must be result or evaluation, not {shown(against)}")


def _size(given: ComparedAttempt) -> int:
    return len(given.params) + len(given.response) + len(given.result or "")


async def emails(tx: Tx, caller: Caller, teammate_ids: Sequence[str]) -> dict[str, str]:
    """What these people are called, external annotators too."""
    return await teams.emails_of(tx, caller.team_id, teammate_ids)


async def of_addresses(tx: Tx, caller: Caller, addresses: Sequence[str]) -> dict[str, str]:
    """The people of these addresses: their ids, with their addresses. Raises BadInput naming an unknown one."""
    found = await teams.labelers(tx, caller.team_id, addresses) if addresses else []
    return {mate.id: mate.email for mate in found}
