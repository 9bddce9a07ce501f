"""Use-cases of a project's reviewers."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.projects import service as projects
from refonte_studio.reviews.store import reviewers as reviewer_store
from refonte_studio.reviews.store import reviews as review_store
from refonte_studio.teams import service as teams
from refonte_studio.teams.model import TeammateState


async def reviewers(tx: Tx, caller: Caller, project_name: str) -> list[str]:
    """Returns the addresses of a project's reviewers. Raises NotFound for an unknown project."""
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    return await reviewer_store.emails(tx, caller.team_id, project.id)


async def add_reviewers(tx: Tx, caller: Caller, project_name: str, emails: Sequence[str], now: int) -> list[str]:
    """Makes these people, of any role, reviewers of the project; returns the addresses of all its reviewers.

    Raises NotFound for an unknown project; BadInput, without a change, for an address that is unknown or not active.
    """
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    people = await teams.people(tx, caller.team_id, emails)
    absent = [person.email for person in people if person.state is not TeammateState.ACTIVE]
    if absent:
        raise BadInput(f"{', '.join(map(shown, absent[:10]))} cannot review before they are active")
    await reviewer_store.add(tx, caller.team_id, project.id, [person.id for person in people], now)
    return await reviewer_store.emails(tx, caller.team_id, project.id)


async def remove_reviewers(tx: Tx, caller: Caller, project_name: str, emails: Sequence[str]) -> list[str]:
    """Removes these reviewers of the project and reopens the reviews they hold; returns the remaining addresses.

    Raises NotFound for an unknown project; BadInput, without a change, for an unknown address.
    """
    project = await projects.find(tx, caller.team_id, caller.mode, project_name)
    ids = [person.id for person in await teams.people(tx, caller.team_id, emails)]
    await reviewer_store.remove(tx, caller.team_id, project.id, ids)
    await review_store.open_held_by(tx, caller.team_id, ids, project.id)
    return await reviewer_store.emails(tx, caller.team_id, project.id)
