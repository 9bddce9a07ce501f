"""The places of pending tasks in a narrow table of their own; how far people have come in a batch."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PENDING_OPEN = "open > 0"
PENDING_OPENED = "open > 0 AND opened IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "places",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "task_id", name=op.f("pk_places")),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": "80"},
    )
    op.execute(
        """INSERT INTO places (team_id, batch_id, task_id, wanted, attempts, open)
           SELECT team_id, CASE WHEN kind = 'work' THEN batch_id ELSE '' END, id, wanted, attempts,
             CASE WHEN kind = 'work' THEN open_places ELSE 0 END
           FROM tasks WHERE status = 'pending' ORDER BY batch_id, id"""
    )
    op.create_index(
        "ix_places_open",
        "places",
        ["batch_id", "task_id"],
        sqlite_where=sa.text(PENDING_OPEN),
        postgresql_where=sa.text(PENDING_OPEN),
    )
    op.create_index(
        "ix_places_opened",
        "places",
        ["batch_id", "opened"],
        sqlite_where=sa.text(PENDING_OPENED),
        postgresql_where=sa.text(PENDING_OPENED),
    )
    op.create_table(
        "reaches",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("teammate_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("teammate_id", "batch_id", name=op.f("pk_reaches")),
        postgresql_with={"fillfactor": "80"},
    )
    _slimmer_tasks()
    op.drop_index("ix_claims_lease", table_name="claims")
    op.create_index(
        "ix_claims_lease",
        "claims",
        ["team_id", "lease_expires_at"],
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.drop_index("ix_batches_pending", table_name="batches")
    op.create_index(
        "ix_batches_pending",
        "batches",
        ["team_id", "mode", "position", "id"],
        sqlite_where=sa.text("state = 'in_progress'"),
        postgresql_where=sa.text("state = 'in_progress'"),
    )


def _slimmer_tasks() -> None:
    """Without what `places` holds now, nor an index on what changes when a task ends."""
    for name in ("ix_tasks_open", "ix_tasks_pending", "ix_tasks_quality"):
        op.drop_index(name, table_name="tasks")
    for name in ("wanted", "attempts", "open_places"):
        op.drop_column("tasks", name)
    op.create_index(
        "ix_tasks_quality",
        "tasks",
        ["project_id", "kind", "id"],
        sqlite_where=sa.text("kind <> 'work'"),
        postgresql_where=sa.text("kind <> 'work'"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE tasks SET (fillfactor = 80)")
