"""Renders a task as the JSON of the API. Stored JSON text is inserted as it is, without decoding."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.files.model import FILES
from refonte_studio.kit.clock import iso
from refonte_studio.kit.redaction import redacted
from refonte_studio.tasks.model import Attempt, Audit, ReviewStatus, Task, TaskStatus

_OWN_FILE = re.compile(f'"{FILES}([0-9a-f]{{24}})"')
_encode = msgspec.json.Encoder().encode


def task_json(
    task: Task,
    project: str,
    batch: str | None,
    *,
    audits: Sequence[Audit] = (),
    attempts: Sequence[Attempt] | None = None,
    emails: Mapping[str, str] | None = None,
    files_url: str | None = None,
) -> bytes:
    """Returns the task's JSON: its fields, then its parameters, both under `params` and at the top level.

    `attempts` are included if given; `emails` maps the ids of the people who attempted or audited to addresses. With
    `files_url`, the base URL of the server's own files, the JSON lists where its attachments can be downloaded.
    """
    made_with = _made_with(task, project, batch)
    own: dict[str, Any] = {"metadata": msgspec.Raw(task.metadata)}
    if audits:
        own["audits"] = [_audit(audit, emails or {}) for audit in audits]
    if attempts is not None:
        own["attempts"] = [_attempt(attempt, emails or {}) for attempt in attempts]
    downloads = _downloads(task.params, files_url) if files_url is not None else []
    if downloads:
        own["attachmentS3Downloads"] = downloads
    params = task.params[1:-1].encode()  # the members, without the braces around them
    beside = b"," + params if params else b""
    made = _encode(made_with)[1:-1]
    metadata = b',"metadata":' + task.metadata.encode() if task.metadata != "{}" else b""
    own_rest = b"," + _encode(own)[1:-1]
    parts = (
        _encode(_state(task))[:-1],
        b",",
        made,
        own_rest,
        b',"params":{',
        made,
        metadata,
        beside,
        b"}",
        beside,
        b"}",
    )
    return b"".join(parts)


def _state(task: Task) -> dict[str, Any]:
    """Returns the fields of the task's state and, if it is completed, of its result."""
    state: dict[str, Any] = {
        "task_id": task.id,
        "type": task.type,
        "status": task.status.value,
        "created_at": iso(task.created_at),
        "updated_at": iso(task.updated_at),
        "is_test": task.mode == "test",
    }
    if task.completed_at is not None:
        state["completed_at"] = iso(task.completed_at)
    if task.status is TaskStatus.COMPLETED:
        state["response"] = msgspec.Raw(task.response or "{}")
        if task.confidence is not None:
            state["confidence"] = round(task.confidence, 4)
        if task.agreement is not None:
            state["agreement"] = round(task.agreement, 4)
        state["customer_review_status"] = task.review_status or ReviewStatus.PENDING.value
    if task.callback_succeeded is not None:
        state["callback_succeeded"] = bool(task.callback_succeeded)  # SQLite returns a number
    return state


def _downloads(params: str, files_url: str) -> list[dict[str, str]]:
    """Returns the download URLs of the attachments that this server stores."""
    found = dict.fromkeys(_OWN_FILE.findall(params))
    return [{"attachment": f"{FILES}{file_id}", "s3URL": f"{files_url}/{file_id}"} for file_id in found]


def _made_with(task: Task, project: str, batch: str | None) -> dict[str, Any]:
    """Returns the parameters that have their own column, except metadata."""
    made: dict[str, Any] = {"project": project}
    if batch is not None:
        made["batch"] = batch
    if task.callback_url is not None:
        made["callback_url"] = redacted(task.callback_url)
    if task.unique_id is not None:
        made["unique_id"] = task.unique_id
    if task.tags is not None:
        made["tags"] = msgspec.Raw(task.tags)
    return made


def _audit(audit: Audit, emails: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "auditor": emails.get(audit.teammate_id, ""),
        "accepted": audit.accepted,
        "created_at": iso(audit.created_at),
    }
    if audit.comments is not None:
        shown["comments"] = audit.comments
    return shown


def _attempt(attempt: Attempt, emails: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "labeler": emails.get(attempt.teammate_id, ""),
        "response": msgspec.Raw(attempt.response),
        "submitted_at": iso(attempt.submitted_at),
    }
    if attempt.imported:
        shown["imported"] = True
    if attempt.imported_by is not None:
        shown["imported_by"] = emails.get(attempt.imported_by, "")
    return shown


def limited_json(task: Task, project: str) -> bytes:
    """Returns the task's JSON with the few fields of a limited response."""
    return _encode(
        {
            "task_id": task.id,
            "status": task.status.value,
            "metadata": msgspec.Raw(task.metadata),
            "project": project,
        }
    )
