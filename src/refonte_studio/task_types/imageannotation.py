"""Draw boxes, polygons, lines, points, cuboids and ellipses on an image."""

from collections.abc import Mapping
from typing import Any, ClassVar

from refonte_studio.task_types.parts.drawing import DrawnTask, rules_of
from refonte_studio.task_types.parts.geometry import FIELDS, GeometryRule


class ImageAnnotation(DrawnTask):
    """Several geometries at once; a label belongs to the geometries that list it."""

    name = "imageannotation"
    kinds = tuple(FIELDS)
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Draw a box around each cow, and the outline of each pond.",
        "attachment": "https://example.com/pasture.jpg",
        "attachment_type": "image",
        "image_size": {"width": 1280, "height": 720},
        "geometries": {
            "box": {"objects_to_annotate": ["Baby Cow", "Big Cow"], "min_width": 10, "min_height": 10},
            "polygon": {"objects_to_annotate": [{"choice": "Water", "subchoices": ["Pond", "Creek"]}]},
        },
        "annotation_attributes": {
            "standing": {
                "description": "Does the cow stand?",
                "type": "category",
                "choices": ["Yes", "No"],
                "required": True,
                "conditions": {"label_condition": {"label": ["Baby Cow", "Big Cow"]}},
            }
        },
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "65ec1f52-5902-4b39-bea9-ab6b4d58ef42",
                "label": "Big Cow",
                "type": "box",
                "left": 312,
                "top": 188.5,
                "width": 204,
                "height": 151,
                "attributes": {"standing": "Yes"},
            },
            {
                "uuid": "0a6cd019-a014-4c67-bd49-c269ba08028a",
                "label": "Pond",
                "type": "polygon",
                "vertices": [{"x": 820, "y": 500}, {"x": 1100, "y": 512}, {"x": 1010, "y": 640}],
            },
        ]
    }

    def rules(self, params: Mapping[str, Any]) -> Mapping[str, GeometryRule]:
        return rules_of(params)


TYPE = ImageAnnotation()
