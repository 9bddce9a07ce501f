"""What printed `curl` samples send: forms that nobody has encoded, and JSON that curl calls a form."""

from types import SimpleNamespace
from typing import Any

from tests.clients.wire import CALLBACK, JSON, Call, Wire

HEADERS = {"User-Agent": "curl/8.5.0", "Accept": "*/*"}
IMAGE = ("callback_url=http://www.example.com/callback", "attachment_type=image", "attachment=http://example.com/a.jpg")
PAGE = ("callback_url=http://www.example.com/callback", "attachment_type=website", "attachment=http://example.com/")
# By task type: what stands after each `-d`, and some of the parameters that the task then has.
SAMPLES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "annotation": (
        (
            *IMAGE,
            "instruction=Draw a box around each **baby cow** and **big cow**.",
            "objects_to_annotate=baby cow",
            "objects_to_annotate=big cow",
            "with_labels=true",
            "examples[0][correct]=true",
            "examples[0][image]=http://example.com/right.jpg",
            "examples[0][explanation]=The boxes are tight and accurate",
            "examples[1][correct]=false",
            "examples[1][image]=http://example.com/wrong.jpg",
            "examples[1][explanation]=The boxes are neither accurate nor complete",
        ),
        {
            "instruction": "Draw a box around each **baby cow** and **big cow**.",
            "objects_to_annotate": ["baby cow", "big cow"],
            "with_labels": True,
        },
    ),
    "audiotranscription": (
        (PAGE[0], "attachment_type=audio", "attachment=https://example.com/speaker-3.wav", "verbatim=false"),
        {"verbatim": False},
    ),
    "categorization": (
        (*PAGE, "instruction=Is this company public or private?", "categories=public", "categories=private"),
        {"instruction": "Is this company public or private?", "categories": ["public", "private"]},
    ),
    "comparison": (
        (
            PAGE[0],
            "instruction=Do the objects in these images have the same pattern?",
            "attachment_type=image",
            "attachments=http://example.com/00/$T2eC~~_32.JPG",
            "attachments=http://example.com/checkered.jpg",
            "choices=yes",
            "choices=no",
        ),
        {
            "attachments": ["http://example.com/00/$T2eC~~_32.JPG", "http://example.com/checkered.jpg"],
            "choices": ["yes", "no"],
        },
    ),
    "datacollection": ((*PAGE, "instruction=Find it.", "fields[hiring_page]=Hiring Page URL"), {}),
    "imageannotation": (
        (*IMAGE, 'geometries={"box": {"objects_to_annotate": ["face"]}}'),
        {"geometries": {"box": {"objects_to_annotate": ["face"]}}},
    ),
    "polygonannotation": (
        (*IMAGE, "instruction=Draw.", "objects_to_annotate[]=car", "objects_to_annotate[]=suv", "with_labels=true"),
        {"objects_to_annotate": ["car", "suv"], "with_labels": True},
    ),
    "segmentannotation": (
        (*IMAGE, "labels=my car (hood, wipers, etc...)", "labels=road", "allow_unlabeled=false"),
        {"labels": ["my car (hood, wipers, etc...)", "road"], "allow_unlabeled": False},
    ),
    "transcription": (
        (*PAGE, "fields[title]=Title of Webpage", "fields[top_result]=Title of the top result"),
        {"fields": {"title": "Title of Webpage", "top_result": "Title of the top result"}},
    ),
    "phonecall": (
        (PAGE[0], "instruction=Call.", "phone_number=5055006865", "entity_name=Ana Ruiz", "choices=a", "choices=b"),
        {},
    ),
}


def _creation(name: str) -> Call:
    data, params = SAMPLES[name]

    def create(wire: Wire, state: SimpleNamespace) -> None:
        task = wire.send(f"POST /v1/task/{name}", "&".join(data))
        assert (task["type"], task["callback_url"]) == (name, CALLBACK)
        assert {key: task["params"].get(key) for key in params} == params

    return create


def _create(wire: Wire, state: SimpleNamespace) -> None:
    one = (*IMAGE, "objects_to_annotate[0]=face", "with_labels=false")
    task = wire.send("POST /v1/task/annotation", "&".join(one))
    assert (task["params"]["objects_to_annotate"], task["params"]["with_labels"]) == (["face"], False)
    state.id = task["task_id"]


def _get(wire: Wire, state: SimpleNamespace) -> None:
    assert wire.send(f"GET /v1/task/{state.id}")["task_id"] == state.id


def _cancel(wire: Wire, state: SimpleNamespace) -> None:
    assert wire.send(f"POST /v1/task/{state.id}/cancel")["status"] == "canceled"


def _list(wire: Wire, state: SimpleNamespace) -> None:
    assert state.id in [each["task_id"] for each in wire.send("GET /v1/tasks")["docs"]]


def _project(wire: Wire, state: SimpleNamespace) -> None:
    """JSON that curl calls a form."""
    body = (
        '{"type": "categorization", "name": "Companies", "params": {"instruction": "Which?", "categories": ["a", "b"]}}'
    )
    assert wire.send("POST /v1/projects", body)["name"] == "Companies"


def _batch(wire: Wire, state: SimpleNamespace) -> None:
    assert wire.send("POST /v1/batches", '{"project": "Companies", "name": "Monday"}', JSON)["name"] == "Monday"


def _batch_form(wire: Wire, state: SimpleNamespace) -> None:
    made = wire.send("POST /v1/batches", f"project=Companies&name=Tuesday&callback={CALLBACK}")
    assert (made["name"], made["callback"]) == ("Tuesday", CALLBACK)


def _bare_key(wire: Wire, state: SimpleNamespace) -> None:
    """Some samples print the key as it is, without encoding it, and some misspell the scheme."""
    for scheme in ("Basic", "basic", "Basi", "Bearer"):
        wire.send("GET /v1/tasks?limit=1", authorization=f"{scheme} {state.key}")


CALLS: dict[str, Call] = {
    "create a project": _project,
    "create a batch": _batch,
    "create a batch with a callback": _batch_form,
    "create a task": _create,
    "get a task": _get,
    "list tasks": _list,
    "cancel a task": _cancel,
    "send the key without encoding": _bare_key,
    **{f"task type {name}": _creation(name) for name in sorted(SAMPLES)},
}
