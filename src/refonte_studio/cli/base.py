"""Shared by all commands: settings, database access, and errors as one line on standard error."""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from refonte_studio import __version__, config
from refonte_studio.cli.private import close_to_others, make_private
from refonte_studio.config import Settings
from refonte_studio.db import Database
from refonte_studio.db.version import MigrationFailed, make_current
from refonte_studio.kit.errors import StudioError
from refonte_studio.kit.redaction import redacted, scheme_hint

T = TypeVar("T")
ORDER = ("serve", "migrate", "demo", "team", "user", "key", "import", "export", "audit", "openapi")
# Usage errors; their location in Typer depends on its version.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
POOL_SIZE = 2  # leaves most PostgreSQL connections to the server


class KeyMode(StrEnum):
    """The modes of a team, as a choice on the command line."""

    LIVE = "live"
    TEST = "test"


@contextmanager
def _redacting() -> Generator[None]:
    """Hides passwords of URLs in usage errors."""
    try:
        yield
    except _USAGE_ERROR as error:
        wrong: Any = error
        wrong.message = redacted(wrong.message)
        raise


class _Commands(TyperGroup):
    """Ends with exit code 1 and a one-line message if a command fails."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _redacting():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        make_private()
        try:
            with _redacting():
                return super().invoke(ctx)
        except (StudioError, MigrationFailed, sqlite3.Error, OSError) as error:
            print(f"refonte-studio: {redacted(_message(error))}", file=sys.stderr)
            if isinstance(error, StudioError):
                for bad in error.details.get("lines", ()):
                    print(f"  line {bad['line']}: {bad['error']}", file=sys.stderr)
            raise typer.Exit(1) from error


def _message(error: Exception) -> str:
    """Returns a one-line error message. An error about a file names the file, without the system's error number."""
    if isinstance(error, OSError) and isinstance(error.filename, str) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def plain(**options: Any) -> typer.Typer:
    """Returns a group of commands with plain-text help, which is the same on every terminal."""
    return typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
        **options,
    )


app = plain(cls=_Commands, add_completion=False, help="Refonte Studio: a labelling workforce on your own server.")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"refonte-studio {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Refonte Studio: a labelling workforce on your own server."""


Data = Annotated[
    str | None,
    typer.Option(
        metavar="DIR", envvar="STUDIO_DATA", help="Folder of the SQLite file; created if missing [default: data]"
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="STUDIO_DATABASE",
        help="sqlite:///path or postgresql://… [default: SQLite in the data folder]",
    ),
]
TeamName = Annotated[
    str | None, typer.Option("--team", metavar="NAME", help="The person's team, if the address is in several.")
]


def counted(count: int, noun: str) -> str:
    """Formats a number with a noun: "1 task", "1,200 tasks"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def settings_of(**flags: Any) -> Settings:
    """Returns the settings from options and environment. An invalid one ends the command with exit code 2."""
    try:
        return config.load(**flags)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def prepare(settings: Settings) -> None:
    """Creates the data folder if missing, and migrates the database to the latest schema."""
    url = settings.database_url
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        close_to_others(file)
    elif not url.startswith(("postgresql://", "postgres://")):
        raise typer.BadParameter(f"the database URL must begin with sqlite:/// or postgresql://{scheme_hint(url)}")
    # imported here because every command needs it in the end, and it takes as long to import as a migration
    make_current(url, meanwhile=lambda: import_module("refonte_studio.main"))


def with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Runs `work` on the database, whether or not a server is running."""
    prepare(settings)
    return asyncio.run(_with_database(settings, work))


async def _with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    from refonte_studio.db import open_database
    from refonte_studio.main import LISTENERS

    db = await open_database(settings.database_url, LISTENERS, POOL_SIZE)
    try:
        return await work(db)
    finally:
        await db.close()
