"""Opens the database at a URL."""

from refonte_studio.db.engine import Database, Listeners
from refonte_studio.kit.redaction import scheme_hint


async def open_database(url: str, listeners: Listeners, pool_size: int = 12) -> Database:
    """Opens `sqlite:///path` or `postgresql://…`. Raises ValueError for any other URL."""
    if url.startswith("sqlite:///"):
        from refonte_studio.db.sqlite import SqliteDatabase

        return SqliteDatabase(url.removeprefix("sqlite:///"), listeners)
    if url.startswith(("postgresql://", "postgres://")):
        from refonte_studio.db.postgres import PostgresDatabase

        return await PostgresDatabase.connect(url, listeners, pool_size)
    raise ValueError(f"the database URL must begin with sqlite:/// or postgresql://{scheme_hint(url)}")
