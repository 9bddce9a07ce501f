"""The page about the command line, from the `--help` of every command."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from refonte_studio.cli import app

INTRO = """\
# The command line

`script/setup`, which the other scripts call, puts the command at `.venv/bin/refonte-studio`. Every command but
`openapi` opens the database itself, so it works beside a running server and without one; before that, it makes the
data folder if it is missing and brings the database to the newest schema. What goes wrong is one line on standard
error, with exit code 1, or 2 where the command was not written as below.

This page is what `--help` prints.
"""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group by its words, the whole first."""
    command = command or get_command(app)
    yield path
    inner = getattr(command, "commands", {})
    for name in command.list_commands(None) if inner else ():
        yield from commands(inner[name], (*path, name))


def document() -> str:
    parts = [INTRO]
    for path in commands():
        shown = CliRunner().invoke(
            app, [*path, "--help"], env={"COLUMNS": "100", "TERM": "dumb"}, prog_name="refonte-studio"
        )
        parts.append(f"## {' '.join(('refonte-studio', *path))}\n\n```text\n{shown.stdout.strip()}\n```\n")
    return "\n".join(parts)
