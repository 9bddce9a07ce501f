"""Use-cases of teams, people, sessions and keys that other rooms, the server and the CLI use."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.caller import Caller, Mode, Role
from refonte_studio.kit.clock import MINUTE_MS
from refonte_studio.kit.errors import BadInput, Conflict, NotFound, Unauthorized, shown
from refonte_studio.kit.ids import digest, new_id, new_secret
from refonte_studio.kit.names import address_key, checked_address, name_key
from refonte_studio.teams.model import MOVES, Key, SignedIn, SignInCandidate, Team, Teammate, TeammateState
from refonte_studio.teams.policy import accounts as account_policy
from refonte_studio.teams.policy import throttle
from refonte_studio.teams.service.annotators import emails_of as emails_of
from refonte_studio.teams.service.annotators import external_people as external_people
from refonte_studio.teams.service.annotators import labelers as labelers
from refonte_studio.teams.service.password_attempts import reserve_attempt as reserve_attempt
from refonte_studio.teams.service.password_attempts import reserve_change as reserve_change
from refonte_studio.teams.store import access as access_store
from refonte_studio.teams.store import teams as team_store

KEY_USE_RESOLUTION_MS = MINUTE_MS  # resolution of a key's last-used time
KEYS_LIMIT = 100  # valid keys of one person
SESSIONS_LIMIT = 100  # of one person; a further session ends the oldest
TEAMS_TRIED = 20  # teams searched by one sign-in without `team`
_SETUP = "setup"  # name of the lock that serializes creation of the first team

# ---------------------------------------------------------------------------------------------- teams


async def create_team(tx: Tx, name: str, now: int) -> Team:
    """Creates an empty team. Raises Conflict if the name is taken."""
    await tx.lock(_SETUP)
    team = Team(new_id(now), account_policy.checked_name("team", name))
    try:
        await team_store.insert_team(
            tx, id=team.id, name=team.name, callback_secret=new_secret(), alias_key=new_secret(), created_at=now
        )
    except Duplicate as error:
        raise Conflict(f"there is a team {shown(name)} already") from error
    return team


async def find_team(tx: Tx, name: str) -> Team:
    """Returns the team with this name. Raises NotFound."""
    found = await team_store.team_named(tx, name_key(name))
    if found is None:
        raise NotFound(f"there is no team {shown(name)}")
    return found


async def only_team(tx: Tx) -> Team:
    """Returns the only team of the server. Raises NotFound if there is none, and BadInput naming them if there are
    several."""
    found = await team_store.teams(tx, account_policy.LISTED + 1)
    if not found:
        raise NotFound("this server has no team yet")
    if len(found) > 1:
        names = account_policy.listed([team.name for team in found])
        raise BadInput(f"this server has several teams; name one with --team: {names}")
    return found[0]


async def callback_keys(tx: Tx, team_id: str) -> tuple[str, str | None]:
    """Returns the secret that signs the team's callbacks, and the secret sent with them, if set."""
    return await team_store.callback_keys(tx, team_id)


async def set_callback_auth(tx: Tx, team_id: str, auth: str | None) -> None:
    """Sets the secret sent with the team's callbacks in addition to the signature; None sends none."""
    await team_store.set_callback_auth(tx, team_id, auth)


async def new_setup_link(tx: Tx, now: int) -> str | None:
    """Returns the token of a new set-up link, which replaces any earlier one; None if the server has a team."""
    await tx.lock(_SETUP)
    if await team_store.any_team(tx):
        return None
    token = new_secret()
    await team_store.insert_setup_link(tx, digest(token), now)
    return token


async def check_setup_link(tx: Tx, token: str) -> None:
    """Raises NotFound unless the link is valid."""
    if await team_store.any_team(tx) or not await team_store.setup_link_exists(tx, digest(token)):
        raise NotFound(f"the set-up link {shown(token)} is unknown, used or replaced by a newer one")


async def set_up(
    tx: Tx, token: str, team: str, email: str, names: tuple[str, str], password_hash: str, now: int, lifetime_ms: int
) -> SignedIn:
    """Creates the server's first team and its admin, signed in; uses up the link. Raises NotFound if it is invalid."""
    await tx.lock(_SETUP)
    await check_setup_link(tx, token)
    await team_store.use_setup_link(tx, digest(token))
    made = await create_team(tx, team, now)
    first_name, last_name = names
    teammate_id = await create_teammate(
        tx,
        made.id,
        email,
        Role.ADMIN,
        now,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
    )
    return await start_session(tx, made.id, teammate_id, now, lifetime_ms)


# --------------------------------------------------------------------------------------------- people


async def lock_roster(tx: Tx, team_id: str) -> None:
    """Serializes changes of a team's members and roles."""
    await tx.lock(f"roster:{team_id}")


