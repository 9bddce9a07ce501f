"""Draw shapes on the frames of a video."""

from collections.abc import Mapping
from typing import Any, ClassVar

from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.annotation_task import AnnotationTask
from refonte_studio.task_types.parts.checks import (
    MAX_ITEMS,
    UniqueIds,
    a_choice,
    a_whole,
    an_array,
    an_object,
    annotations_of,
    at,
    one_of,
    record,
    refuse,
)
from refonte_studio.task_types.parts.drawing import DRAWING_PARAMETERS, check_room, rules_of
from refonte_studio.task_types.parts.geometry import (
    FIELDS,
    OPTIONAL,
    SCHEMAS,
    Canvas,
    GeometryRule,
    canvas_of,
    check_shape,
    sample_shape,
)
from refonte_studio.task_types.parts.measures import frame_count
from refonte_studio.task_types.parts.object_matching import Matcher
from refonte_studio.task_types.parts.parameters import Parameter, need_one
from refonte_studio.task_types.parts.tracks import TrackMatcher
from refonte_studio.task_types.parts.video import VIDEO_PARAMETERS


class VideoAnnotation(AnnotationTask):
    """Tracks: an object's shape on the frames where it is visible, by frame number starting at 0, in order.

    To combine several responses, tracks are matched by the similarity of their shapes over the frames of either (a
    sample if there are many); the judge decides on the label. Boxes and points are combined frame by frame; for other
    tracks, the most typical one is the result.
    """

    name = "videoannotation"
    parameters: ClassVar[Mapping[str, Parameter]] = {**DRAWING_PARAMETERS, **VIDEO_PARAMETERS}
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Follow each cyclist with a box.",
        "attachments": ["https://example.com/f0.jpg", "https://example.com/f1.jpg", "https://example.com/f2.jpg"],
        "attachment_type": "image",
        "frame_rate": 1,
        "geometries": {"box": {"objects_to_annotate": ["cyclist", "pedestrian"]}},
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "b3e2f7ce-7d2b-4f0f-9c1c-2a6d0a7a8e55",
                "label": "cyclist",
                "type": "box",
                "frames": [
                    {"key": 0, "left": 10, "top": 40, "width": 60, "height": 120},
                    {"key": 2, "left": 44, "top": 41, "width": 61.5, "height": 121},
                ],
            }
        ]
    }

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachment", "attachments")
        check_room(rules_of(params), canvas_of(params))

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        rules, canvas, count, uuids = rules_of(params), canvas_of(params), frame_count(params), UniqueIds()
        return {
            "annotations": [
                _track(each, at("response.annotations", index), rules, canvas, count, uuids)
                for index, each in enumerate(annotations_of(response)[1])
            ]
        }

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        kind, rule = next(iter(rules_of(params).items()))
        frame = {"key": 0, **sample_shape(kind, rule, canvas_of(params))}
        track = {"uuid": "sample-1", "label": next(iter(rule.labels)), "type": kind, "frames": [frame]}
        return {"annotations": [track]}

    def matcher(self, params: dict[str, Any], /) -> Matcher:
        return TrackMatcher(rules_of(params), canvas_of(params))

    def response_schema(self) -> dict[str, Any]:
        return schema.annotated(schema.any_of([_track_schema(kind) for kind in FIELDS]))


def _track(
    given: object, path: str, rules: Mapping[str, GeometryRule], canvas: Canvas, count: int | None, uuids: UniqueIds
) -> dict[str, Any]:
    record(given, path, ("uuid", "label", "type", "frames"))
    found = an_object(given, path)
    kind = one_of(found["type"], at(path, "type"), rules)
    frames: list[dict[str, Any]] = []
    for index, frame in enumerate(an_array(found["frames"], at(path, "frames"), 1, MAX_ITEMS)):
        here = f"{path}.frames[{index}]"
        given_frame = record(frame, here, ("key", *FIELDS[kind]), OPTIONAL.get(kind, ()))
        key = a_whole(given_frame["key"], f"{here}.key", 0, None if count is None else count - 1)
        if frames and key <= frames[-1]["key"]:
            refuse(at(here, "key"), key, f"does not come after {frames[-1]['key']}")
        frames.append({"key": key, **check_shape(kind, given_frame, here, rules[kind], canvas)})
    return {
        "uuid": uuids.add(found["uuid"], at(path, "uuid")),
        "label": a_choice(found["label"], at(path, "label"), rules[kind].labels),
        "type": kind,
        "frames": frames,
    }


def _track_schema(kind: str) -> dict[str, Any]:
    optional = OPTIONAL.get(kind, ())
    frame = schema.closed(
        {"key": schema.COUNT, **{name: SCHEMAS[kind][name] for name in FIELDS[kind]}},
        {name: SCHEMAS[kind][name] for name in optional},
    )
    frames = schema.array(frame, 1)
    return schema.closed({"uuid": schema.NAME, "label": schema.NAME, "type": {"const": kind}, "frames": frames})


TYPE = VideoAnnotation()
