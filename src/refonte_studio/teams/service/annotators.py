"""Use-cases of annotators: teammates, and external annotators, whose attempts were made elsewhere and imported."""

from collections.abc import Iterable, Sequence
from itertools import islice

from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.errors import BadInput, Conflict
from refonte_studio.kit.ids import new_ids
from refonte_studio.kit.names import person_key
from refonte_studio.teams.model import Teammate
from refonte_studio.teams.policy import accounts as account_policy
from refonte_studio.teams.store import teams as team_store

CHUNK = 5_000  # labels looked up at once


async def labelers(tx: Tx, team_id: str, labels: Sequence[str]) -> list[Teammate]:
    """Returns the distinct teammates and external annotators with these labels, in order.

    For queries about completed work; permissions are granted through `people`. Raises BadInput naming an unknown label.
    """
    keys = [person_key(label) for label in labels]
    found = await team_store.teammates_by_key(tx, team_id, keys)
    unknown = [label for label, key in zip(labels, keys, strict=True) if key not in found]
    if unknown:
        raise BadInput(f"no labeler is called {account_policy.listed(unknown)}")
    return [found[key] for key in dict.fromkeys(keys)]


async def emails_of(tx: Tx, team_id: str, teammate_ids: Iterable[str]) -> dict[str, str]:
    """Returns the label of each person: a teammate's address, or an external annotator's name."""
    ids = sorted(set(teammate_ids))
    return await team_store.emails(tx, team_id, ids) if ids else {}


async def external_people(tx: Tx, team_id: str, labels: Iterable[str], now: int) -> dict[str, str]:
    """Returns the id of the person with each of these labels. An unknown label becomes an external annotator.

    Labels must have distinct keys. Raises Conflict if one of the people is being invited at the same time.
    """
    found: dict[str, str] = {}
    every = iter(labels)
    while some := list(islice(every, CHUNK)):
        found |= await _external_people(tx, team_id, some, now)
    return found


async def _external_people(tx: Tx, team_id: str, labels: Sequence[str], now: int) -> dict[str, str]:
    keys = {label: person_key(label) for label in labels}
    ids = await team_store.ids_by_key(tx, team_id, list(keys.values()))
    if len(ids) < len(labels):
        # one import at a time, so that nobody is created twice
        await tx.lock(f"external:{team_id}")
        ids = await team_store.ids_by_key(tx, team_id, list(keys.values()))
        new = [key for key in keys.values() if key not in ids]
        made = list(zip(new_ids(now, len(new)), new, strict=True))
        try:
            await team_store.insert_external(tx, team_id, made, now)
        except Duplicate as error:
            raise Conflict("one of the labelers is just being made a teammate; try again") from error
        ids |= {key: id_ for id_, key in made}
    return {label: ids[key] for label, key in keys.items()}
