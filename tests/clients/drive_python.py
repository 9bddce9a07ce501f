"""Drives one version of the published Python client through all that it can do, and prints what came of each call.

Runs in an environment that has the client and nothing of this project. Reads a JSON object from standard input: the
server's `url`, an admin's `key`, a labeler's key (`labeler`), the `project` that the labeler works on, and `types`,
parameters by task type. Prints a JSON object from each call to what came of it: `works`, `404` (the server does not
have it), `broken` (the client calls a function that it does not have), or `failed: …`. Calls that this version of the
client does not have are left out.
"""

import base64
import io
import json
import sys
import types
import urllib.request

import scaleapi

ASKED = json.load(sys.stdin)
WORDS = ASKED["types"]["categorization"]
EMAIL = "ben@example.com"
CALLS = []


class Lacking(Exception):
    """This version of the client has no such call."""


def call(name):
    """Registers a function of the client and of a state that holds what earlier calls made."""
    return lambda function: CALLS.append((name, function))


def need(holder, *names):
    """The first of these attributes that the client has."""
    for name in names:
        if hasattr(holder, name):
            return getattr(holder, name)
    raise Lacking(names[0])


def make_client(key):
    """A client whose address is that of the server."""
    address = ASKED["url"] + "/v1"
    if hasattr(scaleapi, "SCALE_ENDPOINT"):  # before 2.0
        scaleapi.SCALE_ENDPOINT = address + "/"
        return scaleapi.ScaleClient(key)
    if hasattr(scaleapi.api, "SCALE_ENDPOINT"):  # 2.0
        scaleapi.api.SCALE_ENDPOINT = address
        return scaleapi.ScaleClient(key)
    return scaleapi.ScaleClient(key, api_instance_url=address)


def known_types():
    """The task types that this version has names for."""
    if hasattr(scaleapi, "TASK_TYPES"):
        return scaleapi.TASK_TYPES
    return [each.value for each in scaleapi.tasks.TaskType]


def type_of(name):
    """A task type as this version names it."""
    if name not in known_types():
        raise Lacking(name)
    return name if hasattr(scaleapi, "TASK_TYPES") else scaleapi.tasks.TaskType(name)


def error_type():
    return scaleapi.ScaleException if hasattr(scaleapi, "ScaleException") else scaleapi.exceptions.ScaleException


