"""What the official Ruby gem sends.

It sends every parameter of a list, without `=` where nobody set it, and its `callback_url` with everything, read or
write; without one it sends the name alone.
"""

import json
from types import SimpleNamespace
from typing import Any

from refonte_studio.task_types import TYPES
from tests.clients.wire import CALLBACK, JSON, Call, Wire, absence

NOBODY = "0" * 24
IMAGE = {"callback_url": CALLBACK, "attachment_type": "image", "attachment": "http://example.com/cows.jpg"}
PAGE = {"callback_url": CALLBACK, "attachment_type": "website", "attachment": "https://example.com"}
HEADERS = {"X-API-Client": "Ruby", "X-API-Client-Version": "0.9.0", "User-Agent": "Faraday v0.17.6"}
BOXES = IMAGE | {"objects_to_annotate": ["baby cow", "big cow"], "with_labels": True}
PARAMS: dict[str, dict[str, Any]] = {
    "annotation": BOXES
    | {"examples": [{"correct": True, "image": "http://example.com/right.jpg", "explanation": "The boxes are tight"}]},
    "audiotranscription": {
        "callback_url": CALLBACK,
        "attachment_type": "audio",
        "attachment": "https://example.com/speaker-3.wav",
        "verbatim": False,
    },
    "categorization": PAGE | {"instruction": "Public or private?", "categories": ["public", "private"]},
    "comparison": {
        "callback_url": CALLBACK,
        "instruction": "Do the objects in these images have the same pattern?",
        "attachments": ["http://example.com/00/$T2~~_32.JPG", "http://example.com/checkered.jpg"],
        "attachment_type": "image",
        "choices": ["yes", "no"],
    },
    "cuboidannotation": IMAGE | {"objects_to_annotate": ["car", "truck"]},
    "datacollection": PAGE | {"instruction": "Find the page.", "fields": {"hiring_page": "Hiring Page URL"}},
    "lineannotation": BOXES,
    "pointannotation": BOXES,
    "polygonannotation": BOXES,
    "segmentannotation": IMAGE
    | {"labels": ["background", "road"], "instance_labels": ["vehicle"], "allow_unlabeled": False},
    "transcription": PAGE | {"instruction": "Transcribe the given fields.", "fields": {"title": "Title of Webpage"}},
}
MORE = ("imageannotation", "namedentityrecognition", "videoannotation", "videoboxannotation", "videocuboidannotation")


def _creation(name: str) -> Call:
    params = PARAMS.get(name) or {"callback_url": CALLBACK, **TYPES.get(name, TYPES["videoannotation"]).example_params}

    def create(wire: Wire, state: SimpleNamespace) -> None:
        task = wire.send(f"POST /v1/task/{name}", json.dumps(params), JSON)
        assert (task["type"], task["callback_url"]) == (name, CALLBACK)
        assert {key: task["params"].get(key) for key in params} | {"callback_url": CALLBACK} == params

    return create


def _create(wire: Wire, state: SimpleNamespace) -> None:
    body = {"urgency": "day", "category_ids": {}, "allow_multiple": False, "metadata": {}}  # what 0.1 adds
    state.id = wire.send("POST /v1/task/categorize", json.dumps(PARAMS["categorization"] | body), JSON)["task_id"]


def _get(wire: Wire, state: SimpleNamespace) -> None:
    for callback in ("callback_url", "callback_url=http%3A%2F%2Fwww.example.com%2Fcallback"):
        assert wire.send(f"GET /v1/task/{state.id}?{callback}")["task_id"] == state.id


def _list(wire: Wire, state: SimpleNamespace) -> None:
    page = wire.send("GET /v1/tasks?callback_url&end_time&limit=99&offset=0&start_time&status&type")
    assert state.id in [each["task_id"] for each in page["docs"]]
    assert (page["limit"], page["offset"], page["has_more"]) == (99, 0, False)
    narrow = "callback_url=http%3A%2F%2Fwww.example.com%2Fcallback&end_time=2100-01-20T00%3A00%3A00%2B01%3A00&limit=99"
    wire.send(f"GET /v1/tasks?{narrow}&offset=0&start_time=2017-01-20T00%3A00%3A00Z&status=pending&type=categorization")


def _page(wire: Wire, state: SimpleNamespace) -> None:
    for _ in range(2):
        _create(wire, state)
    first, second = (
        wire.send(f"GET /v1/tasks?callback_url&end_time&limit=2&offset={offset}&start_time&status&type")
        for offset in (0, 2)
    )
    ids = [each["task_id"] for page in (first, second) for each in page["docs"]]
    assert (len(ids), len(set(ids)), first["has_more"], second["has_more"]) == (3, 3, True, False)


def _cancel(wire: Wire, state: SimpleNamespace) -> None:
    for callback in (None, CALLBACK):
        task = wire.send(f"POST /v1/task/{state.id}/cancel", json.dumps({"callback_url": callback}), JSON)
        assert task["status"] == "canceled"


def _nobody(wire: Wire, state: SimpleNamespace) -> None:
    assert NOBODY in absence(wire, f"GET /v1/task/{NOBODY}?callback_url")


CALLS: dict[str, Call] = {
    "create a task": _create,
    "get a task": _get,
    "list tasks": _list,
    "page through tasks by offset": _page,
    "cancel a task": _cancel,
    "error: no such task": _nobody,
    **{f"task type {name}": _creation(name) for name in sorted([*PARAMS, *MORE])},
}
