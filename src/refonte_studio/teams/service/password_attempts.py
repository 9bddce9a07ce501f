"""Use-cases of password attempts, which are counted and limited."""

from collections.abc import Mapping

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.clients import client_network
from refonte_studio.kit.errors import TooMany, shown
from refonte_studio.kit.ids import digest, new_id
from refonte_studio.kit.names import address_key
from refonte_studio.teams.policy import throttle
from refonte_studio.teams.policy.throttle import Budget
from refonte_studio.teams.store import access as access_store


async def reserve_attempt(tx: Tx, email: str, client: str, now: int) -> str:
    """Counts a sign-in attempt as failed until `sign_in` reports success. Returns the id of the attempt.

    It counts for the client with this address, for the client, and for the address. Raises TooMany.
    """
    address, client = address_key(email), client_network(client)
    budgets = {
        f"address:{address}": throttle.ADDRESS,
        f"client:{client}": throttle.CLIENT,
        f"pair:{client}:{address}": throttle.PAIR,
    }
    return await _reserve(tx, budgets, f"too many failed attempts to sign in as {shown(email)}", now)


async def reserve_change(tx: Tx, caller: Caller, now: int) -> str:
    """Counts an attempt to change one's password, for this session or key alone. Raises TooMany."""
    budgets = {f"own:{caller.session_hash or caller.key_id}": throttle.OWN}
    return await _reserve(tx, budgets, "too many failed attempts to change the password", now)


async def _reserve(tx: Tx, budgets: Mapping[str, Budget], what: str, now: int) -> str:
    """Counts before checking, so that concurrent attempts cannot exceed the limit."""
    hashes = {digest(name): budget for name, budget in budgets.items()}
    ready_at = now
    for name in sorted(hashes):  # in a fixed order, so that no two attempts deadlock
        await tx.lock(f"sign-in:{name}")
        failed = await access_store.failures(tx, name, now - throttle.WINDOW_MS, throttle.COUNTED)
        if failed:
            ready_at = max(ready_at, hashes[name].ready_at(len(failed), failed[0]))
    if ready_at > now:
        error = TooMany(f"{what}; try again later")
        error.headers = {"Retry-After": str((ready_at - now + 999) // 1000)}
        raise error
    attempt_id = new_id(now)
    for number, name in enumerate(hashes):
        await access_store.insert_failure(tx, f"{attempt_id}-{number}", name, now)
    return attempt_id
