"""Limits of the total size of a response; checking the largest takes less than a second."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import TYPES
from refonte_studio.task_types.parts.masks import check_rle, decoded
from refonte_studio.task_types.parts.size_limits import MAX_CHARACTERS, MAX_FRAMES, MAX_RUNS, MAX_VALUES, MAX_VERTICES

IMAGE = {"attachment": "https://example.com/a.jpg"}
SHAPES = {"geometries": {kind: {"objects_to_annotate": ["a"]} for kind in ("box", "polygon")}}
BOX = {"left": 1, "top": 2.5, "width": 3, "height": 4}
MOST_CPU_S = 3.0  # several times what it takes; checks that were not bounded took 14


def masks(runs: list[int]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    found = [
        {"uuid": str(i), "label": "a", "rle": {"size": [1000, 1000], "counts": _counts(each)}}
        for i, each in enumerate(runs)
    ]
    return "segmentannotation", {**IMAGE, "labels": ["a"]}, {"annotations": found}


def _counts(runs: int) -> list[int]:
    return [*[1] * (runs - 1), 1_000_000 - runs + 1]


def polygons(vertices: list[int]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    found = [
        {"uuid": str(i), "label": "a", "type": "polygon", "vertices": [{"x": v, "y": v % 7} for v in range(each)]}
        for i, each in enumerate(vertices)
    ]
    return "imageannotation", {**IMAGE, **SHAPES}, {"annotations": found}


def tracks(frames: list[int]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    found = [
        {"uuid": str(i), "label": "a", "type": "box", "frames": [{"key": key, **BOX} for key in range(each)]}
        for i, each in enumerate(frames)
    ]
    return "videoannotation", {**IMAGE, "attachment_type": "video", **SHAPES}, {"annotations": found}


def blocks(characters: list[int]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    found = [
        {"uuid": f"{i:04}", "label": "a", "type": "block", "page": 0, **BOX, "text": "x" * (each - 10)}
        for i, each in enumerate(characters)
    ]
    return "documenttranscription", {**IMAGE, "labels": ["a"]}, {"annotations": found}


def rows(values: list[int]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    names = [f"f{i}" for i in range(1000)]
    found = [dict.fromkeys(names[:each], 7) for each in values]
    return "datacollection", {"repeatable_fields": names}, {"fields": {}, "repeatable_fields": found}


ALLOWED = [
    pytest.param(masks, [MAX_RUNS // 4] * 4, "runs", MAX_RUNS, id="runs"),
    pytest.param(polygons, [MAX_VERTICES // 20] * 20, "vertices", MAX_VERTICES, id="vertices"),
    pytest.param(tracks, [MAX_FRAMES // 10] * 10, "frames", MAX_FRAMES, id="frames"),
    pytest.param(blocks, [MAX_CHARACTERS // 20] * 20, "characters", MAX_CHARACTERS, id="characters"),
    pytest.param(rows, [1000] * (MAX_VALUES // 1000), "values", MAX_VALUES, id="values"),
]


@pytest.mark.parametrize(("make", "sizes", "what", "limit"), ALLOWED)
def test_the_most_that_is_allowed_is_checked_soon_and_one_more_is_refused(make, sizes, what, limit):
    name, params, response = make(sizes)
    if what == "values":  # two rows of it may leave some fields out
        params = {"repeatable_fields": [{"field_id": each, "required": False} for each in params["repeatable_fields"]]}
    began = time.process_time()
    TYPES[name].check_response(params, response)
    assert time.process_time() - began < MOST_CPU_S
    _, _, more = make([*sizes, 20])
    with pytest.raises(BadInput, match=rf"response: has [\d,]+ {what} in all, at most {limit:,} are allowed"):
        TYPES[name].check_response(params, more)


def test_attributes_of_very_many_boxes_count_as_values():
    attributes = {f"a{i}": {"type": "boolean"} for i in range(30)}
    said = dict.fromkeys(attributes, True)
    boxes = [{"uuid": str(i), "label": "a", "type": "box", **BOX, "attributes": said} for i in range(10_000)]
    params = {**IMAGE, **SHAPES, "annotation_attributes": attributes}
    with pytest.raises(BadInput, match="370,000 values in all"):
        TYPES["imageannotation"].check_response(params, {"annotations": boxes})


def test_the_runs_of_compressed_masks_are_counted_too():
    _, params, response = masks([MAX_RUNS - 10, 5])
    text = "111111" + "0" * 14
    size = [2, 3]
    response["annotations"][1]["rle"] = {"size": size, "counts": text}
    with pytest.raises(
        BadInput, match=r"annotations\[1\]\.rle\.counts: brings the runs of all masks to more than 1,000,000"
    ):
        TYPES["segmentannotation"].check_response(params, response)


def test_the_first_count_that_is_wrong_is_named_among_a_million():
    counts: list[Any] = [1] * MAX_RUNS
    for wrong, told in ((-1, "is less than 0"), ("1", "is not a whole number"), (0.5, "is not a whole number")):
        counts[-1] = wrong
        with pytest.raises(BadInput, match=rf"counts\[999999\]: .*{told}"):
            check_rle({"size": [1000, 1000], "counts": counts}, "rle")
    counts[-1] = 1.0
    assert check_rle({"size": [1000, 1000], "counts": counts}, "rle")["counts"][-1] == 1


def test_the_first_vertex_that_is_wrong_is_named_among_many():
    name, params, response = polygons([10_000])
    for wrong in (float("nan"), "1", True, 1e9, 10**400, None):
        response["annotations"][0]["vertices"][-1]["x"] = wrong
        with pytest.raises(BadInput, match=r"vertices\[9999\]\.x: "):
            TYPES[name].check_response(params, response)
    response["annotations"][0]["vertices"][-1] = {"x": 1, "z": 2}
    with pytest.raises(BadInput, match=r"vertices\[9999\]\.y: is required"):
        TYPES[name].check_response(params, response)


def compressed(counts: list[int]) -> str:
    """COCO's compressed form, count by count."""
    found = ""
    for index, count in enumerate(counts):
        value, more = count - counts[index - 2] if index > 2 else count, True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            found += chr((group | 0x20 if more else group) + 48)
    return found


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=30))
def test_compressed_counts_are_read_as_they_were_written(counts):
    assert decoded(compressed(counts), "counts") == counts
    with pytest.raises(BadInput, match="breaks off within a count"):
        decoded(compressed(counts) + "P", "counts")
    with pytest.raises(BadInput, match=r"counts\[0\]: '\\x00' does not belong"):
        decoded("\x00" + compressed(counts), "counts")
