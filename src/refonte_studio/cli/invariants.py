"""The command that checks a database for consistency."""

from typing import TYPE_CHECKING

import typer

from refonte_studio.cli.base import Data, DatabaseUrl, app, counted, settings_of, with_database
from refonte_studio.db import Database

if TYPE_CHECKING:
    from refonte_studio.invariants.model import Finding


@app.command()
def audit(data: Data = None, database: DatabaseUrl = None) -> None:
    """Check that the database satisfies every rule of dispatch.

    Reads one consistent state of the database, whether or not a server is running. Prints each rule and, for a broken
    one, the number of violations and the first few rows. Exit code 1 if a rule is broken.
    """

    async def work(db: Database) -> int:
        from refonte_studio.invariants.service import audit as prove

        findings = await db.read(prove, _tell)
        return sum(finding.count > 0 for finding in findings)

    broken = with_database(settings_of(data=data, database=database), work)
    print(f"{broken} broken." if broken else "The database keeps every rule.")
    raise typer.Exit(1 if broken else 0)


def _tell(finding: "Finding") -> None:
    rule = finding.rule
    kept = f"BROKEN {counted(finding.count, 'time')}" if finding.count else "kept"
    print(f"{kept}  {rule.name}: {rule.promise}", flush=True)
    for breach in finding.examples:
        print(f"    {breach.id}: {breach.found}")
