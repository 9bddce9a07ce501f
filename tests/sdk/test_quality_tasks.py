"""Training and evaluation tasks, through the SDK."""

import pytest
from scaleapi import ScaleClient
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.tasks import TaskType

from refonte_studio.task_types import TYPES

# the types that the SDK's documentation names for quality tasks
DOCUMENTED = (
    TaskType.DocumentTranscription,
    TaskType.SegmentAnnotation,
    TaskType.VideoPlaybackAnnotation,
    TaskType.ImageAnnotation,
    TaskType.TextCollection,
    TaskType.NamedEntityRecognition,
)


@pytest.mark.parametrize("kind", DOCUMENTED, ids=lambda kind: kind.value)
def test_create_quality_tasks(either: ScaleClient, kind: TaskType) -> None:
    either.create_project("Quality", kind)
    example = TYPES[kind.value]
    training = either.create_training_task(
        kind, project="Quality", **example.example_params, expected_response=example.example_response
    )
    evaluation = either.create_evaluation_task(
        kind,
        project="Quality",
        **example.example_params,
        expected_response=example.example_response,
        initial_response=example.example_response,
    )
    assert training.id != evaluation.id
    assert training.expected_response == evaluation.expected_response == example.example_response
    assert evaluation.as_dict()["initial_response"] == example.example_response
    assert str(training) == f"TrainingTask(id={training.id})"


@pytest.mark.parametrize("create", ["create_training_task", "create_evaluation_task"])
def test_the_expected_response_is_required_and_checked(either: ScaleClient, create: str) -> None:
    kind = TYPES["categorization"]
    either.create_project("Quality", TaskType.Categorization)
    with pytest.raises(ScaleInvalidRequest, match="expected_response"):
        getattr(either, create)(TaskType.Categorization, project="Quality", **kind.example_params)
    with pytest.raises(ScaleInvalidRequest, match="no such category"):
        getattr(either, create)(
            TaskType.Categorization,
            project="Quality",
            **kind.example_params,
            expected_response={"category": "no such category"},
        )
