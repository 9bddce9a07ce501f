"""One task: created, read, changed, canceled, audited through the SDK."""

from typing import Any

import pytest
from scaleapi import ScaleClient, Task
from scaleapi.exceptions import ScaleDuplicateResource, ScaleInvalidRequest, ScaleResourceNotFound
from scaleapi.tasks import TaskType

from refonte_studio.task_types import TYPES

CATS: dict[str, Any] = {
    "categories": ["cat", "kitten"],
    "attachment": "a small one",
    "attachment_type": "text",
    "instruction": "Which is it?",
}


def cat(client: ScaleClient, **parameters: Any) -> Task:
    return client.create_task(TaskType.Categorization, **CATS, **parameters)


NAMES = [kind.value for kind in TaskType]
OURS = sorted(set(TYPES) & set(NAMES))


def test_every_type_of_the_server_is_one_of_the_sdks() -> None:
    assert set(TYPES) - set(NAMES) == {"audiotranscription"}  # its earlier versions have that


@pytest.mark.parametrize("name", OURS)
def test_create_a_task_of_each_type(sdk: ScaleClient, name: str) -> None:
    example = TYPES[name].example_params
    task = sdk.create_task(TaskType(name), **example, callback_url="https://example.com/done", metadata={"n": 1})
    assert (task.type, task.status) == (name, "pending")
    assert task.callback_url == "https://example.com/done"
    assert task.metadata == {"n": 1}
    for parameter, value in example.items():
        assert task.params[parameter] == value
    assert sdk.get_task(task.id).as_dict() == task.as_dict()


@pytest.mark.parametrize("name", OURS)
def test_a_test_task_of_each_type_completes_at_once(sdk_in_test: ScaleClient, name: str) -> None:
    kind = TYPES[name]
    task = sdk_in_test.create_task(TaskType(name), **kind.example_params)
    task.refresh()
    assert task.status == "completed"
    assert task.completed_at.endswith("Z")
    assert kind.check_response(dict(task.params), task.response) == task.response


@pytest.mark.parametrize("name", OURS)
def test_each_type_asks_for_its_parameters(either: ScaleClient, name: str) -> None:
    with pytest.raises(ScaleInvalidRequest, match="required"):
        either.create_task(TaskType(name), instruction="Nothing to label here")


def test_a_task_has_what_it_was_made_with(sdk: ScaleClient) -> None:
    sdk.create_project("Cats", TaskType.Categorization)
    sdk.create_batch("Cats", "Monday")
    task = cat(sdk, project="Cats", batch="Monday", unique_id="cat-1", tags=["small", "grey"], priority=30)
    assert (task.project, task.batch, task.unique_id) == ("Cats", "Monday", "cat-1")
    assert sorted(task.tags) == ["grey", "small"]
    assert task.instruction == task.params["instruction"] == "Which is it?"
    assert task.created_at.endswith("Z")
    assert str(task) == f"Task(id={task.task_id})"


def test_a_plain_task_has_neither_tags_nor_unique_id(sdk: ScaleClient) -> None:
    task = cat(sdk).as_dict()
    assert "tags" not in task
    assert "unique_id" not in task
    assert task["metadata"] == {}


def test_a_task_without_project_goes_to_the_default_one(sdk: ScaleClient) -> None:
    task = cat(sdk)
    assert task.project == "default"
    assert sdk.get_project("default").name == "default"


def test_cancel_task(sdk: ScaleClient) -> None:
    task = cat(sdk, unique_id="cat-1")
    assert sdk.cancel_task(task.id).status == "canceled"
    assert sdk.get_task(task.id).unique_id == "cat-1"
    with pytest.raises(ScaleDuplicateResource, match="cat-1"):
        cat(sdk, unique_id="cat-1")


