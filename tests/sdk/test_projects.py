"""Projects, through the SDK."""

import pytest
from scaleapi import ScaleClient
from scaleapi.exceptions import ScaleException, ScaleInvalidRequest, ScaleResourceNotFound
from scaleapi.tasks import TaskType

from tests.live import LiveTeam

FIELDS = [
    {
        "type": "category",
        "field_id": "answer",
        "title": "Is the answer reasonable?",
        "choices": [{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}],
    }
]


def test_create_project(either: ScaleClient) -> None:
    project = either.create_project("Kittens", TaskType.ImageAnnotation, {"instruction": "Please label the kittens"})
    assert (project.name, project.type) == ("Kittens", "imageannotation")
    assert project.instruction == "Please label the kittens"
    assert project.version == project.params["version"]
    same = either.get_project("Kittens")
    assert same.as_dict() == project.as_dict()


def test_create_project_with_nothing_but_a_name(either: ScaleClient) -> None:
    project = either.create_project("Kittens", TaskType.ImageAnnotation)
    assert project.instruction is None
    assert "param_history" in project.as_dict()


def test_create_studio_project(either: ScaleClient) -> None:
    project = either.create_project("Kittens", TaskType.ImageAnnotation, studio=True)
    assert project.as_dict()["studio"] is True
    assert project.as_dict()["pipeline"] == "standard_task"
    assert either.create_project("Puppies", TaskType.ImageAnnotation, rapid=True, dataset_id="ds_1").name == "Puppies"


def test_projects_newest_first(either: ScaleClient) -> None:
    names = [either.create_project(f"Project {number}", TaskType.Categorization).name for number in range(3)]
    assert [project.name for project in either.projects()] == names[::-1]
    assert [project.name for project in either.get_projects()] == names[::-1]


def test_update_project_makes_a_version(either: ScaleClient) -> None:
    either.create_project("Kittens", TaskType.Categorization, {"instruction": "One", "categories": ["cat", "kitten"]})
    first = either.get_project("Kittens").version
    updated = either.update_project("Kittens", patch=False, instruction="Two")
    assert updated.instruction == "Two"
    assert updated.version == first + 1
    assert "categories" not in updated.params
    assert [each.get("instruction") for each in updated.as_dict()["param_history"]] == ["One", "Two"]


def test_update_project_may_patch(either: ScaleClient) -> None:
    either.create_project("Kittens", TaskType.Categorization, {"instruction": "One", "categories": ["cat", "kitten"]})
    updated = either.update_project("Kittens", patch=True, instruction="Two")
    assert updated.instruction == "Two"
    assert updated.params["categories"] == ["cat", "kitten"]


def test_project_parameters_are_inherited(either: ScaleClient) -> None:
    either.create_project("Kittens", TaskType.Categorization, {"instruction": "One", "categories": ["cat", "kitten"]})
    task = either.create_task(TaskType.Categorization, project="Kittens", attachment="mew", attachment_type="text")
    assert task.params["categories"] == ["cat", "kitten"]
    assert task.instruction == "One"
    own = either.create_task(
        TaskType.Categorization, project="Kittens", attachment="mew", attachment_type="text", instruction="Mine"
    )
    assert own.instruction == own.params["instruction"] == "Mine"


def test_parameters_are_an_object(either: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest, match="params"):
        either.create_project("Kittens", TaskType.Categorization, ["categories"])
    with pytest.raises(ScaleResourceNotFound):
        either.get_project("Kittens")


def test_get_project_template(either: ScaleClient) -> None:
    project = either.create_project("Chats", TaskType.TextCollection, {"fields": FIELDS})
    template = either.get_project_template("Chats")
    assert template.id
    assert template.version == project.version
    assert template.created_at.endswith("Z")
    assert template.updated_at.endswith("Z")
    assert isinstance(template.get_template_variables(), dict)
    assert template.is_auto_onboardable() is False
    assert project.get_template().as_dict() == template.as_dict()


def test_a_type_without_templates_has_none(either: ScaleClient) -> None:
    either.create_project("Kittens", TaskType.ImageAnnotation)
    with pytest.raises(ScaleException) as refused:
        either.get_project_template("Kittens")
    assert refused.value.code in (400, 404)


def test_live_and_test_projects_are_separate(sdk: ScaleClient, sdk_in_test: ScaleClient) -> None:
    sdk.create_project("Kittens", TaskType.Categorization)
    assert sdk_in_test.projects() == []
    with pytest.raises(ScaleResourceNotFound, match="Kittens"):
        sdk_in_test.get_project("Kittens")
    sdk_in_test.create_project("Kittens", TaskType.Comparison)
    assert sdk.get_project("Kittens").type == "categorization"


def test_another_teams_project_is_not_found(sdk: ScaleClient, live_team: LiveTeam) -> None:
    sdk.create_project("Kittens", TaskType.Categorization)
    other = live_team.server.team()
    stranger = ScaleClient(other.ana.keys["live"], api_instance_url=f"{live_team.server.url}/v1")
    with pytest.raises(ScaleResourceNotFound, match="Kittens"):
        stranger.get_project("Kittens")
