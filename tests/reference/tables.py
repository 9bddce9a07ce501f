"""The page about tables, from what `db/` declares about them."""

from refonte_studio.db.ownership import LICENCES, OWNERS, READS_EVERYTHING, Access

INTRO = """\
# Who owns a table

Each table belongs to one room, whose store alone changes its rows. Other rooms ask the owner's service. Where a
statement of another room reads or writes the table all the same, `src/refonte_studio/db/ownership.py` grants it a
licence with a reason, and `tests/house/test_ownership.py` compares the licences with the statements. This page is made
from the declarations.

`invariants` reads every table and writes none, so the lists below leave it out.
"""


def document() -> str:
    rows = [
        f"| `{table}` | {owner} | {_others(table, 'read')} | {_others(table, 'write')} |"
        for table, owner in OWNERS.items()
    ]
    reasons = [
        f"| {licence.room} | {licence.access}s | {', '.join(f'`{table}`' for table in licence.tables)} "
        f"| {licence.reason} |"
        for licence in LICENCES
    ]
    reasons += [f"| {room} | reads | every table | {reason} |" for room, reason in READS_EVERYTHING.items()]
    parts = [
        INTRO,
        "\n".join(["| table | owner | also read by | also written by |", "| --- | --- | --- | --- |", *rows]) + "\n",
        "## Why others may\n",
        "\n".join(["| room | does | with | because |", "| --- | --- | --- | --- |", *reasons]) + "\n",
    ]
    return "\n".join(parts)


def _others(table: str, access: Access) -> str:
    return ", ".join(licence.room for licence in LICENCES if licence.access == access and table in licence.tables)
