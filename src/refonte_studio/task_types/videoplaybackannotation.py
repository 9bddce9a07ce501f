"""Mark when things happen in a video."""

from collections.abc import Mapping
from typing import Any, ClassVar

from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.annotation_task import AnnotationTask
from refonte_studio.task_types.parts.attributes import attributes_of, check_attributes, sample_attributes
from refonte_studio.task_types.parts.checks import (
    UniqueIds,
    a_choice,
    a_number,
    an_object,
    annotations_of,
    at,
    missing_value,
    record,
    refuse,
)
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.drawing import DRAWING_PARAMETERS
from refonte_studio.task_types.parts.intervals import IntervalMatcher
from refonte_studio.task_types.parts.measures import window
from refonte_studio.task_types.parts.object_matching import Matcher
from refonte_studio.task_types.parts.parameters import Parameter, free, mixed, need_one
from refonte_studio.task_types.parts.video import VIDEO_PARAMETERS

_LABELS = ("labels", "events_to_annotate", "events", "objects_to_annotate")


class VideoPlaybackAnnotation(AnnotationTask):
    """Labeled intervals, in seconds from the start of the video.

    To combine several responses, intervals are matched by their common share of time; the judge decides on the label,
    start and end are the medians.
    """

    name = "videoplaybackannotation"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        **DRAWING_PARAMETERS,
        **VIDEO_PARAMETERS,
        "labels": mixed("What to mark. Required, or events_to_annotate, events, objects_to_annotate or geometries."),
        "events": mixed("The same as events_to_annotate."),
        "fields": free("Questions about the video, shown to labelers."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Mark every turn of the car.",
        "attachment": "https://example.com/drive.mp4",
        "attachment_type": "video",
        "events_to_annotate": ["left turn", "right turn"],
        "duration_s": 60,
        "annotation_attributes": {"signalled": {"type": "boolean", "description": "Does it signal?"}},
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {"uuid": "91f0", "label": "left turn", "start_s": 4.2, "end_s": 9, "attributes": {"signalled": True}},
            {"uuid": "a7c3", "label": "right turn", "start_s": 31, "end_s": 36.5},
        ]
    }

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachment", "attachments")
        _labels(params)
        attributes_of(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        labels, attributes, uuids = _labels(params), attributes_of(params), UniqueIds()
        earliest, latest = window(params)
        checked: list[dict[str, Any]] = []
        for index, each in enumerate(annotations_of(response)[1]):
            path = at("response.annotations", index)
            found = record(each, path, ("uuid", "label", "start_s", "end_s"), ("attributes",))
            start_s = a_number(found["start_s"], at(path, "start_s"), earliest)
            end_s = a_number(found["end_s"], at(path, "end_s"), most=latest)
            if end_s <= start_s:
                refuse(at(path, "end_s"), end_s, f"is not after the start {start_s:g}")
            label = a_choice(found["label"], at(path, "label"), labels)
            uuid = uuids.add(found["uuid"], at(path, "uuid"))
            answers = check_attributes(attributes, label, found.get("attributes"), at(path, "attributes"))
            event: dict[str, Any] = {"uuid": uuid, "label": label, "start_s": start_s, "end_s": end_s}
            checked.append({**event, "attributes": answers} if answers else event)
        return {"annotations": checked}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        label = next(iter(_labels(params)))
        earliest, latest = window(params)
        event = {"uuid": "sample-1", "label": label, "start_s": earliest, "end_s": min(earliest + 1, latest)}
        answers = sample_attributes(attributes_of(params), label)
        return {"annotations": [{**event, "attributes": answers} if answers else event]}

    def matcher(self, params: dict[str, Any], /) -> Matcher:
        return IntervalMatcher(len(_labels(params)), attributes_of(params))

    def response_schema(self) -> dict[str, Any]:
        second = {"type": "number", "minimum": 0}
        event = {"uuid": schema.NAME, "label": schema.NAME, "start_s": second, "end_s": second}
        return schema.annotated(schema.closed(event, {"attributes": schema.ATTRIBUTES}))


def _labels(params: Mapping[str, Any]) -> Mapping[str, None]:
    """Returns all labels that the parameters define, in any of them."""
    found: dict[str, None] = {}
    for name in _LABELS:
        if params.get(name):
            found.update(dict.fromkeys(names(params[name], name)))
    for kind, spec in an_object(params.get("geometries") or {}, "geometries").items():
        path = at("geometries", kind)
        objects = None if spec is None else an_object(spec, path).get("objects_to_annotate")
        if objects is not None:
            found.update(dict.fromkeys(names(objects, at(path, "objects_to_annotate"))))
    return found or missing_value(*_LABELS, "geometries")


TYPE = VideoPlaybackAnnotation()
