"""The command that makes something to look at."""

from refonte_studio.cli.base import Data, DatabaseUrl, app, settings_of, with_database
from refonte_studio.db import Database
from refonte_studio.kit.clock import system_clock


@app.command()
def demo(data: Data = None, database: DatabaseUrl = None) -> None:
    """Make a team, "Demo", with work done and work to do.

    Its people are printed, with their passwords and API keys, this once.
    """
    settings = settings_of(data=data, database=database)

    async def work(db: Database) -> None:
        from refonte_studio.demo import TEAM, make

        people = await make(db, settings, system_clock())
        print(f"Made the team {TEAM}. Its people, with passwords and live API keys that are shown this once:")
        for one in people:
            print(f"{one.email:<18} {one.role:<9} {one.password}  {one.key}")
        print("Sign in as ben@demo.example to label, or as ana@demo.example to look around.")

    with_database(settings, work)