async def create_teammate(
    tx: Tx,
    team_id: str,
    email: str,
    role: Role,
    now: int,
    *,
    password_hash: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
) -> str:
    """Creates an active teammate without an invitation. Returns their id. Raises Conflict if the address is taken.

    An external annotator with this address becomes that teammate.
    """
    address = checked_address(email)
    await lock_roster(tx, team_id)
    known = (await team_store.teammates_for_update(tx, team_id, [address])).get(address)
    if known is not None and known.state is TeammateState.EXTERNAL:
        await team_store.create_of_external(
            tx,
            teammate_id=known.id,
            team_id=team_id,
            role=role.value,
            state=MOVES[TeammateState.EXTERNAL, "create"].value,
            first_name=first_name,
            last_name=last_name,
            password_hash=password_hash,
        )
        return known.id
    teammate_id = new_id(now)
    try:
        await team_store.insert_teammate(
            tx,
            id=teammate_id,
            team_id=team_id,
            email=address,
            email_key=address,
            role=role.value,
            state=TeammateState.ACTIVE.value,
            first_name=first_name,
            last_name=last_name,
            company=None,
            password_hash=password_hash,
            invite_hash=None,
            invite_expires_at=None,
            created_at=now,
        )
    except Duplicate as error:
        raise Conflict(f"{shown(email)} is a teammate already") from error
    return teammate_id


async def team_members(tx: Tx, team_id: str) -> list[Teammate]:
    """Returns all teammates, including invited and disabled ones, in the order in which they were added."""
    return await team_store.teammates(tx, team_id)


async def people(tx: Tx, team_id: str, emails: Sequence[str]) -> list[Teammate]:
    """Returns the distinct teammates with these addresses, in order. Raises BadInput naming an unknown one.

    External annotators are not teammates; for queries about work, use `labelers`.
    """
    return in_order(await team_store.teammates_by_key(tx, team_id, [address_key(email) for email in emails]), emails)


def in_order(found: dict[str, Teammate], emails: Sequence[str]) -> list[Teammate]:
    """Returns the distinct teammates found, in the order of the addresses. Raises BadInput naming the missing ones."""
    unknown = [email for email in emails if address_key(email) not in found]
    if unknown:
        raise BadInput(f"no teammate has the address {account_policy.listed(unknown)}")
    chosen = [found[key] for key in dict.fromkeys(address_key(email) for email in emails)]
    external = [person.email for person in chosen if person.state is TeammateState.EXTERNAL]
    if external:
        raise BadInput(f"an external annotator is no teammate until invited: {account_policy.listed(external)}")
    return chosen


async def find_person(tx: Tx, email: str, team_name: str | None = None) -> Teammate:
    """Returns the person with this address, in any state. Raises NotFound, and BadInput if `team_name` is needed."""
    team = None if team_name is None else name_key(team_name)
    found = await team_store.teammates_of_address(tx, address_key(email), team)
    if not found:
        where = "" if team_name is None else f" in the team {shown(team_name)}"
        raise NotFound(f"nobody has the address {shown(email)}{where}")
    if len(found) > 1:
        raise BadInput(
            f"{shown(email)} is in several teams, name one: {account_policy.listed([name for _, name in found])}"
        )
    return found[0][0]


async def appoint(tx: Tx, teammate: Teammate, role: Role) -> None:
    """Gives a person any role, including admin: for the CLI, whose user owns the server. Reactivates disabled people.

    Raises BadInput for the last admin, and for somebody who never joined.
    """
    await lock_roster(tx, teammate.team_id)
    (teammate,) = (await team_store.teammates_for_update(tx, teammate.team_id, [address_key(teammate.email)])).values()
    if not teammate.joined:
        raise BadInput(f"{shown(teammate.email)} has not joined the team yet")
    if role is not Role.ADMIN:
        await check_an_admin_stays(tx, teammate.team_id, [teammate])
    await team_store.set_role(tx, teammate.team_id, [teammate.id], role)
    if teammate.state is TeammateState.DISABLED:
        await team_store.set_state(tx, teammate.team_id, [teammate.id], MOVES[TeammateState.DISABLED, "restore"])


async def check_an_admin_stays(tx: Tx, team_id: str, leaving: Sequence[Teammate]) -> None:
    """Raises BadInput if these people are the team's last active admins. Valid while the roster is locked."""
    admins = [person for person in leaving if person.role is Role.ADMIN and person.state is TeammateState.ACTIVE]
    if admins and not await team_store.admins_besides(tx, team_id, [person.id for person in leaving]):
        raise BadInput(f"a team keeps at least one admin: {account_policy.listed([person.email for person in admins])}")


# ----------------------------------------------------------------------------------------------- keys


async def create_key(
    tx: Tx, team_id: str, teammate_id: str, mode: Mode, name: str, now: int, maker_key_id: str | None = None
) -> tuple[str, str]:
    """Creates an API key. Returns its id and the key itself, which is not stored and cannot be shown again.

    Raises BadInput if the person is not active, or has the maximum number of keys.
    """
    if not await team_store.lock_active(tx, team_id, teammate_id):
        raise BadInput("only an active teammate can have API keys")
    if len(await access_store.live_keys(tx, team_id, teammate_id)) >= KEYS_LIMIT:
        raise BadInput(f"one person has at most {KEYS_LIMIT} API keys; revoke one first")
    key_id, key = new_id(now), f"{mode}_{new_secret()}"
    await access_store.insert_key(
        tx,
        id=key_id,
        team_id=team_id,
        teammate_id=teammate_id,
        mode=mode,
        name=account_policy.checked_name("name", name),
        prefix=key[:10],
        key_hash=digest(key),
        created_at=now,
        maker_key_id=maker_key_id,
    )
    return key_id, key


