"""What quality needs: settings, pauses, reviews, estimates, attempts that are made again or were made elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "estimates",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_estimates")),
    )
    op.create_table(
        "labeler_models",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("teammate_id", sa.Text(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("accuracy", sa.Float(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "teammate_id", "question", name=op.f("pk_labeler_models")),
    )
    with op.batch_alter_table("labeler_models", schema=None) as batch_op:
        batch_op.create_index("ix_labeler_models_teammate_id", ["teammate_id"], unique=False)

    op.create_table(
        "project_models",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("alpha", sa.Float(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "question", "type", name=op.f("pk_project_models")),
    )
    op.create_table(
        "redos",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("teammate_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("teammate_id", "task_id", name=op.f("pk_redos")),
    )
    with op.batch_alter_table("redos", schema=None) as batch_op:
        batch_op.create_index("ix_redos_task_id", ["task_id"], unique=False)

    op.create_table(
        "reviews",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=True),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("reviewer_id", sa.Text(), nullable=True),
        sa.Column("comments", sa.Text(), nullable=True),
        sa.Column("sent_to", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reviews_open",
            ["project_id", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.create_index("ix_reviews_project", ["project_id", "id"], unique=False)
        batch_op.create_index("ix_reviews_task_id", ["task_id"], unique=False)
        batch_op.create_index(
            "uq_reviews_held",
            ["reviewer_id", "mode"],
            unique=True,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )
        batch_op.create_index(
            "uq_reviews_pending",
            ["task_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'held')"),
            postgresql_where=sa.text("state IN ('open', 'held')"),
        )

    op.create_table(
        "reviewers",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("teammate_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_reviewers_project_id")),
        sa.ForeignKeyConstraint(["teammate_id"], ["teammates.id"], name=op.f("fk_reviewers_teammate_id")),
        sa.PrimaryKeyConstraint("teammate_id", "project_id", name=op.f("pk_reviewers")),
    )
    with op.batch_alter_table("reviewers", schema=None) as batch_op:
        batch_op.create_index("ix_reviewers_project_id", ["project_id"], unique=False)

    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paused_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("pause_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("counts_from", sa.BigInteger(), server_default=sa.text("0"), nullable=False))

    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("round", sa.Integer(), server_default=sa.text("1"), nullable=False))
        batch_op.add_column(sa.Column("rejected_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("imported", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
        batch_op.drop_constraint(batch_op.f("uq_attempts_task_id_teammate_id"), type_="unique")
        batch_op.create_index("ix_attempts_project", ["project_id", "id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_attempts_task_id_teammate_id_round"), ["task_id", "teammate_id", "round"]
        )

    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index(
            "ix_claims_skipped",
            ["project_id", "ended_at"],
            unique=False,
            sqlite_where=sa.text("state = 'skipped'"),
            postgresql_where=sa.text("state = 'skipped'"),
        )
        batch_op.create_index(
            "ix_claims_past",
            ["task_id"],
            unique=False,
            sqlite_where=sa.text("state IN ('released', 'expired', 'ended', 'retaken')"),
            postgresql_where=sa.text("state IN ('released', 'expired', 'ended', 'retaken')"),
        )

    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reviewing", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))

    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("quality", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("evaluation_mix", sa.Integer(), server_default=sa.text("(13107)"), nullable=False)
        )
        batch_op.add_column(sa.Column("evaluates", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
    op.execute(
        """UPDATE projects SET evaluates = true WHERE EXISTS (
             SELECT 1 FROM tasks t WHERE t.project_id = projects.id AND t.kind = 'evaluation' AND t.kind <> 'work')"""
    )

    with op.batch_alter_table("quality_tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source_task_id", sa.Text(), nullable=True))

    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confidence", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("agreement", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("reviewed", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
