"""What published clients of the family ask for, and what keeps teams, people and servers safe from each other."""

import sqlalchemy as sa
from alembic import op

from refonte_studio.db.migrations.names import give_names_one_form

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _teams()
    _projects()
    _files()
    _tasks()
    _work()
    _callbacks()
    give_names_one_form(op.get_bind())


def _teams() -> None:
    pass


def _projects() -> None:
    with op.batch_alter_table("projects") as batch_op:
        batch_op.add_column(sa.Column("archived_at", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("assignments") as batch_op:
        batch_op.add_column(sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.text("(false)")))


def _files() -> None:
    pass


def _tasks() -> None:
    pass


def _work() -> None:
    pass


def _callbacks() -> None:
    pass