def as_labeler(path, body):
    """A call that no client has: what labelers do."""
    token = base64.b64encode((ASKED["labeler"] + ":").encode()).decode()
    headers = {"Authorization": "Basic " + token, "Content-Type": "application/json"}
    request = urllib.request.Request(ASKED["url"] + "/v1" + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def error_of(function):
    """The client's error for a call that must fail."""
    try:
        function()
    except error_type() as error:
        return error
    raise AssertionError("the call succeeded")


def fails_with(code, word, function):
    error = error_of(function)
    assert error.code == code, (error.code, str(error))
    assert word in str(error), (word, str(error))


def new_task(client, **more):
    return client.create_task(type_of("categorization"), **{**WORDS, **more})


def names(listed):
    return [each["name"] if isinstance(each, dict) else each.name for each in listed]


@call("create a project")
def _(client, state):
    params = {"instruction": "Choose.", "categories": ["public", "private"]}
    made = need(client, "create_project")("Companies", type_of("categorization"), params)
    assert made.name == "Companies"


@call("get a project")
def _(client, state):
    assert need(client, "get_project")("Companies").name == "Companies"


@call("list projects")
def _(client, state):
    assert "Companies" in names(need(client, "get_projects", "projects")())


@call("update a project's parameters")
def _(client, state):
    need(client, "update_project")("Companies", patch=True, instruction="Choose one.")
    listed = client.projects()
    found = next(each for each in listed if names([each]) == ["Companies"])
    latest = (found if isinstance(found, dict) else found.as_dict())["param_history"][-1]
    assert (latest["instruction"], latest["categories"]) == ("Choose one.", ["public", "private"])


@call("get a project's template")
def _(client, state):
    template = need(client, "get_project_template")
    fields = {"fields": [{"type": "text", "field_id": "note", "title": "Note"}]}
    made = client.create_project("Texts", type_of("textcollection"), fields)
    assert made.get_template().template_variables is not None
    assert template("Texts").id == made.get_template().id


@call("create a batch")
def _(client, state):
    assert need(client, "create_batch")("Companies", "First / batch", "").name == "First / batch"


@call("create a batch with a callback")
def _(client, state):
    assert need(client, "create_batch")("Companies", "Second", "https://example.com/done").name == "Second"


@call("get a batch")
def _(client, state):
    assert need(client, "get_batch")("First / batch").name == "First / batch"


@call("list batches")
def _(client, state):
    page = need(client, "batches", "list_batches")
    first, second = page(project="Companies", limit=1), page(project="Companies", limit=1, offset=1)
    assert names([*first, *second]) == ["Second", "First / batch"]


@call("go through all batches of a project")
def _(client, state):
    assert names(need(client, "get_batches")(project_name="Companies")) == ["Second", "First / batch"]


@call("get the status of a batch")
def _(client, state):
    assert need(client, "batch_status")("First / batch")["status"] == "in_progress"
    batch = client.get_batch("First / batch")
    batch.get_status()
    assert batch.status == "in_progress"


@call("set the metadata of a batch")
def _(client, state):
    assert need(client, "set_batch_metadata")("Second", {"week": 7}).as_dict()["metadata"] == {"week": 7}


@call("create a task")
def _(client, state):
    state.task = new_task(client, unique_id="one", metadata={"row": 1})
    assert state.task.status == "pending"
    assert state.task.params["categories"] == WORDS["categories"]


@call("create a task in a batch")
def _(client, state):
    need(client, "create_batch")
    assert new_task(client, project="Companies", batch="First / batch").batch == "First / batch"


@call("finalize a batch")
def _(client, state):
    assert need(client, "finalize_batch")("First / batch").name == "First / batch"
    client.get_batch("First / batch").finalize()


@call("get a task")
def _(client, state):
    assert need(client, "get_task", "fetch_task")(state.task.id).id == state.task.id


@call("refresh a task")
def _(client, state):
    state.task.refresh()
    assert state.task.unique_id == "one"


@call("list tasks")
def _(client, state):
    listed = client.tasks(status="pending", type="categorization", limit=10, start_time="2020-01-01")
    assert state.task.id in [each.id for each in listed]
    assert (listed.limit, listed.offset, listed.has_more) == (10, 0, False)
    assert listed.total == len(listed)


@call("page through tasks by next_token")
def _(client, state):
    for number in range(3):
        new_task(client, unique_id=f"page-{number}")
    page = client.tasks(limit=2)
    seen = [each.id for each in page]
    while page.has_more:
        page = client.tasks(limit=2, next_token=page.next_token)
        seen += [each.id for each in page]
    assert len(seen) == len(set(seen)) == page.total


@call("page through tasks by offset")
def _(client, state):
    if hasattr(client, "get_tasks"):  # from 2.0 on, the client refuses the parameter
        raise Lacking("offset")
    whole = [each.id for each in client.tasks()]
    assert [each.id for each in client.tasks(limit=2, offset=1)] == whole[1:3]


@call("go through all tasks of a project")
def _(client, state):
    (found,) = need(client, "get_tasks")(project_name="Companies", status=scaleapi.tasks.TaskStatus.Pending)
    assert found.batch == "First / batch"


@call("count the tasks of a project")
def _(client, state):
    assert need(client, "get_tasks_count")(project_name="Companies") == 1


@call("cancel a task")
def _(client, state):
    task = new_task(client)
    task.cancel()
    assert client.cancel_task(task.id).status == "canceled"


@call("cancel a task and free its unique_id")
def _(client, state):
    need(client, "update_task_unique_id")
    task = new_task(client, unique_id="again")
    client.cancel_task(task.id, clear_unique_id=True)
    new_task(client, unique_id="again")


@call("change and clear the unique_id of a task")
def _(client, state):
    assert need(client, "update_task_unique_id")(state.task.id, "uno").unique_id == "uno"
    assert "unique_id" not in client.clear_task_unique_id(state.task.id).as_dict()


@call("set the metadata of a task")
def _(client, state):
    assert need(client, "set_task_metadata")(state.task.id, {"row": 2}).metadata == {"row": 2}


@call("set, add and delete the tags of a task")
def _(client, state):
    need(client, "set_task_tags")(state.task.id, ["red", "blue"])
    client.add_task_tags(state.task.id, ["green"])
    assert sorted(client.delete_task_tags(state.task.id, ["red"]).tags) == ["blue", "green"]


@call("read the response of a finished task")
def _(client, state):
    task = new_task(client, project=ASKED["project"])
    claim = as_labeler("/work/claim", {"project": ASKED["project"]})
    as_labeler("/work/" + claim["claim_id"] + "/submit", {"response": {"category": "public"}})
    (state.done,) = client.tasks(status="completed", project=ASKED["project"])
    assert (state.done.id, state.done.response) == (task.id, {"category": "public"})


@call("audit a task")
def _(client, state):
    need(client, "audit_task")(state.done.id, True, "Well seen.")


@call("create evaluation tasks")
def _(client, state):
    create = need(client, "create_evaluation_task")
    answer = {"category": "public"}
    assert create(type_of("categorization"), **WORDS, project="Companies", expected_response=answer).id


@call("create training tasks")
def _(client, state):
    create = need(client, "create_training_task")
    answer = {"category": "public"}
    assert create(type_of("categorization"), **WORDS, project="Companies", expected_response=answer).id


@call("upload a file")
def _(client, state):
    upload = need(client, "upload_file")
    with io.BytesIO(b"some text") as file:
        file.name = "note.txt"
        made = upload(file=file, project_name="Companies")
    task = new_task(client, project="Companies", attachment=made.attachment_url)
    assert task.params["attachment"] == made.attachment_url


@call("import a file from an address")
def _(client, state):
    made = need(client, "import_file")(ASKED["url"] + "/openapi.json", project_name="Companies")
    assert new_task(client, project="Companies", attachment=made.attachment_url).id


@call("list teammates")
def _(client, state):
    assert EMAIL in [each.email for each in need(client, "list_teammates")()]


@call("invite teammates")
def _(client, state):
    invited = need(client, "invite_teammates")(["new@example.com"], scaleapi.TeammateRole.Labeler)
    assert "new@example.com" in [each.email for each in invited]


@call("change the role of teammates")
def _(client, state):
    need(client, "update_teammates_role")(["mia@example.com"], scaleapi.TeammateRole.Member)
    (mia,) = [each for each in client.list_teammates() if each.email == "mia@example.com"]
    changed = mia.update_teammate_role(scaleapi.TeammateRole.Manager)
    assert [each.role for each in changed if each.email == "mia@example.com"] == ["manager"]


@call("create a Studio project")
def _(client, state):
    need(client, "list_studio_batches")
    made = client.create_project("Studio", type_of("categorization"), {"categories": ["a", "b"]}, studio=True)
    assert made.name == "Studio"


@call("list Studio assignments")
def _(client, state):
    assert need(client, "list_studio_assignments")()[EMAIL].assigned_projects == [ASKED["project"]]


@call("add and remove Studio assignments")
def _(client, state):
    assert "Studio" in need(client, "add_studio_assignments")([EMAIL], ["Studio"])[EMAIL].assigned_projects
    assert "Studio" not in client.remove_studio_assignments([EMAIL], ["Studio"])[EMAIL].assigned_projects
    client.add_studio_assignments([EMAIL], ["Studio"])


@call("create, list and update groups")
def _(client, state):
    made = need(client, "create_project_group")("Studio", [EMAIL], "Experts")
    assert made.numWorkers == 1
    assert names(client.list_project_groups("Studio")) == ["Experts"]
    assert client.update_project_group("Studio", "Experts", [], [EMAIL]).numWorkers == 0


@call("list Studio batches")
def _(client, state):
    listed = need(client, "list_studio_batches")
    kinds = {"one": {}, "two": {}, "try": {"calibration_batch": True}, "own": {"self_label_batch": True}}
    for name, kind in kinds.items():
        client.create_batch("Studio", name, **kind)
        new_task(client, project="Studio", batch=name, categories=None)
        client.finalize_batch(name)
    assert [(each.name, each.batch_type) for each in listed()] == [
        ("try", "Calibration"),
        ("one", "Production"),
        ("two", "Production"),
        ("own", "SelfLabel"),
    ]


@call("assign a Studio batch to groups")
def _(client, state):
    assert need(client, "assign_studio_batches")("one", ["Experts"]).groups == ["Experts"]


@call("set and reset the order of Studio batches")
def _(client, state):
    assert names(need(client, "set_studio_batches_priorities")(["two"])) == ["two", "try", "one", "own"]
    assert names(client.reset_studio_batches_priorities()) == ["try", "one", "two", "own"]


@call("second version of the API (`client.v2`)")
def _(client, state):
    need(client, "v2").api_client.configuration.host = ASKED["url"]  # it has an address of its own
    list(client.v2_get_tasks(project_name="Companies"))


@call("error: a wrong key")
def _(client, state):
    fails_with(401, "key", make_client("live_nobody").tasks)


@call("error: no such task")
def _(client, state):
    fails_with(404, "0" * 24, lambda: need(client, "get_task", "fetch_task")("0" * 24))


@call("error: wrong parameters")
def _(client, state):
    fails_with(400, "categories", lambda: new_task(client, categories=["a", 7]))


@call("error: a repeated unique_id")
def _(client, state):
    new_task(client, unique_id="twice")
    fails_with(409, "twice", lambda: new_task(client, unique_id="twice"))


def creation(name):
    """The creation of a task of this type."""

    def create(client, **params):
        helper = getattr(client, f"create_{name}_task", None)  # before 2.0
        return helper(**params) if helper else client.create_task(type_of(name), **params)

    def here(client, state):
        assert create(client, **ASKED["types"][name]).type == name

    def absent(client, state):
        error = error_of(lambda: create(client, **WORDS))
        assert "categorization" in str(error), str(error)  # it says which types there are
        raise error

    return here if name in ASKED["types"] else absent


def outcome(function, client, state):
    try:
        function(client, state)
    except Lacking:
        return None
    except Exception as error:
        if 404 in (getattr(error, "code", None), getattr(error, "status", None)):
            return "404"
        if isinstance(error, AttributeError) and error.obj is client:
            return "broken"
        return f"failed: {type(error).__name__}: {error}"
    return "works"


def main():
    client, state = make_client(ASKED["key"]), types.SimpleNamespace()
    calls = [*CALLS, *((f"task type {name}", creation(name)) for name in sorted(known_types()))]
    found = {name: outcome(function, client, state) for name, function in calls}
    json.dump({name: came for name, came in found.items() if came is not None}, sys.stdout)


main()
