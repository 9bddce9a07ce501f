"""The SQL of teams and people."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Role
from refonte_studio.teams.model import Team, Teammate, TeammateState

_TEAM = Record(Team)
_TEAMMATE = Record(Teammate)
_COLUMNS = _TEAMMATE.select()


async def insert_team(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO teams (id, name, callback_secret, alias_key, created_at)
           VALUES (:id, :name, :callback_secret, :alias_key, :created_at)""",
        **values,
    )


async def team(tx: Tx, team_id: str) -> Team:
    row = await tx.one(f"SELECT {_TEAM.select()} FROM teams WHERE id = :team_id", team_id=team_id)
    assert row is not None, "teams are never deleted"
    return _TEAM.of(row)


async def team_named(tx: Tx, name: str) -> Team | None:
    row = await tx.one(f"SELECT {_TEAM.select()} FROM teams WHERE name = :name", name=name)
    return _TEAM.of(row) if row else None


async def teams(tx: Tx, limit: int) -> list[Team]:
    """Returns the oldest teams of the server."""
    rows = await tx.all(f"SELECT {_TEAM.select()} FROM teams ORDER BY id LIMIT :limit", limit=limit)
    return [_TEAM.of(row) for row in rows]


async def any_team(tx: Tx) -> bool:
    """Whether the server has a team."""
    return await tx.one("SELECT id FROM teams LIMIT 1") is not None


async def callback_keys(tx: Tx, team_id: str) -> tuple[str, str | None]:
    """Returns the secret that signs the team's callbacks, and the secret sent with them."""
    row = await tx.one("SELECT callback_secret, callback_auth FROM teams WHERE id = :team_id", team_id=team_id)
    assert row is not None, "teams are never deleted"
    return row["callback_secret"], row["callback_auth"]


async def set_callback_auth(tx: Tx, team_id: str, auth: str | None) -> None:
    await tx.run(
        "UPDATE teams SET callback_auth = :callback_auth WHERE id = :team_id", team_id=team_id, callback_auth=auth
    )


async def insert_setup_link(tx: Tx, token_hash: str, now: int) -> None:
    """Replaces any set-up link with this one."""
    await tx.run("DELETE FROM setup_links")
    await tx.run(
        "INSERT INTO setup_links (token_hash, created_at) VALUES (:token_hash, :now)", token_hash=token_hash, now=now
    )


async def setup_link_exists(tx: Tx, token_hash: str) -> bool:
    row = await tx.one("SELECT created_at FROM setup_links WHERE token_hash = :token_hash", token_hash=token_hash)
    return row is not None


async def use_setup_link(tx: Tx, token_hash: str) -> bool:
    """Deletes the set-up link. Returns whether it existed."""
    return await tx.run("DELETE FROM setup_links WHERE token_hash = :token_hash", token_hash=token_hash) == 1


