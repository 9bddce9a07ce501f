"""The tables are what `db/schema.py` says, on both engines."""

from pathlib import Path

from refonte_studio.db.migrate import check, migrate
from refonte_studio.db.schema import metadata

# No table of a team's: nobody has a team yet, or any more, when these are read.
WITHOUT_TEAM = {"teams", "setup_links", "sign_in_failures"}


def test_the_migrations_give_exactly_the_schema_on_sqlite(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'studio.db'}"
    migrate(url)
    check(url)


def test_the_migrations_give_exactly_the_schema_on_postgresql(postgres_url: str):
    check(postgres_url)


def test_every_table_carries_its_team():
    without = {table.name for table in metadata.sorted_tables if "team_id" not in table.c}
    assert without == WITHOUT_TEAM
