"""The commands that run and describe the server."""

import functools
import json
import sys
from typing import Annotated

import msgspec
import typer

from refonte_studio.cli.base import Data, DatabaseUrl, app, prepare, settings_of, with_database
from refonte_studio.config import Settings
from refonte_studio.db import Database
from refonte_studio.db.version import newest
from refonte_studio.kit.clock import system_clock


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option(
            envvar="STUDIO_HOST", help="Address to listen on; 0.0.0.0 for all interfaces [default: 127.0.0.1]"
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(envvar="STUDIO_PORT", help="Port to listen on; 0 for a free one [default: 8000]")
    ] = None,
    data: Data = None,
    database: DatabaseUrl = None,
    workers: Annotated[
        int | None,
        typer.Option(envvar="STUDIO_WORKERS", help="Server processes; more than one needs PostgreSQL [default: 1]"),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="STUDIO_PUBLIC_URL", help="URL of the server for users, used in links."),
    ] = None,
    pool_size: Annotated[
        int | None,
        typer.Option(envvar="STUDIO_POOL_SIZE", help="PostgreSQL connections per process [default: 12]"),
    ] = None,
) -> None:
    """Start the server, on a database of the latest schema.

    Every setting can also be given as an environment variable: STUDIO_ followed by its name in capitals.
    docs/reference/settings.md lists all settings. On SIGTERM the server completes requests in flight, then ends.
    """
    settings = settings_of(
        host=host,
        port=port,
        data=data,
        database=database,
        workers=workers,
        public_url=public_url,
        pool_size=pool_size,
    )
    if settings.workers > 1 and settings.database_url.startswith("sqlite:"):
        raise typer.BadParameter(
            f"SQLite serves one process, not {settings.workers}: leave --workers out, or use PostgreSQL (--database)"
        )
    prepare(settings)
    raise typer.Exit(_serve(settings))


def _serve(settings: Settings) -> int:
    from refonte_studio.server import process, supervisor

    try:
        listener = process.listen(settings)
    except OSError as error:
        raise OSError(f"cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}") from error
    settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
    if settings.workers == 1:
        process.run(settings, listener, functools.partial(_welcome, settings))
        return 0
    with_database(settings, functools.partial(_welcome, settings))
    return supervisor.run(settings, listener)


async def _welcome(settings: Settings, db: Database) -> None:
    """Prints where the server is and, while nobody can sign in, how to set it up."""
    from refonte_studio.teams import service as teams

    token = await db.write(teams.new_setup_link, system_clock())
    print(f"Refonte Studio {settings.base_url}", flush=True)
    if token is not None:
        print("Nobody has an account yet. Set up the first team, once, at", flush=True)
        print(f"{settings.base_url}/setup/{token}", flush=True)


@app.command()
def migrate(data: Data = None, database: DatabaseUrl = None) -> None:
    """Migrate the database to the latest schema."""
    prepare(settings_of(data=data, database=database))
    print(f"The database has schema {newest()}.")


@app.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the API."""
    from refonte_studio.main import openapi_document

    json.dump(openapi_document(), sys.stdout, indent=2, ensure_ascii=False)
    print()
