"""Use-cases of teams, people, sessions and keys."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.db.engine import Duplicate
from refonte_studio.kit.caller import Caller, Mode, Role
from refonte_studio.kit.clock import MINUTE_MS
from refonte_studio.kit.errors import BadInput, Conflict, shown
from refonte_studio.kit.ids import digest, new_id, new_secret
from refonte_studio.teams import store
from refonte_studio.teams.model import State, Team, Teammate, email_key

KEY_USE_RESOLUTION_MS = MINUTE_MS  # how fine a key's last-used time is


async def create_team(tx: Tx, name: str, now: int) -> Team:
    """A new, empty team. A taken name is a Conflict."""
    team = Team(new_id(now), name)
    try:
        await store.insert_team(tx, id=team.id, name=name, callback_secret=new_secret(), created_at=now)
    except Duplicate as error:
        raise Conflict(f"there is a team {shown(name)} already") from error
    return team


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
    """An active teammate, without an invitation; answers their id. A taken address is a Conflict."""
    teammate_id = new_id(now)
    try:
        await store.insert_teammate(
            tx,
            id=teammate_id,
            team_id=team_id,
            email=email,
            email_key=email_key(email),
            role=role.value,
            state=State.ACTIVE.value,
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


async def create_key(tx: Tx, team_id: str, teammate_id: str, mode: Mode, name: str, now: int) -> tuple[str, str]:
    """A new API key: its id, and the key itself, which is not kept and cannot be shown again."""
    key_id, key = new_id(now), f"{mode}_{new_secret()}"
    await store.insert_key(
        tx,
        id=key_id,
        team_id=team_id,
        teammate_id=teammate_id,
        mode=mode,
        name=name,
        prefix=key[:10],
        key_hash=digest(key),
        created_at=now,
    )
    return key_id, key


async def caller_of_key(tx: Tx, key: str, now: int) -> tuple[Caller, bool] | None:
    """Who calls with this key, and whether its last-used time wants renewing; None if it opens nothing."""
    row = await store.holder_of_key(tx, digest(key))
    if row is None:
        return None
    caller = Caller(row["team_id"], row["id"], row["email"], Role(row["role"]), row["mode"], key_id=row["key_id"])
    return caller, row["last_used_at"] is None or now - row["last_used_at"] >= KEY_USE_RESOLUTION_MS


async def caller_of_session(tx: Tx, token: str, now: int) -> Caller | None:
    """Who calls in this cookie session, which opens the live world; None if it has ended."""
    token_hash = digest(token)
    row = await store.holder_of_session(tx, token_hash, now)
    if row is None:
        return None
    return Caller(row["team_id"], row["id"], row["email"], Role(row["role"]), "live", session_hash=token_hash)


async def touch_key(tx: Tx, key_id: str, now: int) -> None:
    """Records that the key was used."""
    await store.touch_key(tx, key_id, now)


async def people(tx: Tx, team_id: str, emails: Sequence[str]) -> list[Teammate]:
    """The teammates of these addresses, in order, each once. Raises BadInput naming an unknown one."""
    found = await store.teammates_by_key(tx, team_id, [email_key(email) for email in emails])
    unknown = [email for email in emails if email_key(email) not in found]
    if unknown:
        raise BadInput(f"no teammate has the address {', '.join(shown(email) for email in unknown[:10])}")
    return [found[key] for key in dict.fromkeys(email_key(email) for email in emails)]
