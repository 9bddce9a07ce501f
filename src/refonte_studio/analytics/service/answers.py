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

ATTEMPTS_LIMIT = 50_000  # attempts that one request reads at most
CHARACTERS_LIMIT = 60_000_000  # approximate limit on characters of parameters and responses
FIRST_ROWS, LEAST_ROWS, MOST_ROWS = 200, 20, 5_000  # rows read at once, chosen so that they have about
CHARACTERS_AT_ONCE = 4_000_000

Fetch = Callable[[Tx, Caller, str, Scope, str | None, int], Awaitable[list[ComparedAttempt]]]
_FETCH: dict[Against, Fetch] = {
    "result": answer_store.with_results,
    "evaluation": answer_store.with_expected,
    "each_other": answer_store.side_by_side,
}


async def answers(tx: Tx, caller: Caller, asked: AnalyticsQuery, against: Against) -> RecentAttempts:
    """The newest attempts of a project in a period, up to the limits, with the responses to compare them with.

    Raises what `scope_of` raises, and BadInput if no project is named.
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
    """The same for a confusion matrix. Raises BadInput for an unknown value of `against`."""
    await scope_of(tx, caller, asked)
    if against == "result":
        return await answers(tx, caller, asked, "result")
    if against == "evaluation":
        return await answers(tx, caller, asked, "evaluation")
    raise BadInput(f"against must be result or evaluation, not {shown(against)}")


def _size(given: ComparedAttempt) -> int:
    return len(given.params) + len(given.response) + len(given.result or "")


async def emails(tx: Tx, caller: Caller, teammate_ids: Sequence[str]) -> dict[str, str]:
    """The addresses or names of these people, including external annotators."""
    return await teams.emails_of(tx, caller.team_id, teammate_ids)


async def of_addresses(tx: Tx, caller: Caller, addresses: Sequence[str]) -> dict[str, str]:
    """The ids of the people with these addresses, by id. Raises BadInput naming an unknown address."""
    found = await teams.labelers(tx, caller.team_id, addresses) if addresses else []
    return {mate.id: mate.email for mate in found}
