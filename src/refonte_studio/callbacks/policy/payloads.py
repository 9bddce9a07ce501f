"""The content of callbacks, and its description for the API reference."""

from typing import Any

import msgspec

from refonte_studio.batches.model import Batch
from refonte_studio.kit.clock import iso
from refonte_studio.kit.redaction import redacted
from refonte_studio.projects.model import Pause

_encode = msgspec.json.Encoder().encode


def task_body(task_id: str, status: str, task: bytes, response: str | None) -> bytes:
    """Returns the body for a task that ended; `task` is its JSON as in the API."""
    return _encode(
        {
            "task_id": task_id,
            "status": status,
            "task": msgspec.Raw(task),
            "response": msgspec.Raw((response or "{}").encode()),
        }
    )


def batch_body(batch: Batch, project: str) -> bytes:
    """Returns the body for a completed batch."""
    shown: dict[str, Any] = {
        "id": batch.id,
        "name": batch.name,
        "project": project,
        "status": batch.state,
        "created_at": iso(batch.created_at),
        "metadata": msgspec.Raw(batch.metadata.encode()),
        "calibration_batch": batch.batch_type == "Calibration",
        "self_label_batch": batch.batch_type == "SelfLabel",
        "callback": redacted(batch.callback or ""),
    }
    times = {"finalized_at": batch.finalized_at, "completed_at": batch.completed_at}
    shown |= {name: iso(time) for name, time in times.items() if time is not None}
    return _encode({"batch": shown, "status": "completed"})


def pause_body(email: str, project: str, pause: Pause | None) -> bytes:
    """Returns the body for a pause in a project; `pause` is its current state, None if the person has left the
    project."""
    told: dict[str, Any] = {"labeler_email": email, "project": project}
    if pause is None or pause.paused_at is None:
        return _encode({**told, "status": "lifted"})
    return _encode({**told, "status": "paused", "paused_at": iso(pause.paused_at), "reason": pause.reason or ""})


_DELIVERY = """\
It is posted until a 2xx response, up to 12 times over a day; it may arrive twice, so compare `webhook-id`. It is signed
as [standardwebhooks.com](https://www.standardwebhooks.com) describes, in the headers `webhook-id`, `webhook-timestamp`
and `webhook-signature`, with the secret of `GET /v1/callbacks/secret`. Where the team has set a secret for it
(`PUT /v1/callbacks/auth`), the header `scale-callback-auth` carries that secret unchanged."""


def _webhook(summary: str, properties: dict[str, Any], example: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "post": {
            "summary": summary,
            "description": f"{summary} {_DELIVERY}",
            "tags": ["Callbacks"],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema, "example": example}},
            },
            "responses": {"2XX": {"description": "Received."}},
        }
    }


WEBHOOKS: dict[str, dict[str, Any]] = {
    "task ended": _webhook(
        "A task with a `callback_url` was completed or canceled, got another response, or was audited; "
        "or somebody asked for another callback.",
        {
            "task_id": {"type": "string", "description": "Id of the task."},
            "status": {"enum": ["completed", "canceled"], "description": "The final status of the task."},
            "task": {"type": "object", "description": "The task, as in the API, with its audits."},
            "response": {"type": "object", "description": "Its response; empty if it was canceled."},
        },
        {
            "task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
            "status": "completed",
            "task": {
                "task_id": "64d3b8a6f1c2a4e5b6d7c8f0",
                "type": "categorization",
                "status": "completed",
                "response": {"category": "collie"},
            },
            "response": {"category": "collie"},
        },
    ),
    "batch completed": _webhook(
        "The last task of a batch with a `callback` has ended.",
        {
            "batch": {"type": "object", "description": "The batch, as in the API."},
            "status": {"const": "completed", "description": "Always `completed`."},
        },
        {
            "batch": {
                "id": "64d3b8a6f1c2a4e5b6d7c8e0",
                "name": "Monday",
                "project": "Dog breeds",
                "status": "completed",
                "created_at": "2023-08-09T16:12:38.072Z",
                "metadata": {},
                "calibration_batch": False,
                "self_label_batch": False,
                "callback": "https://example.com/studio",
                "finalized_at": "2023-08-09T16:15:00.000Z",
                "completed_at": "2023-08-09T18:03:11.512Z",
            },
            "status": "completed",
        },
    ),
}
