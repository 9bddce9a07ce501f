"""Give each pixel of an image its label, as masks."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.kit.names import name_key
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.annotation_task import AnnotationTask
from refonte_studio.task_types.parts.attributes import ATTRIBUTE_PARAMETERS
from refonte_studio.task_types.parts.checks import UniqueIds, a_choice, annotations_of, at, missing, record, refuse
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.drawing import BASE_ANNOTATION_PARAMETERS, SIZE_PARAMETERS
from refonte_studio.task_types.parts.geometry import canvas_of
from refonte_studio.task_types.parts.mask_matching import MAX_MASKS, MaskMatcher
from refonte_studio.task_types.parts.masks import check_rle
from refonte_studio.task_types.parts.object_matching import Matcher
from refonte_studio.task_types.parts.parameters import Parameter, flag, mapping, mixed, need_one
from refonte_studio.task_types.parts.size_limits import MAX_RUNS

_SAMPLE_SIDE = 100
_NEAR = 8  # typical number of masks within the bounding box of one


class SegmentAnnotation(AnnotationTask):
    """Masks of one size.

    To combine several responses, masks are matched by common pixels; the judge decides on the label, and an object has
    the pixels that more than half of the attempts give it.
    """

    name = "segmentannotation"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "labels": mixed("What to segment: names, or objects {choice, subchoices, instance_label}.", required=True),
        "instance_labels": mixed("More labels, in an older form: each object of these is a mask of its own."),
        "allow_unlabeled": flag("Whether pixels may stay without a label; the editor sees to it."),
        "label_descriptions": mapping("A sentence per label, shown to labelers."),
        "z_order_labels": mixed("Labels from back to front."),
        "global_attributes": mapping("Attributes of the whole image, shown to labelers."),
        **SIZE_PARAMETERS,
        **BASE_ANNOTATION_PARAMETERS,
        **ATTRIBUTE_PARAMETERS,
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Segment the road and the sky.",
        "attachment": "https://example.com/road.png",
        "attachment_type": "image",
        "labels": ["road", "sky", {"choice": "vehicle", "subchoices": ["car", "bus"]}],
        "allow_unlabeled": True,
        "image_size": {"width": 6, "height": 4},
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {"uuid": "d1b5a1f0", "label": "sky", "rle": {"size": [4, 6], "counts": [0, 2, 2, 2, 2, 2, 14]}},
            {"uuid": "5e0c7c42", "label": "road", "rle": {"size": [4, 6], "counts": [2, 2, 2, 2, 16]}},
        ]
    }

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachment", "attachments")
        _labels(params)
        _check_apart(params)
        _size(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        labels, size, uuids = _labels(params), _size(params), UniqueIds()
        checked: list[dict[str, Any]] = []
        runs_left = MAX_RUNS
        for index, each in enumerate(annotations_of(response)[1]):
            path = at("response.annotations", index)
            found = record(each, path, ("uuid", "label", "rle"))
            uuid = uuids.add(found["uuid"], at(path, "uuid"))
            label = a_choice(found["label"], at(path, "label"), labels)
            mask = check_rle(found["rle"], at(path, "rle"), runs_left)
            runs_left -= len(mask["counts"])
            size = mask["size"] if size is None else size
            if mask["size"] != size:
                missing(at(at(path, "rle"), "size"), f"is {mask['size']}, the image or the first mask has {size}")
            checked.append({"uuid": uuid, "label": label, "rle": mask})
        return {"annotations": checked}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        height, width = _size(params) or (_SAMPLE_SIDE, _SAMPLE_SIDE)
        mask = {"size": [height, width], "counts": [0, height * width]}
        return {"annotations": [{"uuid": "sample-1", "label": next(iter(_labels(params))), "rle": mask}]}

    def reading_cost(self, responses: Sequence[dict[str, Any]], /) -> float:
        return 0.3 * sum(map(_runs, responses))

    def comparing_cost(self, responses: Sequence[dict[str, Any]], mean: float, /) -> float:
        runs = sum(map(_runs, responses)) / len(responses) / max(mean, 1)
        return min(mean * min(mean, _NEAR), MAX_MASKS) * (30 + 0.04 * runs)

    def matcher(self, params: dict[str, Any], /) -> Matcher:
        return MaskMatcher(len(_labels(params)))

    def response_schema(self) -> dict[str, Any]:
        size = {**schema.array({"type": "integer", "minimum": 1}, 2), "maxItems": 2}
        counts = {"anyOf": [schema.array(schema.COUNT, 1), schema.NAME]}
        mask = schema.closed({"size": size, "counts": counts})
        return schema.annotated(schema.closed({"uuid": schema.NAME, "label": schema.NAME, "rle": mask}))


def _runs(response: Mapping[str, Any]) -> int:
    return sum(len(each["rle"]["counts"]) for each in response["annotations"])


def _labels(params: Mapping[str, Any]) -> Mapping[str, None]:
    value, more = params.get("labels"), params.get("instance_labels")
    found = missing("labels") if value is None else names(value, "labels")
    return dict.fromkeys(found if more is None else (*found, *names(more, "instance_labels")))


def _check_apart(params: Mapping[str, Any]) -> None:
    """Checks that no label is in both lists."""
    given = params.get("instance_labels")
    plain = {name_key(name) for name in names(params["labels"], "labels")}
    for name in () if given is None else names(given, "instance_labels"):
        if name_key(name) in plain:
            refuse("instance_labels", name, "is one of labels, too")


def _size(params: Mapping[str, Any]) -> list[int] | None:
    """Returns the image's height and width, if both are known."""
    canvas = canvas_of(params)
    if canvas.height is None or canvas.width is None:
        return None
    size = [int(canvas.height), int(canvas.width)]
    check_rle({"size": size, "counts": [0, size[0] * size[1]]}, "image_size")
    return size


TYPE = SegmentAnnotation()
