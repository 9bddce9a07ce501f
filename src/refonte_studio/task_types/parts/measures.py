"""Sizes and times in parameters: each must be possible, and none may contradict another."""

import math
from collections.abc import Mapping
from typing import Any

from refonte_studio.task_types.parts.checks import a_number, a_whole, an_array, an_object, at, is_number, refuse
from refonte_studio.task_types.parts.geometry import MAX_PIXEL

MAX_SECONDS = 1e7
MAX_RATE = 1e6
MAX_FRAME_COUNT = 1_000_000_000

_RATES = ("frame_rate", "annotation_frame_rate", "video_frame_rate")
_COUNTS = ("responses_required", "numberOfCompletions")
# Times are decimal fractions, so a sum may be off by a rounding error.
_TOLERANCE_S = 1e-6


def check_measures(params: Mapping[str, Any]) -> None:
    """Checks the size of the image, and the times and frames of the video or recording."""
    _check_image(params)
    for name in _RATES:
        a_positive(params, name, MAX_RATE)
    for name in _COUNTS:
        if params.get(name) is not None:
            a_whole(params[name], name, 1)
    _check_times(params)
    _check_frames(params)


def window(params: Mapping[str, Any]) -> tuple[float, float]:
    """Returns the interval, in seconds, of a video or recording to work on; its end is very late if unknown."""
    start = _known(params, "start_time") or 0
    length, whole = _known(params, "duration_time"), _known(params, "duration_s")
    ends = [end for end in (whole, None if length is None else start + length) if end is not None]
    return start, min(ends, default=2 * MAX_SECONDS)


def frame_count(params: Mapping[str, Any]) -> int | None:
    """Returns the number of frames if the parameters determine it: by the attachments, if each is a frame, by
    frame_count, or by the highest frame rate over `duration_s`."""
    attachments, said = params.get("attachments"), _known(params, "frame_count")
    frames_attached = not params.get("attachment") and params.get("attachment_type") != "video"
    if isinstance(attachments, list) and frames_attached and (len(attachments) > 1 or (attachments and said is None)):
        return len(attachments)
    if said is not None:
        return math.ceil(said)
    duration = _known(params, "duration_s")
    rates = [rate for name in _RATES if (rate := _known(params, name)) is not None]
    return None if duration is None or not rates else math.ceil(duration * max(rates))


def _known(params: Mapping[str, Any], name: str) -> float | None:
    """Returns a parameter that is a number above 0. Tasks created before this check may have other values."""
    value: Any = params.get(name)
    return value if is_number(value) and 0 < value <= MAX_FRAME_COUNT else None


def a_positive(params: Mapping[str, Any], name: str, most: float) -> float | None:
    """Returns a parameter that is a number above 0; None if it is not given."""
    value = params.get(name)
    if value is not None and a_number(value, name, 0, most) == 0:
        refuse(name, value, "is not more than 0")
    return value


def _check_image(params: Mapping[str, Any]) -> None:
    size = params.get("image_size")
    given = {} if size is None else an_object(size, "image_size")
    for side in ("width", "height"):
        within, alone = given.get(side), params.get(f"image_{side}")
        if within is not None:
            a_whole(within, f"image_size.{side}", 1, int(MAX_PIXEL))
        if alone is not None:
            a_whole(alone, f"image_{side}", 1, int(MAX_PIXEL))
        if within is not None and alone is not None and within != alone:
            refuse(f"image_{side}", alone, f"is not image_size.{side}, which is {within:g}")


def _check_times(params: Mapping[str, Any]) -> None:
    """Checks that the interval to work on lies within the video."""
    given = params.get("start_time")
    start = 0 if given is None else a_number(given, "start_time", 0, MAX_SECONDS)
    length, whole = a_positive(params, "duration_time", MAX_SECONDS), a_positive(params, "duration_s", MAX_SECONDS)
    if whole is not None and start >= whole:
        refuse("start_time", start, f"is not before the end of the video, which duration_s says is at {whole:g}")
    if length is not None and whole is not None and start + length > whole + _TOLERANCE_S:
        refuse("duration_time", length, f"from {start:g} on reaches beyond duration_s, which is {whole:g}")


def _check_frames(params: Mapping[str, Any]) -> None:
    count = frame_count(params)
    if params.get("frame_count") is not None:
        said = a_whole(params["frame_count"], "frame_count", 1, MAX_FRAME_COUNT)
        if count is not None and said != count:
            refuse("frame_count", said, f"is not the number of attachments, which is {count}")
    keyframes = params.get("keyframes")
    for index, key in enumerate(an_array(keyframes, "keyframes") if isinstance(keyframes, list) else ()):
        if is_number(key):
            a_whole(key, at("keyframes", index), 0, None if count is None else count - 1)
