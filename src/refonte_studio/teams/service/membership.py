"""Use-cases of a team's people: joining, leaving, and managing one's own access."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.caller import Caller, Mode, Role
from refonte_studio.kit.errors import BadInput, Conflict, Forbidden, NotFound, Unauthorized, shown
from refonte_studio.kit.ids import digest, new_ids, new_secret
from refonte_studio.kit.names import address_key
from refonte_studio.teams.model import (
    MOVES,
    Invitation,
    Key,
    Roster,
    SignedIn,
    SignInCandidate,
    Team,
    Teammate,
    TeammatesDisabled,
    TeammateState,
)
from refonte_studio.teams.policy import accounts as account_policy
from refonte_studio.teams.service import teams
from refonte_studio.teams.store import access as access_store
from refonte_studio.teams.store import teams as team_store


async def invite(tx: Tx, caller: Caller, emails: Sequence[str], team_role: str, now: int, lifetime_ms: int) -> Roster:
    """Invites new addresses and external annotators, and renews open invitations. Active teammates stay unchanged.

    Invites all or none. Raises Conflict if an import is creating an external annotator with one of the addresses.
    """
    check_administers(caller)
    addresses = account_policy.checked_addresses(emails)
    role = account_policy.checked_role(team_role)
    await teams.lock_roster(tx, caller.team_id)
    known = await team_store.teammates_for_update(tx, caller.team_id, addresses)
    disabled = [person.email for person in known.values() if person.state is TeammateState.DISABLED]
    if disabled:
        raise BadInput(f"disabled, so set_role brings them back, not an invitation: {account_policy.listed(disabled)}")
    new = [email for email in addresses if email not in known]
    expires_at = now + lifetime_ms
    team = await team_store.team(tx, caller.team_id)
    made = [_invitation(team, caller, email, role, expires_at) for email in new]
    rows = [
        (new_id, team.id, sent.email, sent.email, role.value, digest(sent.token), expires_at, now)
        for new_id, sent in zip(new_ids(now, len(new)), made, strict=True)
    ]
    try:
        await team_store.insert_invited(tx, rows)
    except Duplicate as error:
        raise Conflict("answers of one of these people are just being imported; try again") from error
    for state, move in ((TeammateState.INVITED, "renew"), (TeammateState.EXTERNAL, "invite")):
        waiting = [person for person in known.values() if person.state is state]
        made += [await _send_again(tx, caller, team, person, move, role, expires_at) for person in waiting]
    return Roster(await team_store.teammates(tx, team.id), made)


def _invitation(team: Team, caller: Caller, email: str, role: Role, expires_at: int) -> Invitation:
    return Invitation(email, role, team.name, caller.email, new_secret(), expires_at)


async def _send_again(
    tx: Tx, caller: Caller, team: Team, person: Teammate, move: str, role: Role, expires_at: int
) -> Invitation:
    """Gives somebody who has not joined a new link and role; the earlier link becomes invalid."""
    sent = _invitation(team, caller, person.email, role, expires_at)
    state = MOVES[person.state, move]
    await team_store.invite_again(tx, team.id, person.id, role, state, digest(sent.token), expires_at)
    return sent


async def set_role(tx: Tx, caller: Caller, emails: Sequence[str], team_role: str, now: int, lifetime_ms: int) -> Roster:
    """Sets the role of people who are not admins, of all or none.

    A disabled person becomes active again; one who had never joined is invited again. Only admins can bring back a
    disabled admin.
    """
    check_administers(caller)
    role = account_policy.checked_role(team_role)
    chosen = await _locked_people(tx, caller.team_id, emails)
    protected = (TeammateState.ACTIVE,) if caller.role is Role.ADMIN else (TeammateState.ACTIVE, TeammateState.DISABLED)
    admins = [person.email for person in chosen if person.role is Role.ADMIN and person.state in protected]
    if admins:
        raise BadInput(f"an admin's role cannot be set: {account_policy.listed(admins)}")
    await team_store.set_role(tx, caller.team_id, [person.id for person in chosen], role)
    back = [person.id for person in chosen if person.state is TeammateState.DISABLED and person.joined]
    await team_store.set_state(tx, caller.team_id, back, MOVES[TeammateState.DISABLED, "restore"])
    team = await team_store.team(tx, caller.team_id)
    made = [
        await _send_again(tx, caller, team, person, "reopen", role, now + lifetime_ms)
        for person in chosen
        if person.state is TeammateState.DISABLED and not person.joined
    ]
    return Roster(await team_store.teammates(tx, team.id), made)


async def disable(tx: Tx, caller: Caller, emails: Sequence[str], now: int) -> Roster:
    """Ends all access of these people at once: sessions, keys, open invitations and claims. Disables all or none.

    The last active admin of a team cannot be disabled.
    """
    check_administers(caller)
    chosen = await _locked_people(tx, caller.team_id, emails)
    await teams.check_an_admin_stays(tx, caller.team_id, chosen)
    leaving = tuple(person.id for person in chosen if person.state is not TeammateState.DISABLED)
    await team_store.set_state(tx, caller.team_id, leaving, TeammateState.DISABLED)
    await teams.end_access(tx, caller.team_id, leaving, now)
    if leaving:
        await tx.tell(TeammatesDisabled(caller.team_id, leaving, now))
    return Roster(await team_store.teammates(tx, caller.team_id), [])


async def _locked_people(tx: Tx, team_id: str, emails: Sequence[str]) -> list[Teammate]:
    """Returns the people with these addresses, locked until the transaction ends."""
    await teams.lock_roster(tx, team_id)
    found = await team_store.teammates_for_update(tx, team_id, [address_key(email) for email in emails])
    return teams.in_order(found, emails)


# -------------------------------------------------------------------------------------- one's own access


def _gone(token: str) -> NotFound:
    return NotFound(f"the invitation {shown(token)} is unknown, used, expired or replaced by a newer one")


async def check_invitation(tx: Tx, token: str, now: int) -> None:
    """Raises NotFound unless the invitation is open."""
    if not await team_store.invitation_is_open(tx, digest(token), now):
        raise _gone(token)


async def accept(
    tx: Tx, token: str, names: tuple[str, str], password_hash: str, now: int, lifetime_ms: int
) -> SignedIn:
    """Makes the invited person active and signs them in; uses up the invitation. Raises NotFound if it is not open."""
    joined = await team_store.join(
        tx,
        invite_hash=digest(token),
        first_name=names[0],
        last_name=names[1],
        password_hash=password_hash,
        now=now,
    )
    if joined is None:
        raise _gone(token)
    return await teams.start_session(tx, joined.team_id, joined.id, now, lifetime_ms)


async def who_am_i(tx: Tx, caller: Caller) -> tuple[Teammate, Team]:
    """Returns the caller's teammate and team."""
    return await team_store.teammate(tx, caller.team_id, caller.teammate_id), await team_store.team(tx, caller.team_id)


