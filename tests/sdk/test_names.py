"""Names with anything in them, in paths, bodies, filters and lists, as the SDK encodes them."""

import pytest
from scaleapi import ScaleClient
from scaleapi.tasks import TaskType

NAMES = [
    "two words",
    "with/slash",
    "/leading and trailing/",
    "two//slashes",
    "100%",
    "%2F is not a slash",
    "one, two, three",
    "what? & why=1",
    "#1",
    "naïve Größe",
    "写真 📷",
    "a+b",
    "semi;colon",
    "dots..",
    "quote \"'` and back\\slash",
    "<b>bold</b>",
    "[brackets]",
    "status",
    "x" * 60,
]
BEN, DEE = "ben@example.com", "dee@example.com"
CATS = {"categories": ["cat", "kitten"]}


@pytest.mark.parametrize("name", NAMES)
def test_a_project_of_any_name(sdk: ScaleClient, name: str) -> None:
    sdk.create_project(name, TaskType.TextCollection, studio=True)
    assert sdk.get_project(name).name == name
    assert sdk.update_project(name, instruction="hello").name == name
    assert sdk.add_studio_assignments([BEN, DEE], [name])[BEN].assigned_projects == [name]

    sdk.create_project_group(name, [BEN], name)
    assert sdk.update_project_group(name, name, [DEE], []).numWorkers == 2
    assert [group.name for group in sdk.list_project_groups(name)] == [name]
    assert sdk.remove_studio_assignments([BEN], [name])[BEN].assigned_projects == []


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_any_name(sdk: ScaleClient, name: str) -> None:
    sdk.create_project(name, TaskType.Categorization, CATS, studio=True)
    sdk.add_studio_assignments([BEN], [name])
    sdk.create_project_group(name, [BEN], name)
    sdk.create_batch(name, name)
    task = sdk.create_task(
        TaskType.Categorization, project=name, batch=name, attachment="mew", attachment_type="text", tags=[name]
    )
    assert (task.project, task.batch, task.tags) == (name, name, [name])
    assert sdk.get_batch(name).name == name
    assert sdk.set_batch_metadata(name, {name: name}).metadata == {name: name}
    assert sdk.finalize_batch(name).status == "in_progress"
    assert sdk.batch_status(name)["pending"] == 1
    assert sdk.assign_studio_batches(name, [name]).groups == [name]
    assert [batch.name for batch in sdk.set_studio_batches_priorities([name])] == [name]
    assert [batch.name for batch in sdk.get_batches(project_name=name)] == [name]
    assert [each.id for each in sdk.get_tasks(project_name=name, batch_name=name)] == [task.id]


@pytest.mark.parametrize("name", [name for name in NAMES if "," not in name])
def test_a_tag_and_a_unique_id_of_any_name(sdk: ScaleClient, name: str) -> None:
    """One alone with a comma in it is split, as the contract says of a list in a query."""
    sdk.create_project("Cats", TaskType.Categorization, CATS)
    task = sdk.create_task(
        TaskType.Categorization, project="Cats", attachment="mew", attachment_type="text", tags=[name], unique_id=name
    )
    assert [each.id for each in sdk.get_tasks(project_name="Cats", tags=[name])] == [task.id]
    assert [each.id for each in sdk.get_tasks(project_name="Cats", unique_id=name)] == [task.id]


def test_names_with_commas_among_several(sdk: ScaleClient) -> None:
    sdk.create_project("Cats", TaskType.Categorization, CATS)
    ids = [
        sdk.create_task(
            TaskType.Categorization, project="Cats", attachment="mew", attachment_type="text", unique_id=name
        ).id
        for name in ("a, b", "c")
    ]
    assert [task.id for task in sdk.tasks(unique_id=["a, b", "c"])] == ids[::-1]
