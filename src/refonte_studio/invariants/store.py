"""The SQL that asks for the breaches of a rule. The rules themselves are in the modules beside this one."""

from refonte_studio.db import Tx
from refonte_studio.invariants.model import Breach, Finding, Rule

EXAMPLES = 5


async def finding(tx: Tx, rule: Rule) -> Finding:
    """How many breaches of the rule there are, and a few of them. The database finds and counts them."""
    rows = await tx.all(
        f"SELECT id, found, COUNT(*) OVER () AS breaches FROM ({rule.breaches}) AS broken LIMIT :limit",
        limit=EXAMPLES,
    )
    count = rows[0]["breaches"] if rows else 0
    return Finding(rule, count, tuple(Breach(str(row["id"]), str(row["found"])) for row in rows))