async def sign_out(tx: Tx, caller: Caller) -> None:
    """Ends the caller's session. A key is not a session and stays valid."""
    if caller.session_hash is not None:
        await access_store.delete_session(tx, caller.team_id, caller.session_hash)


async def change_password(
    tx: Tx, caller: Caller, person: SignInCandidate, attempt_id: str, password_hash: str, now: int, lifetime_ms: int
) -> SignedIn | None:
    """Sets a new password for the caller, whose current one was verified. Ends all their sessions and keys.

    Returns a new session if the caller had one, None for a caller with a key.
    """
    if not await access_store.lock_candidate(tx, person) or not await _still_open(tx, caller, now):
        raise Unauthorized("the session or key has ended")
    await access_store.delete_failure(tx, attempt_id)
    teammate = await team_store.teammate(tx, caller.team_id, caller.teammate_id)
    await teams.set_password(tx, teammate, password_hash, now)
    if caller.session_hash is None:
        return None
    return await teams.start_session(tx, caller.team_id, caller.teammate_id, now, lifetime_ms)


async def create_own_key(tx: Tx, caller: Caller, mode: Mode, name: str, now: int) -> tuple[Key, str]:
    """Creates a key for the caller; returns it with its secret. Raises Forbidden if a key requests the other mode."""
    if caller.key_id is not None and mode != caller.mode:
        raise Forbidden(f"a {caller.mode} key makes {caller.mode} keys only; to make a {mode} key, sign in")
    key_id, secret = await teams.create_key(tx, caller.team_id, caller.teammate_id, mode, name, now, caller.key_id)
    if not await _still_open(tx, caller, now):  # a password change that ended the key must also end keys it creates
        raise Unauthorized("the session or key has ended")
    (made,) = [key for key in await own_keys(tx, caller) if key.id == key_id]
    return made, secret


async def _still_open(tx: Tx, caller: Caller, now: int) -> bool:
    """Whether the caller's key or session is still valid. Call it after locking the caller's row."""
    if caller.session_hash is not None:
        return await access_store.session_lasts(tx, caller.team_id, caller.session_hash, now)
    return caller.key_id is not None and (
        await access_store.live_key_holder(tx, caller.team_id, caller.key_id) == caller.teammate_id
    )


async def own_keys(tx: Tx, caller: Caller) -> list[Key]:
    """Returns the caller's keys that are not revoked, newest first."""
    return await teams.keys_of(tx, caller.team_id, caller.teammate_id)


async def team_keys(tx: Tx, caller: Caller) -> list[Key]:
    """Returns the keys of everybody in the team, newest first. Raises Forbidden unless the caller is a live admin."""
    if caller.role is not Role.ADMIN:
        raise Forbidden(f"a {caller.role} may list only their own keys")
    check_administers(caller)
    return await teams.keys_of_team(tx, caller.team_id)


def check_administers(caller: Caller) -> None:
    """Raises Forbidden for a test key, because people and their keys are the same in both modes."""
    if caller.mode != "live":
        raise Forbidden("a test key may not administer people and keys; use a live key or a session")


async def find_key(tx: Tx, caller: Caller, key_id: str) -> None:
    """Raises NotFound unless the caller may revoke this key: their own, or as an admin any key of the team."""
    holder = await access_store.live_key_holder(tx, caller.team_id, key_id)
    if holder is None or (holder != caller.teammate_id and caller.role is not Role.ADMIN):
        raise NotFound(f"there is no key {shown(key_id)}")
    if caller.mode != "live":
        own = {key.id: key.mode for key in await own_keys(tx, caller)}
        if own.get(key_id) != caller.mode:
            check_administers(caller)


async def revoke_own_key(tx: Tx, caller: Caller, key_id: str, now: int) -> None:
    """Revokes a key at once: one's own, or as an admin any key of the team."""
    await find_key(tx, caller, key_id)
    await teams.revoke_key(tx, caller.team_id, key_id, now)
