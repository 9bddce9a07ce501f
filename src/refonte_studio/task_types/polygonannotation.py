"""Outline each object in an image."""

from typing import Any, ClassVar

from refonte_studio.task_types.parts.drawing import OneShapeTask


class PolygonAnnotation(OneShapeTask):
    """Draws with one geometry: polygon."""

    name = "polygonannotation"
    kind = "polygon"
    kinds = ("polygon",)
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Outline each building.",
        "attachment": "https://example.com/street.jpg",
        "attachment_type": "image",
        "image_width": 1920,
        "image_height": 1080,
        "objects_to_annotate": ["building", "roof"],
        "with_labels": True,
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "c2d25fd1-9f4a-44f1-9a0f-0e2f2a2b8d11",
                "label": "building",
                "type": "polygon",
                "vertices": [{"x": 40, "y": 60}, {"x": 400, "y": 55}, {"x": 410, "y": 700}, {"x": 35, "y": 720}],
            }
        ]
    }


TYPE = PolygonAnnotation()
