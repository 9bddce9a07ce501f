"""The wire types of tasks, and the examples of the API reference."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType


class AuditOut(msgspec.Struct, kw_only=True):
    """An audit of a completed task by a manager."""

    auditor: str
    accepted: bool
    created_at: str
    comments: str | UnsetType = UNSET


class AttemptOut(msgspec.Struct, kw_only=True):
    """One labeler's response to a task."""

    labeler: str
    response: dict[str, Any]
    submitted_at: str
    imported: bool | UnsetType = UNSET
    imported_by: str | UnsetType = UNSET


class TaskOut(msgspec.Struct, kw_only=True):
    """A task. Every member of `params` is repeated at the top level."""

    task_id: str
    type: str
    status: str
    created_at: str
    updated_at: str
    is_test: bool
    metadata: dict[str, Any]
    project: str
    params: dict[str, Any]
    batch: str | UnsetType = UNSET
    callback_url: str | UnsetType = UNSET
    callback_succeeded: bool | UnsetType = UNSET
    instruction: str | UnsetType = UNSET
    unique_id: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    completed_at: str | UnsetType = UNSET
    response: dict[str, Any] | UnsetType = UNSET
    customer_review_status: str | UnsetType = UNSET
    audits: list[AuditOut] | UnsetType = UNSET
    attempts: list[AttemptOut] | UnsetType = UNSET  # only in an export with `attempts`


class LimitedTaskOut(msgspec.Struct, kw_only=True):
    """The few fields of a limited response."""

    task_id: str
    status: str
    metadata: dict[str, Any]
    project: str


class TasksOut(msgspec.Struct, kw_only=True):
    """A page of tasks, newest first."""

    docs: list[dict[str, Any]]
    total: int
    limit: int
    offset: int
    has_more: bool
    total_is_minimum: bool | UnsetType = UNSET
    next_token: str | UnsetType = UNSET


TASK_ID = "653a4b0c8f1d2e3a4b5c6d7e"
EXAMPLE_PARAMS = {
    "project": "Dog breeds",
    "batch": "October photographs",
    "instruction": "Which breed is the dog in the photograph?",
    "attachment_type": "image",
    "attachment": "https://example.com/dogs/n02085620_7.jpg",
    "categories": ["Chihuahua", "Pekinese", "Papillon"],
    "unique_id": "n02085620_7",
    "metadata": {"source": "album 3"},
    "callback_url": "https://example.com/labels",
}
_CATEGORIES = {name: EXAMPLE_PARAMS[name] for name in ("instruction", "attachment_type", "attachment", "categories")}
EXAMPLE_TASK = {
    "task_id": TASK_ID,
    "type": "categorization",
    "status": "pending",
    "created_at": "2023-10-26T11:18:36.072Z",
    "updated_at": "2023-10-26T11:18:36.072Z",
    "is_test": False,
    **{name: EXAMPLE_PARAMS[name] for name in ("metadata", "project", "batch", "callback_url", "unique_id")},
    "params": EXAMPLE_PARAMS,
    **_CATEGORIES,
}
EXAMPLE_COMPLETED = {
    **EXAMPLE_TASK,
    "status": "completed",
    "updated_at": "2023-10-26T12:03:10.518Z",
    "completed_at": "2023-10-26T12:03:10.518Z",
    "response": {"category": "Pekinese"},
    "customer_review_status": "pending",
}
