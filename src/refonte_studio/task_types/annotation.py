"""Draw a box around each object in an image."""

from typing import Any, ClassVar

from refonte_studio.task_types.parts.drawing import OneShapeTask


class BoxAnnotation(OneShapeTask):
    """Draws with one geometry: box."""

    name = "annotation"
    kind = "box"
    kinds = ("box",)
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Draw a box around each vehicle.",
        "attachment": "https://example.com/street.jpg",
        "attachment_type": "image",
        "image_width": 1920,
        "image_height": 1080,
        "objects_to_annotate": ["car", {"choice": "truck", "subchoices": ["van", "lorry"]}],
        "with_labels": True,
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "c2d25fd1-9f4a-44f1-9a0f-0e2f2a2b8d11",
                "label": "car",
                "type": "box",
                "left": 120,
                "top": 96.5,
                "width": 310,
                "height": 180,
            }
        ]
    }


TYPE = BoxAnnotation()