async def keys_of(tx: Tx, team_id: str, teammate_id: str) -> list[Key]:
    """Returns a person's keys that are not revoked, newest first."""
    return await access_store.live_keys(tx, team_id, teammate_id)


async def keys_of_team(tx: Tx, team_id: str) -> list[Key]:
    """Returns all keys of a team that are not revoked, newest first."""
    return await access_store.live_keys_of_team(tx, team_id)


async def team_of_key(tx: Tx, key_id: str) -> str:
    """Returns the id of the team that owns this key: for the CLI, whose user names no team. Raises NotFound."""
    team_id = await access_store.team_of_key(tx, key_id)
    if team_id is None:
        raise NotFound(f"there is no key {shown(key_id)}")
    return team_id


async def revoke_key(tx: Tx, team_id: str, key_id: str, now: int) -> None:
    """Revokes a key of the team, and the keys created with it, at once. Raises NotFound if it does not exist or is
    revoked."""
    if await access_store.live_key_holder(tx, team_id, key_id) is None:
        raise NotFound(f"there is no key {shown(key_id)}")
    await access_store.revoke_key(tx, team_id, key_id, now)


async def caller_of_key(tx: Tx, key: str, now: int) -> tuple[Caller, bool] | None:
    """Returns the caller with this key, and whether its last-used time needs an update; None if it is not valid."""
    found = await access_store.holder_of_key(tx, digest(key))
    if found is None:
        return None
    caller, last_used_at = found
    return caller, last_used_at is None or now - last_used_at >= KEY_USE_RESOLUTION_MS


async def touch_key(tx: Tx, team_id: str, key_id: str, now: int) -> None:
    """Records that the key was used."""
    await access_store.touch_key(tx, team_id, key_id, now)


# ------------------------------------------------------------------------------------------- sessions


async def caller_of_session(tx: Tx, token: str, now: int) -> Caller | None:
    """Returns the caller in this cookie session, which is in live mode; None if it has ended."""
    return await access_store.holder_of_session(tx, digest(token), now)


async def start_session(tx: Tx, team_id: str, teammate_id: str, now: int, lifetime_ms: int) -> SignedIn:
    """Creates a session of an active person whose row the transaction has locked."""
    token = new_secret()
    await access_store.keep_newest_sessions(tx, team_id, teammate_id, SESSIONS_LIMIT - 1)
    await access_store.insert_session(
        tx,
        token_hash=digest(token),
        team_id=team_id,
        teammate_id=teammate_id,
        created_at=now,
        expires_at=now + lifetime_ms,
    )
    return SignedIn(await team_store.teammate(tx, team_id, teammate_id), await team_store.team(tx, team_id), token)


async def end_access(tx: Tx, team_id: str, teammate_ids: Sequence[str], now: int) -> None:
    """Ends all sessions and keys of these people."""
    await access_store.delete_sessions_of(tx, team_id, teammate_ids)
    await access_store.revoke_keys_of(tx, team_id, teammate_ids, now)


async def set_password(tx: Tx, teammate: Teammate, password_hash: str, now: int) -> None:
    """Sets a new password, and ends all sessions and keys that used the old one."""
    await team_store.set_password(tx, teammate.team_id, teammate.id, password_hash)
    await end_access(tx, teammate.team_id, [teammate.id], now)


async def candidates(tx: Tx, email: str, team_name: str | None) -> list[SignInCandidate]:
    """Returns the active people with this address and a password, in all teams or in the named one."""
    team = None if team_name is None else name_key(team_name)
    return await access_store.candidates(tx, address_key(email), team, TEAMS_TRIED)


async def own_candidate(tx: Tx, caller: Caller) -> SignInCandidate | None:
    """Returns the caller with their password hash; None if they have no password."""
    return await access_store.candidate(tx, caller.team_id, caller.teammate_id)


async def forgive(tx: Tx, attempt_id: str) -> None:
    """Removes an attempt from the count of failures."""
    await access_store.delete_failure(tx, attempt_id)


async def sign_in(tx: Tx, person: SignInCandidate, attempt_id: str, now: int, lifetime_ms: int) -> SignedIn:
    """Starts a session for a person whose password was verified. Raises Unauthorized if they were disabled
    meanwhile."""
    if not await access_store.lock_candidate(tx, person):
        raise Unauthorized("the e-mail address or the password is wrong")
    await access_store.delete_failure(tx, attempt_id)
    return await start_session(tx, person.team_id, person.teammate_id, now, lifetime_ms)


async def sweep_sessions(tx: Tx, now: int) -> int:
    """Deletes a bounded number of ended sessions and old attempts. Returns how many."""
    return await access_store.sweep_sessions(tx, now) + await access_store.sweep_failures(tx, now - throttle.WINDOW_MS)
