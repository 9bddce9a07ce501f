"""The command that makes something to look at."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from refonte_studio.cli.base import Data, DatabaseUrl, app, settings_of, with_database
from refonte_studio.config import Settings
from refonte_studio.db import Database
from refonte_studio.kit.clock import system_clock

if TYPE_CHECKING:
    from refonte_studio.demo import DemoTeam, Member


@app.command()
def demo(data: Data = None, database: DatabaseUrl = None) -> None:
    """Make a team, "Demo", with work done and work to do.

    The team is added whole or not at all, beside a running server or without one. Its people are printed, with their
    passwords and API keys, this once.
    """
    settings = settings_of(data=data, database=database)

    async def absent(db: Database) -> None:
        from refonte_studio.demo import check_absent

        await db.read(check_absent)

    with_database(settings, absent)
    made = _made()

    async def put(db: Database) -> None:
        from refonte_studio import demo as team

        await team.put(db, made)

    with_database(settings, put)
    _tell(made.people)


def _made() -> "DemoTeam":
    """The team, made in a database of its own."""

    async def make(db: Database) -> "DemoTeam":
        from refonte_studio import demo as team

        return await team.make(db, Settings(), system_clock())

    with tempfile.TemporaryDirectory(prefix="studio-demo-") as folder:
        return with_database(Settings(database=f"sqlite:///{Path(folder) / 'demo.db'}"), make)


def _tell(people: Sequence["Member"]) -> None:
    print("Made the team Demo. Its people, with passwords and live API keys that are shown this once:")
    for one in people:
        print(f"{one.email:<18} {one.role:<9} {one.password}  {one.key}")
    print("Use ben's key to label (POST /v1/work/claim), and ana's to look around (/docs lists the calls).")
