"""Transcriptions of recordings: checks of a response, and aggregation of several."""

from typing import Any

import pytest

from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import TYPES

AUDIO = TYPES["audiotranscription"]
PARAMS = {"attachment": "https://example.com/call.mp3", "speakers": ["agent", "caller"], "duration_s": 60}


def segment(start_s: float, end_s: float, text: str = "Hello.", **more: Any) -> dict[str, Any]:
    return {"uuid": f"{start_s}", "start_s": start_s, "end_s": end_s, "text": text, **more}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (segment(2, 2), "segments[0].end_s: 2 is not after the start 2"),
        (segment(2, 61), "segments[0].end_s: 61 is more than 60"),
        (segment(-1, 2), "segments[0].start_s: -1 is less than 0"),
        (segment(1, 2, speaker="robot"), "segments[0].speaker: 'robot' is not one of 'agent', 'caller'"),
    ],
)
def test_a_segment_lies_in_the_recording_and_names_a_speaker_of_the_task(given, told):
    with pytest.raises(BadInput) as refused:
        AUDIO.check_response(PARAMS, {"text": "Hello.", "segments": [given]})
    assert told in refused.value.message


def test_segments_are_required_where_the_task_says_so_and_come_in_order():
    with pytest.raises(BadInput, match=r"response\.segments: is required"):
        AUDIO.check_response({**PARAMS, "segments": True}, {"text": "Hello."})
    found = AUDIO.check_response(PARAMS, {"text": "", "segments": [segment(5, 6), segment(1, 2)]})
    assert [each["start_s"] for each in found["segments"]] == [1, 5]


def test_several_give_the_typical_text_and_segments_aligned_by_their_times():
    said = [
        {"text": "Hello there.", "segments": [segment(0, 2, "Hello there.", speaker="agent"), segment(30, 31)]},
        {"text": "Hello, there.", "segments": [segment(0.2, 2.2, "Hello there.", speaker="agent")]},
        {"text": "Hello there", "segments": [segment(0.4, 2.1, "Hello.", speaker="caller")]},
    ]
    result = AUDIO.combine(PARAMS, [AUDIO.check_response(PARAMS, each) for each in said])
    assert result["text"] == "Hello there."
    [only] = result["segments"]
    assert (only["start_s"], only["end_s"], only["text"], only["speaker"]) == (0.2, 2.1, "Hello there.", "agent")
