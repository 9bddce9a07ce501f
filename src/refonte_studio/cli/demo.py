"""The command that creates demo data."""

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
    """Create a team, "Demo", with finished and open work.

    The team is added as a whole or not at all, whether or not a server is running. Its people are printed, with
    passwords and API keys that are not shown again.
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
    """Returns the team, created in a temporary database."""

    async def make(db: Database) -> "DemoTeam":
        from refonte_studio import demo as team

        return await team.make(db, Settings(), system_clock())

    with tempfile.TemporaryDirectory(prefix="studio-demo-") as folder:
        return with_database(Settings(database=f"sqlite:///{Path(folder) / 'demo.db'}"), make)


def _tell(people: Sequence["Member"]) -> None:
    print("Created the team Demo. Its people, with passwords and live API keys that are not shown again:")
    for one in people:
        print(f"{one.email:<18} {one.role:<9} {one.password}  {one.key}")
    print("Use ben's key to label (POST /v1/work/claim), and ana's to explore the rest (/docs lists the operations).")
