"""The keys that make the pseudonyms by which labelers know tasks, for teams that were made before there were any."""

from sqlalchemy import text
from sqlalchemy.engine import Connection

from refonte_studio.kit.ids import new_secret


def give_alias_keys(connection: Connection) -> None:
    """Each team gets a key of its own."""
    teams = [row.id for row in connection.execute(text("SELECT id FROM teams"))]
    for team_id in teams:
        connection.execute(
            text("UPDATE teams SET alias_key = :key WHERE id = :id"), {"key": new_secret(), "id": team_id}
        )
