"""What every command shares: settings, the database, and errors as one line on standard error."""

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
# What is wrong with how a command is written; where Typer keeps it depends on its version.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
POOL_SIZE = 2  # a command leaves PostgreSQL's connections to the server


class KeyMode(StrEnum):
    """The two worlds of a team, as a choice on the command line."""

    LIVE = "live"
    TEST = "test"


@contextmanager
def _redacting() -> Generator[None]:
    """What is said of a command that is not written as it should be shows no password of a URL."""
    try:
        yield
    except _USAGE_ERROR as error:
        wrong: Any = error
        wrong.message = redacted(wrong.message)
        raise


class _Commands(TyperGroup):
    """Ends with 1 and one line where a command cannot do what it is told."""

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
    """What went wrong, in one line. An error about a file names the file, without the system's error number."""
    if isinstance(error, OSError) and isinstance(error.filename, str) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def plain(**options: Any) -> typer.Typer:
    """A group of commands with help in plain text, the same on every terminal."""
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
        metavar="DIR", envvar="STUDIO_DATA", help="Folder of the SQLite file; made if missing [default: data]"
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
    str | None, typer.Option("--team", metavar="NAME", help="The person's team, where the address is in several.")
]


def counted(count: int, noun: str) -> str:
    """So many of them, as people say it: "1 task", "1,200 tasks"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def settings_of(**flags: Any) -> Settings:
    """The settings, by flags and environment. A wrong one ends the command with 2."""
    try:
        return config.load(**flags)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def prepare(settings: Settings) -> None:
    """Makes the data folder where it is missing, and brings the database to the newest schema."""
    url = settings.database_url
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        close_to_others(file)
    elif not url.startswith(("postgresql://", "postgres://")):
        raise typer.BadParameter(f"the database URL must begin with sqlite:/// or postgresql://{scheme_hint(url)}")
    # what every command needs in the end takes about as long to import as a migration
    make_current(url, meanwhile=lambda: import_module("refonte_studio.main"))


def with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Runs `work` on the database, beside a server or without one."""
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
