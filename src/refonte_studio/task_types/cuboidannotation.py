"""Draw cuboids around the objects in an image."""

from typing import Any, ClassVar

from refonte_studio.task_types.parts.drawing import OneShapeTask


class CuboidAnnotation(OneShapeTask):
    """Draws with one geometry: cuboid."""

    name = "cuboidannotation"
    kind = "cuboid"
    kinds = ("cuboid",)
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Draw a cuboid around each car.",
        "attachment": "https://example.com/street.jpg",
        "attachment_type": "image",
        "image_width": 1920,
        "image_height": 1080,
        "objects_to_annotate": ["car"],
        "with_labels": True,
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "c2d25fd1-9f4a-44f1-9a0f-0e2f2a2b8d11",
                "label": "car",
                "type": "cuboid",
                "vertices": [
                    {"x": 100, "y": 200, "description": "face-topleft"},
                    {"x": 300, "y": 200, "description": "face-topright"},
                    {"x": 300, "y": 360, "description": "face-bottomright"},
                    {"x": 100, "y": 360, "description": "face-bottomleft"},
                    {"x": 380, "y": 170, "description": "side-topcorner"},
                    {"x": 380, "y": 320, "description": "side-bottomcorner"},
                ],
            }
        ]
    }


TYPE = CuboidAnnotation()