async def insert_teammate(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO teammates (id, team_id, email, email_key, role, state, first_name, last_name, company,
             disable_rapid_emails, password_hash, invite_hash, invite_expires_at, created_at)
           VALUES (:id, :team_id, :email, :email_key, :role, :state, :first_name, :last_name, :company,
             FALSE, :password_hash, :invite_hash, :invite_expires_at, :created_at)""",
        **values,
    )


async def teammates(tx: Tx, team_id: str) -> list[Teammate]:
    """Returns all teammates in the order in which they were added, without external annotators."""
    rows = await tx.all(
        f"SELECT {_COLUMNS} FROM teammates WHERE team_id = :team_id AND state <> 'external' ORDER BY id",
        team_id=team_id,
    )
    return [_TEAMMATE.of(row) for row in rows]


async def teammates_by_key(tx: Tx, team_id: str, keys: Sequence[str]) -> dict[str, Teammate]:
    """Returns the teammates and external annotators with these keys, by key."""
    rows = await tx.all(
        f"SELECT {_COLUMNS}, email_key FROM teammates WHERE team_id = :team_id AND email_key IN :email_keys[]",
        team_id=team_id,
        email_keys=list(keys),
    )
    return {row["email_key"]: _TEAMMATE.of(row) for row in rows}


async def teammates_for_update(tx: Tx, team_id: str, keys: Sequence[str]) -> dict[str, Teammate]:
    """Returns the same rows, locked until the transaction ends."""
    rows = await tx.all(
        f"""SELECT {_COLUMNS}, email_key FROM teammates WHERE team_id = :team_id AND email_key IN :email_keys[]
            ORDER BY id FOR NO KEY UPDATE""",
        team_id=team_id,
        email_keys=list(keys),
    )
    return {row["email_key"]: _TEAMMATE.of(row) for row in rows}


async def ids_by_key(tx: Tx, team_id: str, keys: Sequence[str]) -> dict[str, str]:
    """Returns the ids of the teammates and external annotators with these keys, by key."""
    rows = await tx.all(
        "SELECT id, email_key FROM teammates WHERE team_id = :team_id AND email_key IN :email_keys[]",
        team_id=team_id,
        email_keys=list(keys),
    )
    return {row["email_key"]: row["id"] for row in rows}


async def emails(tx: Tx, team_id: str, teammate_ids: Sequence[str]) -> dict[str, str]:
    """Returns the addresses of teammates, and the names of external annotators, by id."""
    rows = await tx.all(
        "SELECT id, email FROM teammates WHERE id IN :teammate_ids[] AND team_id = :team_id",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
    )
    return {row["id"]: row["email"] for row in rows}


async def teammates_of_address(tx: Tx, key: str, team_name: str | None) -> list[tuple[Teammate, str]]:
    """Returns the people with this address, in all teams or in the named one, with the names of their teams."""
    rows = await tx.all(
        f"""SELECT {_TEAMMATE.select("u")}, o.name AS team_name FROM teammates u JOIN teams o ON o.id = u.team_id
            WHERE u.email_key = :email_key AND (CAST(:team_name AS TEXT) IS NULL OR o.name = :team_name)
            ORDER BY u.id""",
        email_key=key,
        team_name=team_name,
    )
    return [(_TEAMMATE.of(row), row["team_name"]) for row in rows]


async def teammate(tx: Tx, team_id: str, teammate_id: str) -> Teammate:
    row = await tx.one(
        f"SELECT {_COLUMNS} FROM teammates WHERE team_id = :team_id AND id = :teammate_id",
        team_id=team_id,
        teammate_id=teammate_id,
    )
    assert row is not None, "teammates are never deleted"
    return _TEAMMATE.of(row)


async def lock_active(tx: Tx, team_id: str, teammate_id: str) -> bool:
    """Whether the person is active. Locks them until the transaction ends."""
    row = await tx.one(
        """SELECT id FROM teammates WHERE team_id = :team_id AND id = :teammate_id AND state = 'active'
           FOR NO KEY UPDATE""",
        team_id=team_id,
        teammate_id=teammate_id,
    )
    return row is not None


async def admins_besides(tx: Tx, team_id: str, teammate_ids: Sequence[str]) -> bool:
    """Whether the team has an active admin other than these people."""
    rows = await tx.all(
        "SELECT id FROM teammates WHERE team_id = :team_id AND role = 'admin' AND state = 'active'", team_id=team_id
    )
    return any(row["id"] not in teammate_ids for row in rows)


_INVITED = (
    "id",
    "team_id",
    "email",
    "email_key",
    "role",
    "invite_hash",
    "invite_expires_at",
    "created_at",
    "state",
    "disable_rapid_emails",
)


async def insert_invited(tx: Tx, rows: Sequence[Sequence[Any]]) -> None:
    """Inserts invited people. Each row: id, team_id, email, email_key, role, invite_hash, invite_expires_at,
    created_at."""
    await tx.insert("teammates", _INVITED, [(*row, TeammateState.INVITED.value, False) for row in rows])


_EXTERNAL = ("id", "team_id", "email", "email_key", "role", "state", "disable_rapid_emails", "created_at")


async def insert_external(tx: Tx, team_id: str, people: Sequence[tuple[str, str]], now: int) -> None:
    """Inserts external annotators: (id, name in canonical form). Raises Duplicate if a name is taken."""
    role, state = Role.LABELER.value, TeammateState.EXTERNAL.value
    await tx.insert(
        "teammates", _EXTERNAL, [(id_, team_id, name, name, role, state, False, now) for id_, name in people]
    )


async def create_of_external(tx: Tx, **values: Any) -> None:
    """Turns an external annotator into a teammate."""
    await tx.run(
        """UPDATE teammates SET role = :role, state = :state, first_name = :first_name, last_name = :last_name,
             password_hash = :password_hash
           WHERE team_id = :team_id AND id = :teammate_id AND state = 'external'""",
        **values,
    )


async def invite_again(
    tx: Tx, team_id: str, teammate_id: str, role: Role, state: TeammateState, invite_hash: str, expires_at: int
) -> None:
    """Stores a new invitation link; the earlier one becomes invalid."""
    await tx.run(
        """UPDATE teammates SET role = :role, state = :state, invite_hash = :invite_hash,
             invite_expires_at = :invite_expires_at
           WHERE team_id = :team_id AND id = :teammate_id""",
        team_id=team_id,
        teammate_id=teammate_id,
        role=role.value,
        state=state.value,
        invite_hash=invite_hash,
        invite_expires_at=expires_at,
    )


async def set_role(tx: Tx, team_id: str, teammate_ids: Sequence[str], role: Role) -> None:
    await tx.run(
        "UPDATE teammates SET role = :role WHERE team_id = :team_id AND id IN :teammate_ids[]",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        role=role.value,
    )


async def set_state(tx: Tx, team_id: str, teammate_ids: Sequence[str], state: TeammateState) -> None:
    """Sets the state of these people, and invalidates their open invitations."""
    await tx.run(
        """UPDATE teammates SET state = :state, invite_hash = NULL
           WHERE team_id = :team_id AND id IN :teammate_ids[]""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        state=state.value,
    )


async def invitation_is_open(tx: Tx, invite_hash: str, now: int) -> bool:
    """Returns whether the invitation of this link is open."""
    row = await tx.one(
        """SELECT id FROM teammates
           WHERE invite_hash = :invite_hash AND state = 'invited' AND invite_expires_at > :now""",
        invite_hash=invite_hash,
        now=now,
    )
    return row is not None


async def join(tx: Tx, **values: Any) -> Teammate | None:
    """Makes the person of an open invitation active; None if the invitation is no longer open."""
    row = await tx.one(
        f"""UPDATE teammates SET state = 'active', first_name = :first_name, last_name = :last_name,
              password_hash = :password_hash, invite_hash = NULL, invite_expires_at = NULL
            WHERE invite_hash = :invite_hash AND state = 'invited' AND invite_expires_at > :now
            RETURNING {_COLUMNS}""",
        **values,
    )
    return _TEAMMATE.of(row) if row else None


async def set_password(tx: Tx, team_id: str, teammate_id: str, password_hash: str) -> None:
    await tx.run(
        "UPDATE teammates SET password_hash = :password_hash WHERE team_id = :team_id AND id = :teammate_id",
        team_id=team_id,
        teammate_id=teammate_id,
        password_hash=password_hash,
    )
