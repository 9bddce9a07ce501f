"""Write down what is said in a recording, and in its segments by whom and when."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.medians import mean_of_pairs, table_of
from refonte_studio.consensus.model import Outcome
from refonte_studio.consensus.texts import edit_similarity, text_cost, typical_text
from refonte_studio.task_types.base import TaskType
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.checks import MAX_TEXT, a_text, flag, missing, record, refuse
from refonte_studio.task_types.parts.panel import Panel
from refonte_studio.task_types.parts.parameters import Parameter, mixed, need_one, number, text, texts
from refonte_studio.task_types.parts.parameters import flag as flag_parameter
from refonte_studio.task_types.parts.segments import (
    SEGMENT_SCHEMA,
    Segments,
    as_annotations,
    as_segments,
    check_segments,
    duration_s,
    speakers_of,
)

_SEGMENTS = Segments()


class AudioTranscription(TaskType):
    """A transcript as one text; if requested, also as segments, in order of time.

    Several responses are combined into the text that more than half of them have, or else the one that needs the fewest
    edits to become the others. The result has segments if most responses have: those that more than half have, matched
    by common time, with the medians of start and end, the most typical text, and the speaker that the judge considers
    correct. The similarity of two responses is based on the edits between their texts; if there are segments, it is the
    mean of that and the F1 of the segments.
    """

    name = "audiotranscription"
    only_media = True
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "segments": flag_parameter("Whether segments are required; without it, they are welcome."),
        "speakers": mixed(
            "Who speaks: names. A segment's speaker is then one of them; without it, labelers name them."
        ),
        "labels": mixed("The same as speakers."),
        "duration_s": number("How long the recording is, in seconds; segments must then lie within it."),
        "language": text("The language that is spoken."),
        "verbatim": flag_parameter("Whether false starts and filler words are written down, too; shown to labelers."),
        "phrases": texts("Names and terms that occur, as they are spelled; shown to labelers."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Write down the conversation, and who says what.",
        "attachment": "https://example.com/call.mp3",
        "attachment_type": "audio",
        "speakers": ["agent", "caller"],
        "duration_s": 60,
        "segments": True,
        "verbatim": False,
        "phrases": ["Refonte Studio"],
    }
    example_response: ClassVar[dict[str, Any]] = {
        "text": "Good morning. I would like to return a pair of shoes.",
        "segments": [
            {"uuid": "1d5c", "start_s": 0.4, "end_s": 1.6, "text": "Good morning.", "speaker": "agent"},
            {
                "uuid": "9b02",
                "start_s": 2.1,
                "end_s": 5,
                "text": "I would like to return a pair of shoes.",
                "speaker": "caller",
            },
        ],
    }

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachment", "attachments")
        kind = params.get("attachment_type")
        if kind not in (None, "audio", "video"):
            refuse("attachment_type", kind, "is not audio or video")
        speakers_of(params)
        duration_s(params)
        flag(params, "segments")

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        found = record(response, "response", ("text",), ("segments",))
        checked: dict[str, Any] = {"text": a_text(found["text"], "response.text", 10 * MAX_TEXT)}
        if found.get("segments") is not None:
            checked["segments"] = check_segments(params, found["segments"], "response.segments")
        elif flag(params, "segments"):
            missing("response.segments")
        return checked

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"text": "Sample", "segments": as_segments(_SEGMENTS.sample_response(params))}

    def consensus_cost(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> int:
        pairs = len(responses) * (len(responses) + 1) / 2
        said = text_cost([response["text"] for response in responses])
        segments = [as_annotations(response.get("segments")) for response in responses]
        return int(pairs * said) + 2 * _SEGMENTS.consensus_cost(params, segments)

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        said = [response["text"] for response in responses]
        chosen = said[typical_text(said, panel.weights)]
        result: dict[str, Any] = {"text": chosen}
        confidence = panel.support([edit_similarity(each, chosen) for each in said])
        given = [response.get("segments") for response in responses]
        if any(given):
            segments = _SEGMENTS.settle(params, [as_annotations(each) for each in given], panel)
            confidence = (confidence + segments.confidence) / 2
            if panel.most([each is not None for each in given]):
                result["segments"] = as_segments(segments.response)
        elif panel.most([each is not None for each in given]):
            result["segments"] = []
        table = table_of(responses, lambda one, other: self.similarity(params, one, other))
        return Outcome(self.check_response(params, result), confidence, mean_of_pairs(table))

    def similarity(self, params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        alike = edit_similarity(one["text"], other["text"])
        mine, theirs = (as_annotations(each.get("segments")) for each in (one, other))
        if not mine["annotations"] and not theirs["annotations"]:
            return alike
        return (alike + _SEGMENTS.similarity(params, mine, theirs)) / 2

    def response_schema(self) -> dict[str, Any]:
        return schema.response(schema.closed({"text": schema.STRING}, {"segments": schema.array(SEGMENT_SCHEMA)}))


TYPE = AudioTranscription()
