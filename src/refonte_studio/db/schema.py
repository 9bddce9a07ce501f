"""The only definition of the tables. Migrations are checked against it; requests do not use SQLAlchemy.

Times are milliseconds since 1970-01-01 UTC; ids are 24 hexadecimal digits that sort by creation; JSON is stored as
received. Every table has `team_id`, so that a deployment can be distributed by team.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *args: ForeignKey, null: bool = False) -> Column[str]:
    return Column(name, Text, *args, nullable=null)


def _time(name: str, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _count(name: str, start: int | None = None) -> Column[int]:
    default = None if start is None else text(str(start))
    return Column(name, Integer, nullable=False, server_default=default)


def _flag(name: str, start: bool | None = None) -> Column[bool]:
    default = None if start is None else text("true" if start else "false")
    return Column(name, Boolean, nullable=False, server_default=default)


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True, nullable=False)


# ---------------------------------------------------------------------------------------------- teams

teams = Table(
    "teams",
    metadata,
    _id(),
    _text("name"),
    _text("callback_secret"),  # signs the team's callbacks
    _text("alias_key"),  # creates the pseudonyms by which labelers know tasks
    _text("callback_auth", null=True),  # sent unchanged in the header scale-callback-auth of callbacks
    _time("created_at"),
    UniqueConstraint("name"),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("token_hash", Text, primary_key=True, nullable=False),
    _time("created_at"),
)

teammates = Table(
    "teammates",
    metadata,
    _id(),
    _text("team_id", ForeignKey("teams.id")),
    _text("email"),  # in canonical form; for an external annotator, any name
    _text("email_key"),  # the key that makes an address unique within its team
    _text("role"),  # admin manager member labeler: their role, or the role they are invited to
    _text("state"),  # invited active disabled; external: an annotator with imported answers, not a teammate
    _text("first_name", null=True),
    _text("last_name", null=True),
    _text("company", null=True),
    _flag("disable_rapid_emails"),
    _text("password_hash", null=True),
    _text("invite_hash", null=True),
    _time("invite_expires_at", null=True),
    _time("created_at"),
    UniqueConstraint("team_id", "email_key"),
    UniqueConstraint("invite_hash"),
    Index("ix_teammates_email_key", "email_key"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True, nullable=False),
    _text("team_id", ForeignKey("teams.id")),
    _text("teammate_id", ForeignKey("teammates.id")),
    _time("created_at"),
    _time("expires_at"),
    Index("ix_sessions_teammate_id", "teammate_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

# The last rows of pages that a key or session has read by offset (db/page_ends.py).
page_ends = Table(
    "page_ends",
    metadata,
    _text("team_id", ForeignKey("teams.id")),
    _text("holder"),  # id of the key, or hash of the session's token
    _text("question"),  # hash of the filters of the list
    _count("place"),  # number of rows before the next page
    _text("last_id"),  # of the last row
    _time("ended_at"),
    PrimaryKeyConstraint("holder", "question", "place"),
)

# Failed or pending sign-in attempts by address, which limit guessing.
sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    _id(),
    _text("address_hash"),  # hash of what is limited: an e-mail address, a client, both together, or a session or key
    _time("failed_at"),
    Index("ix_sign_in_failures_address_hash", "address_hash", "failed_at"),
    Index("ix_sign_in_failures_failed_at", "failed_at"),
)

keys = Table(
    "keys",
    metadata,
    _id(),
    _text("team_id", ForeignKey("teams.id")),
    _text("teammate_id", ForeignKey("teammates.id")),
    _text("mode"),  # live test
    _text("name"),
    _text("prefix"),  # the first characters, to distinguish keys
    _text("key_hash"),
    _time("created_at"),
    _time("last_used_at", null=True),
    _time("revoked_at", null=True),
    _text("maker_key_id", null=True),  # the key that created this one; revoking it revokes this one
    UniqueConstraint("key_hash"),
    Index("ix_keys_teammate_id", "teammate_id"),
    Index("ix_keys_maker_key_id", "maker_key_id"),
)

# ------------------------------------------------------------------------------------------- projects

projects = Table(
    "projects",
    metadata,
    _id(),
    _text("team_id", ForeignKey("teams.id")),
    _text("mode"),
    _text("name"),
    _text("type"),  # a task type, or "any": the default project
    _flag("studio"),
    _flag("rapid"),
    _text("dataset_id", null=True),
    _text("pipeline"),  # standard_task consensus_task
    _count("consensus_attempts"),  # kept while the pipeline is standard, so that consensus can be restored
    _count("version"),  # of the newest row of project_params
    _time("created_at"),
    _text("quality", null=True),  # JSON object: the changed quality settings
    # Share of work tasks, out of 65,536, that an evaluation task precedes while any is due.
    _count("evaluation_mix", 13_107),
    _flag("evaluates", False),  # whether it has or has had evaluation tasks
    _time("archived_at", null=True),  # when it stopped giving out work and accepting tasks
    UniqueConstraint("team_id", "mode", "name"),
)

project_params = Table(
    "project_params",
    metadata,
    _text("team_id"),
    _text("project_id", ForeignKey("projects.id")),
    _count("version"),
    _text("params"),  # JSON object: all of the project's parameters as of this version
    _time("created_at"),
    PrimaryKeyConstraint("project_id", "version"),
)

assignments = Table(
    "assignments",
    metadata,
    _text("team_id"),
    _text("teammate_id", ForeignKey("teammates.id")),
    _text("project_id", ForeignKey("projects.id")),
    _time("created_at"),
    _time("paused_at", null=True),  # when the person was stopped from claiming in the project
    _text("pause_reason", null=True),
    _flag("archived", False),  # copy of the project's state, for dispatch
    # Evaluation and training before this time do not count, because a manager ended a pause then.
    Column("counts_from", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("teammate_id", "project_id"),
    Index("ix_assignments_project_id", "project_id"),
)

# Who may review a project's tasks.
reviewers = Table(
    "reviewers",
    metadata,
    _text("team_id"),
    _text("project_id", ForeignKey("projects.id")),
    _text("teammate_id", ForeignKey("teammates.id")),
    _time("created_at"),
    PrimaryKeyConstraint("teammate_id", "project_id"),
    Index("ix_reviewers_project_id", "project_id"),
)

groups = Table(
    "groups",
    metadata,
    _id(),
    _text("team_id"),
    _text("project_id", ForeignKey("projects.id")),
    _text("name"),
    _flag("singleton"),
    _time("created_at"),
    UniqueConstraint("project_id", "name"),
)

group_members = Table(
    "group_members",
    metadata,
    _text("team_id"),
    _text("group_id", ForeignKey("groups.id")),
    _text("teammate_id", ForeignKey("teammates.id")),
    PrimaryKeyConstraint("group_id", "teammate_id"),
    Index("ix_group_members_teammate_id", "teammate_id"),
)

# ---------------------------------------------------------------------------------------------- files

files = Table(
    "files",
    metadata,
    _id(),
    _text("team_id", ForeignKey("teams.id")),
    _text("mode"),
    _text("name"),
    _text("display_name", null=True),  # as given in the upload
    _text("mime_type"),
    Column("size", BigInteger, nullable=False),
    _text("project_names"),  # JSON array
    _text("metadata"),  # JSON object: further properties given in the upload
    _text("reference_id", null=True),  # the client's own id of the file
    _flag("complete"),  # false while chunks arrive; such a file is invisible, and swept when old
    _time("created_at"),
    _time("updated_at"),
    Index("ix_files_team", "team_id", "mode", "id"),
    Index(
        "uq_files_reference_id",
        "team_id",
        "mode",
        "reference_id",
        unique=True,
        sqlite_where=text("reference_id IS NOT NULL"),
        postgresql_where=text("reference_id IS NOT NULL"),
    ),
    Index(
        "ix_files_sweep",
        "created_at",
        sqlite_where=text("NOT complete"),
        postgresql_where=text("NOT complete"),
    ),
)

file_chunks = Table(
    "file_chunks",
    metadata,
    _text("team_id"),
    _text("file_id", ForeignKey("files.id")),
    _count("number"),  # from 0
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("file_id", "number"),
)

# -------------------------------------------------------------------------------------------- batches

batches = Table(
    "batches",
    metadata,
    _id(),
    _text("team_id", ForeignKey("teams.id")),
    _text("mode"),
    _text("project_id", ForeignKey("projects.id")),
    _text("name"),
    _text("batch_type"),  # Production Calibration SelfLabel
    _flag("studio"),
    _flag("is_default"),  # its project's default batch
    _text("state"),  # staging in_progress completed
    # Position in the queue, by team and mode, with gaps; NULL unless it is pending in a Studio project.
    Column("position", Integer, nullable=True),
    _text("callback", null=True),
    _text("metadata"),
    _time("created_at"),
    _time("finalized_at", null=True),
    _time("completed_at", null=True),
    UniqueConstraint("team_id", "mode", "name"),
    Index("ix_batches_project_id", "project_id"),
    Index(
        "ix_batches_pending",
        "team_id",
        "mode",
        "position",
        "id",
        sqlite_where=text("state = 'in_progress'"),
        postgresql_where=text("state = 'in_progress'"),
    ),
    Index(
        "uq_batches_default",
        "project_id",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
)

batch_groups = Table(
    "batch_groups",
    metadata,
    _text("team_id"),
    _text("batch_id", ForeignKey("batches.id")),
    _text("group_id", ForeignKey("groups.id")),
    _count("number"),  # the order in which the groups were named
    PrimaryKeyConstraint("batch_id", "group_id"),
)

# The number of tasks of a batch in a state is `batch_counts` plus the sum of `batch_deltas`. Work only adds deltas, so
# that no row is contended; a background loop folds them into the counts.
batch_counts = Table(
    "batch_counts",
    metadata,
    _text("team_id"),
    Column("batch_id", Text, primary_key=True, nullable=False),
    _count("pending"),
    _count("completed"),
    _count("canceled"),
)

batch_deltas = Table(
    "batch_deltas",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _text("team_id"),
    _text("batch_id"),
    _count("pending"),
    _count("completed"),
    _count("canceled"),
    Index("ix_batch_deltas_batch_id", "batch_id"),
)

# ---------------------------------------------------------------------------------------------- tasks

tasks = Table(
    "tasks",
    metadata,
    _id(),
    _text("team_id"),
    _text("mode"),
    _text("project_id"),
    _text("batch_id", null=True),  # NULL only for a training task
    _text("kind"),  # work training evaluation
    _text("type"),
    _text("status"),  # pending completed canceled
    _text("params"),  # JSON object: the parameters it was created with, including the project's
    _text("metadata"),  # JSON object
    _text("tags", null=True),  # JSON array, for responses; task_tags is for filters
    _text("unique_id", null=True),
    _text("callback_url", null=True),
    _text("response", null=True),  # JSON object, once completed
    _text("review_status", null=True),  # accepted, rejected and so on, from the last audit
    _count("project_version"),  # version of the project's parameters, and so of the instructions, that it inherited
    _time("created_at"),
    _time("updated_at"),
    _time("completed_at", null=True),
    Column("confidence", Float, nullable=True),  # probability that a response made from attempts is correct, 0 to 1
    Column("agreement", Float, nullable=True),  # of the attempts with each other, 0 to 1
    _flag("reviewed", False),  # whether a person decided on the response, so that models do not change it
    Column("callback_succeeded", Boolean, nullable=True),  # whether its last callback was delivered; NULL before
    Index(
        "uq_tasks_unique_id",
        "team_id",
        "mode",
        "unique_id",
        unique=True,
        sqlite_where=text("unique_id IS NOT NULL"),
        postgresql_where=text("unique_id IS NOT NULL"),
    ),
    Index(
        "ix_tasks_quality",
        "project_id",
        "kind",
        "id",
        sqlite_where=text("kind <> 'work'"),
        postgresql_where=text("kind <> 'work'"),
    ),
    Index("ix_tasks_team", "team_id", "mode", "id"),
    Index("ix_tasks_project", "project_id", "id"),
    Index("ix_tasks_batch", "batch_id", "id"),
    # Free space on each page for later versions of a task, so that completing it changes no index.
    postgresql_with={"fillfactor": "80"},
)

# One narrow row for each pending task, deleted when the task ends. Claims and submissions change this row and not the
# task, which is wide and has many indexes.
task_slots = Table(
    "task_slots",
    metadata,
    _text("team_id"),
    _text("batch_id"),  # empty for a training or evaluation task, which does not count towards the batch's progress
    _text("task_id"),
    _count("wanted"),  # attempts that complete it
    _count("attempts"),  # submitted so far
    _count("open"),  # wanted - attempts - held claims; 0 for a training or evaluation task
    # Commit number (db/commit_order.py) of when slots last opened for people whose cursor may be past the task: the
    # task was added to a batch in progress, a slot was released when none was open, or a slot was returned by a person
    # who may claim the task again. NULL if that never happened.
    Column("opened", BigInteger, nullable=True),
    _flag("reviewing", False),  # whether it has enough attempts and waits for the decision of a review
    _flag("judging", False),  # whether it has enough attempts and its result is computed in the background
    PrimaryKeyConstraint("batch_id", "task_id"),
    Index(
        "ix_task_slots_open",
        "batch_id",
        "task_id",
        sqlite_where=text("open > 0"),
        postgresql_where=text("open > 0"),
    ),
    Index(
        "ix_task_slots_opened",
        "batch_id",
        "opened",
        sqlite_where=text("open > 0 AND opened IS NOT NULL"),
        postgresql_where=text("open > 0 AND opened IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": "80"},
)

# Results that take too long to compute in the transaction that records the last attempt: one row for each time that a
# task waits for its result. The row is kept, to show why the task was completed later than its last attempt.
postponed_results = Table(
    "postponed_results",
    metadata,
    _id(),
    _text("team_id"),
    _text("mode"),
    _text("project_id"),
    _text("batch_id"),
    _text("task_id"),
    _flag("forced"),  # whether the result completes the task in any case, because a manager sent it to completion
    _count("tries", 0),  # number of failed tries
    _time("due_at"),  # when to try next; during a try, when it counts as lost
    _text("taken_by", null=True),  # the id of the current or last try
    _time("created_at"),
    _time("done_at", null=True),
    Index(
        "uq_postponed_results_waiting",
        "task_id",
        unique=True,
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    Index(
        "ix_postponed_results_due",
        "due_at",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    Index("ix_postponed_results_task_id", "task_id"),
)

task_tags = Table(
    "task_tags",
    metadata,
    _text("team_id"),
    _text("tag"),
    _text("task_id"),
    PrimaryKeyConstraint("task_id", "tag"),
    Index("ix_task_tags_tag", "team_id", "tag", "task_id"),
)

attempts = Table(
    "attempts",
    metadata,
    _id(),  # the id of the claim that it came from
    _text("team_id"),
    _text("mode"),
    _text("task_id"),
    _text("project_id"),
    _text("batch_id", null=True),
    _text("teammate_id"),
    _count("number"),  # attempt number, starting at 1
    _count("wanted"),  # attempts that the task requested when this one was made
    _text("response"),
    _time("started_at"),
    _time("submitted_at"),
    _count("round", 1),  # number of this person's attempt at this task; above 1 in training, or after a rejection
    _time("rejected_at", null=True),  # when a review rejected it, so that it no longer counts
    _flag("imported", False),  # whether it was made outside the studio, so that its duration is unknown
    _text("imported_by", null=True),  # the teammate who imported it; NULL if it was made in the studio, or unknown
    UniqueConstraint("task_id", "teammate_id", "round"),
    Index("ix_attempts_history", "teammate_id", "id"),
    Index("ix_attempts_project", "project_id", "id"),
)

audits = Table(
    "audits",
    metadata,
    _id(),
    _text("team_id"),
    _text("task_id"),
    _text("teammate_id"),
    _flag("accepted"),
    _text("comments", null=True),
    _time("created_at"),
    Index("ix_audits_task_id", "task_id"),
)

# Reviews of a pending task with enough attempts: one row for each level reached.
reviews = Table(
    "reviews",
    metadata,
    _id(),
    _text("team_id"),
    _text("mode"),
    _text("project_id"),
    _text("batch_id", null=True),
    _text("task_id"),
    _count("level"),  # from 1
    _text("state"),  # open held accepted fixed rejected ended
    _text("reason"),  # level confidence: why there is a review
    _text("proposed"),  # JSON: the response to decide on
    _text("response", null=True),  # JSON: the fixed response
    _text("reviewer_id", null=True),
    _text("comments", null=True),
    _text("sent_to", null=True),  # same different anyone: who does a rejected task again
    _time("created_at"),
    _time("started_at", null=True),
    _time("lease_expires_at", null=True),
    _time("decided_at", null=True),
    Index("ix_reviews_task_id", "task_id"),
    Index(
        "ix_reviews_open",
        "project_id",
        "id",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "uq_reviews_pending",
        "task_id",
        unique=True,
        sqlite_where=text("state IN ('open', 'held')"),
        postgresql_where=text("state IN ('open', 'held')"),
    ),
    Index(
        "uq_reviews_held",
        "reviewer_id",
        "mode",
        unique=True,
        sqlite_where=text("state = 'held'"),
        postgresql_where=text("state = 'held'"),
    ),
    Index("ix_reviews_project", "project_id", "id"),
)

# Rejected tasks that were sent back to the same person, until they claim them.
rework_items = Table(
    "rework_items",
    metadata,
    _text("team_id"),
    _text("mode"),
    _text("teammate_id"),
    _text("task_id"),
    _text("project_id"),
    _text("batch_id"),
    _time("created_at"),
    PrimaryKeyConstraint("teammate_id", "task_id"),
    Index("ix_rework_items_task_id", "task_id"),
)

# ------------------------------------------------------------------------------------------ callbacks

callbacks = Table(
    "callbacks",
    metadata,
    _id(),
    _text("team_id"),
    _text("mode"),
    _text("url"),  # or an e-mail address, of a batch
    _text("event"),  # task.completed, batch.completed and so on: CallbackEvent in callbacks/model.py
    _text("subject_id"),  # the task or batch; for a pause, the person and the project, joined by a dot
    _text("state"),  # waiting delivered failed
    _count("tries"),
    _time("next_try_at"),  # when to try next; during a try, when it counts as lost
    _text("last_error", null=True),
    _time("created_at"),
    _time("delivered_at", null=True),
    # The lane of the callback: its team, event and receiver, separate for retries. Empty if an older server
    # recorded it.
    Column("lane", Text, nullable=False, server_default=text("''")),
    Index(
        "ix_callbacks_lane",
        "lane",
        "next_try_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_callbacks_team", "team_id", "mode", "id"),
)

# -------------------------------------------------------------------------------------------- quality

quality_tasks = Table(
    "quality_tasks",
    metadata,
    Column("task_id", Text, primary_key=True, nullable=False),
    _text("team_id"),
    _text("expected_response"),
    _text("initial_response", null=True),
    Column("pass_mark", Float, nullable=False),
    _text("source_task_id", null=True),  # the completed task that it was created from
)

quality_attempts = Table(
    "quality_attempts",
    metadata,
    _id(),  # the id of the attempt
    _text("team_id"),
    _text("mode"),
    _text("task_id"),
    _text("teammate_id"),
    _count("number"),  # number of this person's attempt at this task, starting at 1
    Column("score", Float, nullable=False),
    _flag("passed"),
    Index("ix_quality_attempts_task_id", "task_id", "id"),
    Index("ix_quality_attempts_teammate_id", "teammate_id", "id"),
)

# The model of a person's answers to a question of a project, fitted from all answers.
labeler_models = Table(
    "labeler_models",
    metadata,
    _text("team_id"),
    _text("project_id"),
    _text("question"),
    _text("teammate_id"),
    _count("answers"),
    Column("accuracy", Float, nullable=False),  # estimated share of correct answers, 0 to 1
    _text("model"),  # JSON, of the consensus method
    PrimaryKeyConstraint("project_id", "teammate_id", "question"),
    Index("ix_labeler_models_teammate_id", "teammate_id"),
)

# The model of a question of a project; the question "" stands for the whole project.
project_models = Table(
    "project_models",
    metadata,
    _text("team_id"),
    _text("project_id"),
    _text("question"),
    _text("type"),  # of the tasks
    _text("method"),
    _count("tasks"),
    _count("attempts"),
    Column("alpha", Float, nullable=True),  # Krippendorff's alpha
    _text("model"),
    PrimaryKeyConstraint("project_id", "question", "type"),
)

# The state of a project's model fit, and when the next one is due.
estimates = Table(
    "estimates",
    metadata,
    Column("project_id", Text, primary_key=True, nullable=False),
    _text("team_id"),
    _text("seen"),  # id of the last attempt included
    _count("attempts"),  # number of attempts included
    _time("asked_at", null=True),  # when a full fit was requested
    _time("taken_at", null=True),  # when a process started on it
    _time("done_at", null=True),  # when the last fit ended
)

# ------------------------------------------------------------------------------------------- dispatch

claims = Table(
    "claims",
    metadata,
    _id(),
    _text("team_id"),
    _text("mode"),
    _text("task_id"),
    _text("project_id"),
    _text("batch_id", null=True),  # the batch that the person claimed it from
    _text("teammate_id"),
    _text("state"),  # held submitted skipped released expired ended retaken
    _time("claimed_at"),
    _time("lease_expires_at"),
    _time("ended_at", null=True),
    _text("reason", null=True),  # of a skip
    # A person cannot claim a task that they hold, have submitted or have skipped.
    Index(
        "uq_claims_person_task",
        "task_id",
        "teammate_id",
        unique=True,
        sqlite_where=text("state IN ('held', 'submitted', 'skipped')"),
        postgresql_where=text("state IN ('held', 'submitted', 'skipped')"),
    ),
    Index(
        "uq_claims_held",
        "teammate_id",
        "mode",
        unique=True,
        sqlite_where=text("state = 'held'"),
        postgresql_where=text("state = 'held'"),
    ),
    Index(
        "ix_claims_skipped",
        "project_id",
        "ended_at",
        sqlite_where=text("state = 'skipped'"),
        postgresql_where=text("state = 'skipped'"),
    ),
    # For a task's history: the claims that the first index does not contain.
    Index(
        "ix_claims_past",
        "task_id",
        sqlite_where=text("state IN ('released', 'expired', 'ended', 'retaken')"),
        postgresql_where=text("state IN ('released', 'expired', 'ended', 'retaken')"),
    ),
    Index(
        "ix_claims_lease",
        "team_id",
        "lease_expires_at",
        sqlite_where=text("state = 'held'"),
        postgresql_where=text("state = 'held'"),
    ),
)

# How far a person has come in a batch: they have had every task before `reached` with an open slot, except those whose
# slots opened after `seen`. The search for a task starts there; without a row, it starts at the beginning of the batch.
dispatch_cursors = Table(
    "dispatch_cursors",
    metadata,
    _text("team_id"),
    _text("teammate_id"),
    _text("batch_id"),
    _text("reached"),  # the id of a task
    Column("seen", BigInteger, nullable=False),
    PrimaryKeyConstraint("teammate_id", "batch_id"),
    postgresql_with={"fillfactor": "80"},
)