def test_cancel_task_and_clear_its_unique_id(sdk: ScaleClient) -> None:
    task = cat(sdk, unique_id="cat-1")
    canceled = sdk.cancel_task(task.id, clear_unique_id=True)
    assert canceled.status == "canceled"
    assert "unique_id" not in canceled.as_dict()
    again = cat(sdk, unique_id="cat-1")
    again.cancel(clear_unique_id=True)
    again.refresh()
    assert again.status == "canceled"


def test_a_completed_task_is_not_canceled(sdk_in_test: ScaleClient) -> None:
    task = cat(sdk_in_test)
    with pytest.raises(ScaleInvalidRequest, match="completed"):
        task.cancel()
    task.refresh()
    assert task.status == "completed"


def test_audit_task(sdk_in_test: ScaleClient) -> None:
    task = cat(sdk_in_test)
    sdk_in_test.audit_task(task.id, True)
    task.refresh()
    assert task.customer_review_status == "accepted"
    task.audit(False, "That is a dog")
    task.refresh()
    assert task.customer_review_status == "rejected"
    assert "That is a dog" in str(task.as_dict())


def test_only_a_completed_task_is_audited(sdk: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest):
        cat(sdk).audit(True)


def test_update_and_clear_unique_id(either: ScaleClient) -> None:
    task = cat(either)
    assert either.update_task_unique_id(task.id, "cat-1").unique_id == "cat-1"
    task.update_unique_id("cat-2")
    task.refresh()
    assert task.unique_id == "cat-2"
    other = cat(either, unique_id="cat-1")
    with pytest.raises(ScaleDuplicateResource, match="cat-1"):
        task.update_unique_id("cat-1")

    assert "unique_id" not in either.clear_task_unique_id(other.id).as_dict()
    task.update_unique_id("cat-1")
    task.clear_unique_id()
    task.refresh()
    assert "unique_id" not in task.as_dict()


def test_set_task_metadata(either: ScaleClient) -> None:
    task = cat(either, metadata={"old": True})
    new = {"key": "value", "deep": {"list": [1, 2.5, None, "é"]}, "project": "not a parameter"}
    assert either.set_task_metadata(task.id, new).metadata == new
    with pytest.raises(ScaleInvalidRequest, match=r"'key', 'deep', 'project'.*clear=true"):
        task.set_metadata({})  # an empty object is what the SDK leaves out of its request
    task.refresh()
    assert task.metadata == new


def test_tags(either: ScaleClient) -> None:
    task = cat(either)
    assert either.set_task_tags(task.id, ["b", "a"]).tags == ["b", "a"]
    assert sorted(either.add_task_tags(task.id, ["b", "c, with a comma"]).tags) == ["a", "b", "c, with a comma"]
    assert sorted(either.delete_task_tags(task.id, ["a", "never there"]).tags) == ["b", "c, with a comma"]
    task.set_tags(["x"])
    task.add_tags(["y", "z"])
    task.delete_tags(["x"])
    task.refresh()
    assert sorted(task.tags) == ["y", "z"]


def test_no_tags_at_all(either: ScaleClient) -> None:
    task = cat(either, tags=["a", "b"])
    task.add_tags([])  # an empty list is what the SDK leaves out of its request
    task.delete_tags([])
    task.refresh()
    assert sorted(task.tags) == ["a", "b"]
    task.set_tags([])
    task.refresh()
    assert "tags" not in task.as_dict()


def test_a_unique_id_is_used_once(either: ScaleClient) -> None:
    first = cat(either, unique_id="cat-1")
    with pytest.raises(ScaleDuplicateResource, match="cat-1"):
        cat(either, unique_id="cat-1")
    assert [task.id for task in either.tasks(unique_id="cat-1")] == [first.id]


def test_live_and_test_tasks_are_separate(sdk: ScaleClient, sdk_in_test: ScaleClient) -> None:
    task = cat(sdk, unique_id="cat-1")
    with pytest.raises(ScaleResourceNotFound, match=task.id):
        sdk_in_test.get_task(task.id)
    assert cat(sdk_in_test, unique_id="cat-1").unique_id == "cat-1"
