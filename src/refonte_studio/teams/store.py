"""The SQL of teams and people."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.db import Row, Tx
from refonte_studio.kit.caller import Role
from refonte_studio.teams.model import State, Teammate

_TEAMMATE = """id, team_id, email, role, state, first_name, last_name, company, disable_rapid_emails,
    invite_expires_at"""


def _teammate(row: Row) -> Teammate:
    return Teammate(
        id=row["id"],
        team_id=row["team_id"],
        email=row["email"],
        role=Role(row["role"]),
        state=State(row["state"]),
        first_name=row["first_name"],
        last_name=row["last_name"],
        company=row["company"],
        disable_rapid_emails=bool(row["disable_rapid_emails"]),
        invite_expires_at=row["invite_expires_at"],
    )


async def insert_team(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO teams (id, name, callback_secret, created_at)
           VALUES (:id, :name, :callback_secret, :created_at)""",
        **values,
    )


async def insert_teammate(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO teammates (id, team_id, email, email_key, role, state, first_name, last_name, company,
             disable_rapid_emails, password_hash, invite_hash, invite_expires_at, created_at)
           VALUES (:id, :team_id, :email, :email_key, :role, :state, :first_name, :last_name, :company,
             FALSE, :password_hash, :invite_hash, :invite_expires_at, :created_at)""",
        **values,
    )


async def teammates(tx: Tx, team_id: str) -> list[Teammate]:
    """Everybody of the team, in the order of their arrival."""
    rows = await tx.all(f"SELECT {_TEAMMATE} FROM teammates WHERE team_id = :team_id ORDER BY id", team_id=team_id)
    return [_teammate(row) for row in rows]


async def teammates_by_key(tx: Tx, team_id: str, keys: Sequence[str]) -> dict[str, Teammate]:
    """The teammates of these addresses (in lower case), by address."""
    rows = await tx.all(
        f"SELECT {_TEAMMATE}, email_key FROM teammates WHERE team_id = :team_id AND email_key IN :keys[]",
        team_id=team_id,
        keys=list(keys),
    )
    return {row["email_key"]: _teammate(row) for row in rows}


async def insert_key(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO keys (id, team_id, teammate_id, mode, name, prefix, key_hash, created_at)
           VALUES (:id, :team_id, :teammate_id, :mode, :name, :prefix, :key_hash, :created_at)""",
        **values,
    )


async def holder_of_key(tx: Tx, key_hash: str) -> Row | None:
    """The key's active holder, and the key."""
    return await tx.one(
        """SELECT k.id AS key_id, k.mode, k.last_used_at, t.id, t.team_id, t.email, t.role
           FROM keys k JOIN teammates t ON t.id = k.teammate_id
           WHERE k.key_hash = :key_hash AND k.revoked_at IS NULL AND t.state = 'active'""",
        key_hash=key_hash,
    )


async def holder_of_session(tx: Tx, token_hash: str, now: int) -> Row | None:
    """The session's active holder."""
    return await tx.one(
        """SELECT t.id, t.team_id, t.email, t.role
           FROM sessions s JOIN teammates t ON t.id = s.teammate_id
           WHERE s.token_hash = :token_hash AND s.expires_at > :now AND t.state = 'active'""",
        token_hash=token_hash,
        now=now,
    )


async def touch_key(tx: Tx, key_id: str, now: int) -> None:
    await tx.run("UPDATE keys SET last_used_at = :now WHERE id = :key_id", key_id=key_id, now=now)
