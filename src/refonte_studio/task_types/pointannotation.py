"""Mark points in an image."""

from typing import Any, ClassVar

from refonte_studio.task_types.parts.drawing import OneShapeTask


class PointAnnotation(OneShapeTask):
    """Draws with one geometry: point."""

    name = "pointannotation"
    kind = "point"
    kinds = ("point",)
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Mark the middle of each wheel.",
        "attachment": "https://example.com/street.jpg",
        "attachment_type": "image",
        "image_width": 1920,
        "image_height": 1080,
        "objects_to_annotate": ["front wheel", "rear wheel"],
        "with_labels": True,
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "c2d25fd1-9f4a-44f1-9a0f-0e2f2a2b8d11",
                "label": "front wheel",
                "type": "point",
                "x": 415.5,
                "y": 262,
            }
        ]
    }


TYPE = PointAnnotation()
