"""Draw lines along the objects in an image."""

from typing import Any, ClassVar

from refonte_studio.task_types.parts.drawing import OneShapeTask


class LineAnnotation(OneShapeTask):
    """Draws with one geometry: line."""

    name = "lineannotation"
    kind = "line"
    kinds = ("line",)
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Trace each lane marking.",
        "attachment": "https://example.com/street.jpg",
        "attachment_type": "image",
        "image_width": 1920,
        "image_height": 1080,
        "objects_to_annotate": ["lane marking", "kerb"],
        "with_labels": True,
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "c2d25fd1-9f4a-44f1-9a0f-0e2f2a2b8d11",
                "label": "lane marking",
                "type": "line",
                "vertices": [{"x": 900, "y": 1080}, {"x": 930, "y": 760}, {"x": 945, "y": 540}],
            }
        ]
    }


TYPE = LineAnnotation()
