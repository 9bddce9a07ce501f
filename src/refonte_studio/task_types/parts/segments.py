"""Segments of speech: their time, text and speaker.

They are matched and combined like the objects of an annotating type, with the speaker as the label.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from refonte_studio.consensus.texts import edit_similarity, text_cost, typical_text
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.annotation_task import AnnotationTask
from refonte_studio.task_types.parts.checks import (
    MAX_ANNOTATIONS,
    UniqueIds,
    a_choice,
    a_name,
    a_number,
    a_text,
    an_array,
    at,
    record,
    refuse,
)
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.intervals import IntervalMatcher
from refonte_studio.task_types.parts.object_matching import Annotation, Cluster, Matcher

MAX_SECONDS = 1e7
NOBODY = ""  # the label of a segment without a speaker

Segment = dict[str, Any]

SEGMENT_SCHEMA = schema.closed(
    {
        "uuid": schema.NAME,
        "start_s": {"type": "number", "minimum": 0},
        "end_s": {"type": "number", "exclusiveMinimum": 0},
        "text": schema.STRING,
    },
    {"speaker": schema.NAME},
)


def speakers_of(params: Mapping[str, Any]) -> Mapping[str, None]:
    """Returns the possible speakers; empty if labelers name the speakers."""
    found: dict[str, None] = {}
    for name in ("speakers", "labels"):
        if params.get(name) is not None:
            found.update(dict.fromkeys(names(params[name], name)))
    return found


def duration_s(params: Mapping[str, Any]) -> float:
    """Returns the duration of the recording in seconds; very long if unknown."""
    given = params.get("duration_s")
    if given is None:
        return MAX_SECONDS
    if a_number(given, "duration_s", 0, MAX_SECONDS) == 0:
        refuse("duration_s", given, "is not more than 0")
    return given


def check_segments(params: Mapping[str, Any], given: object, path: str) -> list[Segment]:
    """Returns the segments in order of time. Segments of different speakers may overlap."""
    speakers, end_of_all, uuids = speakers_of(params), duration_s(params), UniqueIds()
    found: list[Segment] = []
    for index, each in enumerate(an_array(given, path, most=MAX_ANNOTATIONS)):
        here = at(path, index)
        segment = record(each, here, ("uuid", "start_s", "end_s", "text"), ("speaker",))
        start_s = a_number(segment["start_s"], at(here, "start_s"), 0)
        end_s = a_number(segment["end_s"], at(here, "end_s"), most=end_of_all)
        if end_s <= start_s:
            refuse(at(here, "end_s"), end_s, f"is not after the start {start_s:g}")
        checked: Segment = {
            "uuid": uuids.add(segment["uuid"], at(here, "uuid")),
            "start_s": start_s,
            "end_s": end_s,
            "text": a_text(segment["text"], at(here, "text")),
        }
        if segment.get("speaker") is not None:
            checked["speaker"] = _speaker(speakers, segment["speaker"], at(here, "speaker"))
        found.append(checked)
    return sorted(found, key=lambda each: (each["start_s"], each["end_s"]))


def _speaker(speakers: Mapping[str, None], given: object, path: str) -> str:
    return a_choice(given, path, speakers) if speakers else a_name(given, path)


def as_annotations(segments: Sequence[Segment] | None) -> dict[str, Any]:
    """Returns the response of an annotating type, which `Segments` compares and combines."""
    return {
        "annotations": [
            {**{name: value for name, value in each.items() if name != "speaker"}, "label": each.get("speaker", NOBODY)}
            for each in segments or ()
        ]
    }


def as_segments(response: Mapping[str, Any]) -> list[Segment]:
    """Returns the segments of such a response."""
    found: list[Segment] = []
    for each in response["annotations"]:
        segment = {name: each[name] for name in ("uuid", "start_s", "end_s", "text")}
        found.append(segment if each["label"] == NOBODY else {**segment, "speaker": each["label"]})
    return found


class SpeechMatcher(IntervalMatcher):
    """Compares by common share of time and edits between texts; the combined text is the most typical one."""

    def detail(self, one: Annotation, other: Annotation, /) -> float:
        return (1 + edit_similarity(one["text"], other["text"])) / 2

    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        texts = [each["text"] for each in cluster.annotations()]
        return {**(super().joined(cluster) or {}), "text": texts[typical_text(texts, cluster.weights())]}


class Segments(AnnotationTask):
    """The part of a transcription that consists of segments, as an internal type."""

    def check_own_params(self, params: dict[str, Any]) -> None:
        speakers_of(params)
        duration_s(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        found = record(response, "response", ("annotations",))
        return as_annotations(check_segments(params, as_segments(found), "response.segments"))

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        sample: Segment = {"uuid": "sample-1", "start_s": 0, "end_s": min(1, duration_s(params)), "text": "Sample"}
        speaker = next(iter(speakers_of(params)), None)
        return as_annotations([sample if speaker is None else {**sample, "speaker": speaker}])

    def matcher(self, params: dict[str, Any], /) -> Matcher:
        matcher = SpeechMatcher(0, {})
        matcher.labels = len(speakers_of(params)) or None
        return matcher

    def comparing_cost(self, responses: Sequence[dict[str, Any]], mean: float, /) -> float:
        texts = [segment["text"] for response in responses for segment in response["annotations"]]
        return mean * text_cost(texts)

    def response_schema(self) -> dict[str, Any]:
        return schema.array(SEGMENT_SCHEMA)
