"""The command `refonte-studio`: runs the server and its administration."""

from refonte_studio.cli import bulk, demo, invariants, people, server
from refonte_studio.cli.base import app

app.add_typer(people.team, name="team")
app.add_typer(people.user, name="user")
app.add_typer(people.key, name="key")

__all__ = ["app", "bulk", "demo", "invariants", "people", "server"]
