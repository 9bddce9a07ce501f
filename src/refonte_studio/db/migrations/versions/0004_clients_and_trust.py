"""What published clients of the family ask for, and what keeps teams, people and servers safe from each other."""

import sqlalchemy as sa
from alembic import op

from refonte_studio.db.migrations.aliases import give_alias_keys
from refonte_studio.db.migrations.callbacks import settle_stuck
from refonte_studio.db.migrations.names import give_names_one_form

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _teams()
    _projects()
    _files()
    _pages()
    _tasks()
    _work()
    _callbacks()
    give_names_one_form(op.get_bind())


def _teams() -> None:
    with op.batch_alter_table("teams") as batch_op:
        batch_op.add_column(sa.Column("alias_key", sa.Text(), nullable=True))
    give_alias_keys(op.get_bind())
    with op.batch_alter_table("teams") as batch_op:
        batch_op.alter_column("alias_key", existing_type=sa.Text(), nullable=False)
    with op.batch_alter_table("keys") as batch_op:
        batch_op.add_column(sa.Column("maker_key_id", sa.Text(), nullable=True))
        batch_op.create_index("ix_keys_maker_key_id", ["maker_key_id"], unique=False)


def _projects() -> None:
    with op.batch_alter_table("projects") as batch_op:
        batch_op.add_column(sa.Column("archived_at", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("assignments") as batch_op:
        batch_op.add_column(sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.text("(false)")))


def _files() -> None:
    with op.batch_alter_table("files") as batch_op:
        batch_op.add_column(sa.Column("reference_id", sa.Text(), nullable=True))
        batch_op.create_index("ix_files_team", ["team_id", "mode", "id"], unique=False)
        batch_op.create_index(
            "uq_files_reference_id",
            ["team_id", "mode", "reference_id"],
            unique=True,
            sqlite_where=sa.text("reference_id IS NOT NULL"),
            postgresql_where=sa.text("reference_id IS NOT NULL"),
        )


def _pages() -> None:
    op.create_table(
        "page_ends",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_page_ends_team_id_teams")),
        sa.PrimaryKeyConstraint("holder", "question", "place", name=op.f("pk_page_ends")),
    )


def _tasks() -> None:
    _postponed_results()


def _postponed_results() -> None:
    """Results that are made in the background, and the tasks that wait for them."""
    op.create_table(
        "postponed_results",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("(0)"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_postponed_results"),
    )
    op.create_index("ix_postponed_results_task_id", "postponed_results", ["task_id"])
    for name, column, unique in (
        ("uq_postponed_results_waiting", "task_id", True),
        ("ix_postponed_results_due", "due_at", False),
    ):
        op.create_index(
            name,
            "postponed_results",
            [column],
            unique=unique,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )
    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.add_column(sa.Column("judging", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))


def _work() -> None:
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.add_column(sa.Column("imported_by", sa.Text(), nullable=True))


def _callbacks() -> None:
    with op.batch_alter_table("teams", schema=None) as batch_op:
        batch_op.add_column(sa.Column("callback_auth", sa.Text(), nullable=True))
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("callback_succeeded", sa.Boolean(), nullable=True))
    with op.batch_alter_table("callbacks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lane", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.drop_index("ix_callbacks_due")
        batch_op.create_index(
            "ix_callbacks_lane",
            ["lane", "next_try_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
    settle_stuck(op.get_bind())
