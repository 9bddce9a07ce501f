"""The SQL of access: keys, sessions, and sign-in attempts."""

from collections.abc import Sequence
from typing import Any

from refonte_studio.db import Tx
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Caller
from refonte_studio.teams.model import CALLER, Key, SignInCandidate

SWEEP_LIMIT = 1_000
BUDGETS_LIMIT = 3  # budgets that one attempt counts for
_KEY = Record(Key)
_KEY_COLUMNS = ", ".join(f"u.{column}" if column == "email" else f"k.{column}" for column in _KEY.columns)
_SELECT_KEY = f"""SELECT {_KEY_COLUMNS}
  FROM keys k JOIN teammates u ON u.id = k.teammate_id AND u.team_id = k.team_id"""
_ENDED_WITH = """WITH RECURSIVE ended(id) AS (
    SELECT k.id FROM keys k WHERE k.team_id = :team_id AND {these}
    UNION SELECT k_made.id FROM keys k_made JOIN ended ON k_made.maker_key_id = ended.id
    WHERE k_made.team_id = :team_id)"""


async def insert_key(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO keys (id, team_id, teammate_id, mode, name, prefix, key_hash, created_at, maker_key_id)
           VALUES (:id, :team_id, :teammate_id, :mode, :name, :prefix, :key_hash, :created_at, :maker_key_id)""",
        **values,
    )


async def holder_of_key(tx: Tx, key_hash: str) -> tuple[Caller, int | None] | None:
    """Returns the active holder of a key, and when the key was last used."""
    row = await tx.one(
        """SELECT u.team_id, u.id AS teammate_id, u.email, u.role, k.mode, k.id AS key_id, NULL AS session_hash,
             (SELECT o.alias_key FROM teams o WHERE o.id = u.team_id) AS alias_key, k.last_used_at
           FROM keys k JOIN teammates u ON u.id = k.teammate_id AND u.team_id = k.team_id
           WHERE k.key_hash = :key_hash AND k.revoked_at IS NULL AND u.state = 'active'""",
        key_hash=key_hash,
    )
    return (CALLER.of(row), row["last_used_at"]) if row else None


async def holder_of_session(tx: Tx, token_hash: str, now: int) -> Caller | None:
    """Returns the active holder of a session, which is in live mode."""
    row = await tx.one(
        """SELECT u.team_id, u.id AS teammate_id, u.email, u.role, 'live' AS mode, NULL AS key_id,
             v.token_hash AS session_hash,
             (SELECT o.alias_key FROM teams o WHERE o.id = u.team_id) AS alias_key
           FROM sessions v JOIN teammates u ON u.id = v.teammate_id AND u.team_id = v.team_id
           WHERE v.token_hash = :token_hash AND v.expires_at > :now AND u.state = 'active'""",
        token_hash=token_hash,
        now=now,
    )
    return CALLER.of(row) if row else None


async def touch_key(tx: Tx, team_id: str, key_id: str, now: int) -> None:
    await tx.run(
        "UPDATE keys SET last_used_at = :now WHERE id = :key_id AND team_id = :team_id",
        team_id=team_id,
        key_id=key_id,
        now=now,
    )


async def live_keys(tx: Tx, team_id: str, teammate_id: str) -> list[Key]:
    """A person's keys that are not revoked, newest first."""
    rows = await tx.all(
        f"""{_SELECT_KEY}
            WHERE k.team_id = :team_id AND k.teammate_id = :teammate_id AND k.revoked_at IS NULL ORDER BY k.id DESC""",
        team_id=team_id,
        teammate_id=teammate_id,
    )
    return [_KEY.of(row) for row in rows]


async def live_keys_of_team(tx: Tx, team_id: str) -> list[Key]:
    """All keys of a team that are not revoked, newest first."""
    rows = await tx.all(
        f"{_SELECT_KEY} WHERE k.team_id = :team_id AND k.revoked_at IS NULL ORDER BY k.id DESC", team_id=team_id
    )
    return [_KEY.of(row) for row in rows]


async def live_key_holder(tx: Tx, team_id: str, key_id: str) -> str | None:
    """Returns the holder of this key; None if it does not exist or is revoked."""
    row = await tx.one(
        "SELECT teammate_id FROM keys WHERE team_id = :team_id AND id = :key_id AND revoked_at IS NULL",
        team_id=team_id,
        key_id=key_id,
    )
    return row["teammate_id"] if row else None


async def team_of_key(tx: Tx, key_id: str) -> str | None:
    row = await tx.one("SELECT team_id FROM keys WHERE id = :key_id", key_id=key_id)
    return row["team_id"] if row else None


async def revoke_key(tx: Tx, team_id: str, key_id: str, now: int) -> None:
    """Revokes a key, and every key created with it, directly or indirectly."""
    await tx.run(
        f"""{_ENDED_WITH.format(these="k.id = :key_id")}
            UPDATE keys SET revoked_at = :now
            WHERE team_id = :team_id AND revoked_at IS NULL AND id IN (SELECT id FROM ended)""",
        team_id=team_id,
        key_id=key_id,
        now=now,
    )


async def revoke_keys_of(tx: Tx, team_id: str, teammate_ids: Sequence[str], now: int) -> None:
    """Revokes all keys of these people in the same way."""
    await tx.run(
        f"""{_ENDED_WITH.format(these="k.teammate_id IN :teammate_ids[]")}
            UPDATE keys SET revoked_at = :now
            WHERE team_id = :team_id AND revoked_at IS NULL AND id IN (SELECT id FROM ended)""",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
        now=now,
    )


async def insert_session(tx: Tx, **values: Any) -> None:
    await tx.run(
        """INSERT INTO sessions (token_hash, team_id, teammate_id, created_at, expires_at)
           VALUES (:token_hash, :team_id, :teammate_id, :created_at, :expires_at)""",
        **values,
    )


async def keep_newest_sessions(tx: Tx, team_id: str, teammate_id: str, count: int) -> None:
    await tx.run(
        """DELETE FROM sessions WHERE team_id = :team_id AND teammate_id = :teammate_id AND token_hash NOT IN (
             SELECT token_hash FROM sessions WHERE team_id = :team_id AND teammate_id = :teammate_id
             ORDER BY created_at DESC, token_hash LIMIT :limit)""",
        team_id=team_id,
        teammate_id=teammate_id,
        limit=count,
    )


async def session_lasts(tx: Tx, team_id: str, token_hash: str, now: int) -> bool:
    row = await tx.one(
        """SELECT teammate_id FROM sessions
           WHERE team_id = :team_id AND token_hash = :token_hash AND expires_at > :now""",
        team_id=team_id,
        token_hash=token_hash,
        now=now,
    )
    return row is not None


async def delete_session(tx: Tx, team_id: str, token_hash: str) -> None:
    await tx.run(
        "DELETE FROM sessions WHERE team_id = :team_id AND token_hash = :token_hash",
        team_id=team_id,
        token_hash=token_hash,
    )


async def delete_sessions_of(tx: Tx, team_id: str, teammate_ids: Sequence[str]) -> None:
    await tx.run(
        "DELETE FROM sessions WHERE team_id = :team_id AND teammate_id IN :teammate_ids[]",
        team_id=team_id,
        teammate_ids=list(teammate_ids),
    )


async def sweep_sessions(tx: Tx, now: int) -> int:
    return await tx.run(
        """DELETE FROM sessions WHERE token_hash IN (
             SELECT token_hash FROM sessions WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)""",
        now=now,
        limit=SWEEP_LIMIT,
    )


async def candidates(tx: Tx, key: str, team_name: str | None, limit: int) -> list[SignInCandidate]:
    """The active people with a password who have this address, oldest first."""
    rows = await tx.all(
        """SELECT u.id, u.team_id, u.password_hash, o.name FROM teammates u JOIN teams o ON o.id = u.team_id
           WHERE u.email_key = :email_key AND u.state = 'active' AND u.password_hash IS NOT NULL
             AND (CAST(:team_name AS TEXT) IS NULL OR o.name = :team_name)
           ORDER BY u.id LIMIT :limit""",
        email_key=key,
        team_name=team_name,
        limit=limit,
    )
    return [SignInCandidate(row["id"], row["team_id"], row["name"], row["password_hash"]) for row in rows]


async def candidate(tx: Tx, team_id: str, teammate_id: str) -> SignInCandidate | None:
    """Returns the same for one person; None if they have no password."""
    row = await tx.one(
        """SELECT u.password_hash, o.name FROM teammates u JOIN teams o ON o.id = u.team_id
           WHERE u.team_id = :team_id AND u.id = :teammate_id AND u.password_hash IS NOT NULL""",
        team_id=team_id,
        teammate_id=teammate_id,
    )
    return SignInCandidate(teammate_id, team_id, row["name"], row["password_hash"]) if row else None


async def lock_candidate(tx: Tx, person: SignInCandidate) -> bool:
    """Whether the person is still active with this password. Locks them until the transaction ends."""
    row = await tx.one(
        """SELECT id FROM teammates WHERE team_id = :team_id AND id = :teammate_id AND state = 'active'
             AND password_hash = :password_hash FOR NO KEY UPDATE""",
        team_id=person.team_id,
        teammate_id=person.teammate_id,
        password_hash=person.password_hash,
    )
    return row is not None


async def failures(tx: Tx, address_hash: str, since: int, limit: int) -> list[int]:
    """Returns the times of failed attempts since then, newest first."""
    rows = await tx.all(
        """SELECT failed_at FROM sign_in_failures WHERE address_hash = :address_hash AND failed_at > :since
           ORDER BY failed_at DESC LIMIT :limit""",
        address_hash=address_hash,
        since=since,
        limit=limit,
    )
    return [row["failed_at"] for row in rows]


async def insert_failure(tx: Tx, failure_id: str, address_hash: str, now: int) -> None:
    await tx.run(
        "INSERT INTO sign_in_failures (id, address_hash, failed_at) VALUES (:id, :address_hash, :now)",
        id=failure_id,
        address_hash=address_hash,
        now=now,
    )


async def delete_failure(tx: Tx, failure_id: str) -> None:
    """Deletes the rows of one attempt in all its budgets."""
    await tx.run(
        "DELETE FROM sign_in_failures WHERE id IN :failure_ids[]",
        failure_ids=[f"{failure_id}-{number}" for number in range(BUDGETS_LIMIT)],
    )


async def sweep_failures(tx: Tx, before: int) -> int:
    return await tx.run(
        """DELETE FROM sign_in_failures WHERE id IN (
             SELECT id FROM sign_in_failures WHERE failed_at <= :before ORDER BY failed_at LIMIT :limit)""",
        before=before,
        limit=SWEEP_LIMIT,
    )
