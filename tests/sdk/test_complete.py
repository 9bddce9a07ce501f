"""Nothing of the SDK's v1 client is left out of these tests."""

import inspect
from pathlib import Path

import pytest
from scaleapi import ScaleClient
from scaleapi.batches import Batch
from scaleapi.projects import Project
from scaleapi.tasks import Task
from scaleapi.teams import Teammate

TESTS = "\n".join(
    path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name
)


def methods(kind: type) -> list[str]:
    return [
        name
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and not name.startswith("v2")
    ]


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in (ScaleClient, Task, Batch, Project, Teammate) for name in methods(kind)]
)
def test_every_method_is_tried(kind: type, name: str) -> None:
    assert any(call in TESTS for call in (f".{name}(", f".{name},", f'"{name}"')), (
        f"no test calls {kind.__name__}.{name}"
    )
