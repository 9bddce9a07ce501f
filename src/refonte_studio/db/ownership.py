"""Who owns a table, and who else may read or write it, and why.

A table belongs to one room. Only the store of that room changes its rows, so that whoever looks for the cause of a
value has one place to look. Everything else is an exception: it stands here with its reason, and a test compares it
with the parsed statements of every store. A licence that nobody uses fails that test as well.
"""

from dataclasses import dataclass
from typing import Literal

Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Licence:
    """What a room may do with tables that it does not own."""

    room: str
    access: Access
    tables: tuple[str, ...]
    reason: str


OWNERS: dict[str, str] = {
    "teams": "teams",
    "setup_links": "teams",
    "teammates": "teams",
    "sessions": "teams",
    "sign_in_failures": "teams",
    "keys": "teams",
    "page_ends": "db",
    "projects": "projects",
    "project_params": "projects",
    "assignments": "projects",
    "groups": "projects",
    "group_members": "projects",
    "files": "files",
    "file_chunks": "files",
    "batches": "batches",
    "batch_groups": "batches",
    "batch_counts": "batches",
    "batch_deltas": "batches",
    "tasks": "tasks",
    "task_slots": "tasks",
    "task_tags": "tasks",
    "attempts": "tasks",
    "audits": "tasks",
    "postponed_results": "tasks",
    "labeler_models": "annotator_models",
    "project_models": "annotator_models",
    "estimates": "annotator_models",
    "callbacks": "callbacks",
    "quality_tasks": "quality",
    "quality_attempts": "quality",
    "claims": "dispatch",
    "dispatch_cursors": "dispatch",
    "rework_items": "dispatch",
    "reviewers": "reviews",
    "reviews": "reviews",
}

# Rooms that may read every table, and why. They own none, and write none.
READS_EVERYTHING: dict[str, str] = {
    "invariants": "It compares the rows of all rooms with each other, independently of the code that wrote them.",
}

LICENCES: tuple[Licence, ...] = (
    # ------------------------------------------------------------------------------------------ dispatch
    Licence(
        "dispatch",
        "read",
        ("keys", "sessions", "teams"),
        "The fast path authenticates, claims and submits in one statement, which is one round trip to PostgreSQL.",
    ),
    Licence(
        "dispatch",
        "read",
        ("labeler_models", "project_models"),
        "The fast path reads the models with the claim that is submitted, which saves a round trip.",
    ),
    Licence(
        "dispatch",
        "write",
        ("attempts", "batch_deltas", "callbacks", "tasks"),
        "The fast path records an attempt, and completes and announces its task, in the statement that ends the claim.",
    ),
    Licence(
        "dispatch",
        "write",
        ("task_slots",),
        "A claim takes a slot, and the end of a claim gives it back, in the order of locks that dispatch keeps.",
    ),
    Licence(
        "dispatch",
        "read",
        ("assignments", "batches", "batch_groups", "group_members", "projects", "task_slots", "tasks", "teammates"),
        "The choice of the next task joins who the person is, what is open to them and what is left, in one statement.",
    ),
    Licence(
        "dispatch",
        "read",
        ("attempts", "audits", "quality_attempts", "quality_tasks", "reviews"),
        "Nobody is given a quality task made of a task that they had a part in, or a task that they reviewed.",
    ),
    # ------------------------------------------------------------------------------------------- reviews
    Licence(
        "reviews",
        "read",
        ("attempts", "audits", "claims"),
        "A review shows the attempts it decides about, and a history the claims. Nobody reviews their own work.",
    ),
    Licence(
        "reviews",
        "read",
        ("batches", "projects", "tasks", "teammates"),
        "Reviews are listed with the names of their project, batch and reviewer, and only active people hold them.",
    ),
    # ----------------------------------------------------------------------------------------- analytics
    Licence(
        "analytics",
        "read",
        ("attempts", "claims", "quality_attempts", "quality_tasks", "tasks"),
        "Figures are counted by the database: rows would be too many to read into a server.",
    ),
    Licence(
        "analytics",
        "read",
        ("assignments", "batches", "batch_groups", "group_members", "groups", "projects", "teammates"),
        "Figures are grouped by project, batch, group or labeler, in the statement that counts them.",
    ),
    Licence("analytics", "read", ("task_slots",), "A forecast adds up what is left of batches."),
    Licence("analytics", "read", ("project_models",), "Krippendorff's alpha stands beside the figures of a project."),
    # ------------------------------------------------------------------------------------------- quality
    Licence(
        "quality",
        "read",
        ("assignments", "attempts", "projects", "tasks", "teammates"),
        "What counts of a person's training and evaluation depends on when they were assigned and what they attempted.",
    ),
    Licence(
        "quality",
        "read",
        ("audits", "reviews"),
        "A quality task is nobody's who knows the answer: who attempted, reviewed or audited the task it is made of.",
    ),
    # ---------------------------------------------------------------------------------- annotator_models
    Licence(
        "annotator_models",
        "read",
        ("attempts", "claims", "projects", "quality_tasks", "tasks"),
        "Models are fitted from attempts and expected responses, up to the oldest claim that may still become one.",
    ),
    Licence(
        "annotator_models",
        "write",
        ("tasks",),
        "A new fit changes the results of many completed tasks, guarded by their attempts, in one statement.",
    ),
    # --------------------------------------------------------------------------------------- aggregation
    Licence(
        "aggregation",
        "read",
        ("labeler_models", "project_models"),
        "Aggregation, which is below the room that fits the models, weighs answers by them.",
    ),
    Licence(
        "aggregation",
        "write",
        ("estimates",),
        "Aggregation, which is below the room that fits the models, asks for a new fit.",
    ),
    # --------------------------------------------------------------------------------------------- tasks
    Licence(
        "tasks",
        "read",
        ("claims",),
        "SQLite numbers commits by claims, a claim tells its task, and a second attempt needs the first one's retake.",
    ),
    Licence(
        "tasks",
        "read",
        ("reviews",),
        "Whether a person has decided about a response, and whether they changed it, is read where it is completed.",
    ),
    Licence(
        "tasks",
        "read",
        ("projects",),
        "A submission locks the slots of its task and reads its project's pipeline in one statement.",
    ),
    Licence(
        "tasks",
        "read",
        ("batches",),
        "Batches without a pending task are found by what is absent from the slots, which only a join can tell.",
    ),
    # ------------------------------------------------------------------------------- batches and projects
    Licence("batches", "read", ("projects",), "A list of batches leaves out those of archived projects."),
    Licence(
        "projects",
        "read",
        ("teammates",),
        "People are assigned, grouped and paused in statements that check who is of the team and show their address.",
    ),
)
