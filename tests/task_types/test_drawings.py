"""Shapes, masks, blocks, tracks and time intervals."""

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus import geometry
from refonte_studio.consensus.judges import Plain
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import TYPES

IMAGE = TYPES["imageannotation"]
MASKS = TYPES["segmentannotation"]
BLOCKS = TYPES["documenttranscription"]
VIDEO = TYPES["videoannotation"]
PLAYBACK = TYPES["videoplaybackannotation"]
GEOMETRIES = ("box", "polygon", "line", "point", "cuboid", "ellipse")

SIZED = {
    "attachment": "https://example.com/a.jpg",
    "image_size": {"width": 100, "height": 50},
    "geometries": {
        kind: {"objects_to_annotate": [f"a {kind}", {"choice": "x", "subchoices": ["y"]}]} for kind in GEOMETRIES
    },
}
BOX: dict[str, Any] = {"uuid": "1", "label": "a box", "type": "box", "left": 0, "top": 0, "width": 100, "height": 50}


def refusal(action: Any, *args: Any) -> str:
    with pytest.raises(BadInput) as refused:
        action(*args)
    return refused.value.message


def drawn(params: dict[str, Any], *annotations: dict[str, Any]) -> list[dict[str, Any]]:
    return IMAGE.check_response(params, {"annotations": list(annotations)})["annotations"]


def dots(*places: tuple[float, float]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in places]


def shape(kind: str, **members: Any) -> dict[str, Any]:
    return {"uuid": "1", "label": f"a {kind}", "type": kind, **members}


def test_a_box_may_touch_the_edges_and_not_cross_them():
    assert drawn(SIZED, BOX) == [BOX]
    assert "response.annotations[0]: reaches to x = 101" in refusal(drawn, SIZED, {**BOX, "width": 101})
    assert "reaches to y = -1" in refusal(drawn, SIZED, {**BOX, "top": -1})
    assert drawn({**SIZED, "padding": 5}, {**BOX, "left": -5, "top": -5, "width": 110, "height": 60})
    unknown = {**SIZED, "image_size": None}
    assert drawn(unknown, {**BOX, "width": 5000})


def test_the_size_can_be_told_in_two_ways():
    params = {**SIZED, "image_size": None, "image_width": 100, "image_height": 50}
    assert "outside the image, which is 100 pixels wide" in refusal(drawn, params, {**BOX, "width": 101})


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf, True, "5", None, 10**400, [], {}])
def test_a_width_is_a_positive_finite_number(wrong):
    assert refusal(drawn, SIZED, {**BOX, "width": wrong}).startswith("response.annotations[0].width: ")


def test_a_label_belongs_to_its_geometry():
    assert "response.annotations[1].label: 'a point' is not one of 'a box'" in refusal(
        drawn, SIZED, BOX, {**BOX, "uuid": "2", "label": "a point"}
    )
    assert drawn(SIZED, {**BOX, "label": "x"}, {**BOX, "uuid": "2", "label": "y"})


def test_a_geometry_that_is_not_asked_for_is_refused():
    boxes = {"attachment": "https://example.com/a", "geometries": {"box": {"objects_to_annotate": ["a box"]}}}
    assert "response.annotations[0].type: 'point' is not one of 'box'" in refusal(
        drawn, boxes, shape("point", x=1, y=1)
    )
    assert "response.annotations[0].left: is not a field" in refusal(drawn, SIZED, shape("point", x=1, y=1, left=1))
    assert "geometries: 'blob' is not one of" in refusal(
        IMAGE.check_params, {**boxes, "geometries": {"blob": {"objects_to_annotate": ["a"]}}}
    )


def test_uuids_are_unique():
    assert refusal(drawn, SIZED, BOX, BOX) == "response.annotations[1].uuid: '1' is used twice"


def test_the_number_of_vertices():
    triangle, segment = dots((0, 0), (9, 0), (9, 9)), dots((0, 0), (9, 9))
    assert drawn(SIZED, shape("polygon", vertices=triangle), {**shape("line", vertices=segment), "uuid": "2"})
    assert "2 vertices, 3 to" in refusal(drawn, SIZED, shape("polygon", vertices=segment))
    assert "1 vertices, 2 to" in refusal(drawn, SIZED, shape("line", vertices=segment[:1]))
    asked = {"polygon": {"objects_to_annotate": ["a polygon"], "min_vertices": 4, "max_vertices": 5}}
    assert "3 vertices, 4 to 5" in refusal(drawn, {**SIZED, "geometries": asked}, shape("polygon", vertices=triangle))


def test_the_corners_of_a_cuboid_have_names():
    corners = [{**dot, "description": f"corner {i}"} for i, dot in enumerate(dots((0, 0), (9, 0), (9, 9), (0, 9)))]
    assert drawn(SIZED, shape("cuboid", vertices=corners))
    assert "vertices[0].description: is required" in refusal(
        drawn, SIZED, shape("cuboid", vertices=dots((0, 0), (9, 0), (9, 9), (0, 9)))
    )


def test_an_ellipse_lies_inside_as_it_is_turned():
    flat = shape("ellipse", center={"x": 50, "y": 25}, rx=50, ry=10)
    assert drawn(SIZED, flat)[0]["rotation"] == 0
    assert "outside" in refusal(drawn, SIZED, {**flat, "rotation": 90})
    assert drawn(SIZED, {**flat, "rx": 25, "rotation": 90})


def test_a_smallest_size_is_kept_and_must_fit():
    asked = {"box": {"objects_to_annotate": ["a box"], "min_width": 20, "min_height": 10}}
    params = {**SIZED, "geometries": asked}
    assert "less than min_width 20" in refusal(drawn, params, {**BOX, "width": 19})
    assert "less than min_height 10" in refusal(drawn, params, {**BOX, "height": 9})
    asked["box"]["min_width"] = 101
    assert "min_width: 101 is more than the image's width" in refusal(IMAGE.check_params, params)


ATTRIBUTES = {
    "colour": {"choices": ["red", "blue"], "required": True},
    "signs": {"type": "category", "choices": ["a", "b"], "allow_multiple": True},
    "doors": {"type": "number", "min": 0, "max": 5},
    "note": {"type": "text"},
    "parked": {"type": "boolean"},
    "why": {"type": "text", "required": True, "conditions": {"attribute_conditions": [{"colour": ["blue"]}]}},
    "tilt": {"type": "angle", "required": True, "conditions": {"label_condition": {"label": "a line"}}},
}


def test_attributes_are_checked_on_each_annotation():
    params = {**SIZED, "annotation_attributes": ATTRIBUTES}
    IMAGE.check_params(params)

    def with_these(**attributes: Any) -> dict[str, Any]:
        return drawn(params, {**BOX, "attributes": attributes})[0]["attributes"]

    full = {"colour": "red", "signs": ["b", "a"], "doors": 4, "note": "", "parked": False}
    assert with_these(**full) == full
    path = "response.annotations[0].attributes"
    for name, wrong in {"colour": "green", "signs": "a", "doors": 6, "parked": "no", "age": 3, "note": 1}.items():
        assert refusal(lambda n=name, w=wrong: with_these(**{"colour": "red", n: w})).startswith(f"{path}.{name}: ")
    assert refusal(with_these) == f"{path}.colour: is required"


def test_a_conditional_attribute_is_required_where_its_condition_holds():
    params = {**SIZED, "annotation_attributes": ATTRIBUTES}
    path = "response.annotations[0].attributes"
    assert refusal(drawn, params, {**BOX, "attributes": {"colour": "blue"}}) == f"{path}.why: is required"
    assert drawn(params, {**BOX, "attributes": {"colour": "blue", "why": "sky"}})
    line = {**shape("line", vertices=dots((0, 0), (1, 1))), "attributes": {"colour": "red"}}
    assert refusal(drawn, params, line) == f"{path}.tilt: is required"
    sample = IMAGE.sample_response({**params, "geometries": {"line": {"objects_to_annotate": ["a line"]}}})
    assert sample["annotations"][0]["attributes"] == {"colour": "red", "tilt": 0}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("annotation", "box"),
        ("polygonannotation", "polygon"),
        ("lineannotation", "line"),
        ("pointannotation", "point"),
        ("cuboidannotation", "cuboid"),
    ],
)
def test_types_of_one_geometry_take_objects_at_either_place(name, kind):
    task_type = TYPES[name]
    for labels in ({"objects_to_annotate": ["a"]}, {"geometries": {kind: {"objects_to_annotate": ["a"]}}}):
        params = {"attachment": "https://example.com/x", **labels}
        task_type.check_params(params)
        assert task_type.sample_response(params)["annotations"][0]["type"] == kind
    assert (
        refusal(task_type.check_params, {"attachment": "https://example.com/x"}) == "objects_to_annotate: is required"
    )
    assert refusal(task_type.check_params, {"objects_to_annotate": ["a"]}).startswith("attachment: is required")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(GEOMETRIES),
    st.integers(1, 5000) | st.none(),
    st.integers(1, 5000) | st.none(),
    st.integers(0, 50),
)
def test_samples_fit_any_image(kind, width, height, least):
    geometry = {"objects_to_annotate": ["a"], "min_width": least, "min_height": least, "min_vertices": least}
    params = {
        "attachment": "https://example.com/x",
        "image_size": {"width": width, "height": height},
        "geometries": {kind: geometry},
    }
    try:
        IMAGE.check_params(params)
    except BadInput as refused:
        assert least > min(width or 5000, height or 5000), refused.message  # noqa: PT017
        return
    sample = IMAGE.sample_response(params)
    assert IMAGE.check_response(params, sample) == sample


def combined(*drawings: dict[str, Any], params: dict[str, Any] = SIZED) -> list[dict[str, Any]]:
    """The annotations that come of one drawing each."""
    result = IMAGE.combine(params, [{"annotations": [each]} for each in drawings])
    assert IMAGE.check_response(params, result) == result
    return result["annotations"]


def test_what_more_than_half_draw_is_kept_and_lies_in_the_middle():
    boxes = [{**BOX, "left": left, "width": 40} for left in (50, 10, 12)]
    assert combined(*boxes) == [{**boxes[1], "left": 11}]
    points = [shape("point", x=x, y=1) for x in (90, 1, 2, 2)]
    assert combined(*points) == [points[2]]


def test_the_edges_of_a_box_are_medians_so_that_one_careless_edge_does_not_count():
    careless = {**BOX, "left": 10, "width": 80}
    careful = [{**BOX, "left": 10, "width": 50}, {**BOX, "left": 11, "width": 50}]
    assert combined(careless, *careful) == [{**BOX, "left": 10, "width": 51}]


def test_a_line_drawn_from_its_other_end_is_the_same_line():
    there, back = dots((0, 0), (90, 40)), dots((90, 40), (0, 2))
    lines = [shape("line", vertices=v) for v in (dots((0, 40), (9, 40)), there, back)]
    assert combined(*lines) == [{**lines[1], "vertices": dots((0, 1), (90, 40))}]


def test_lines_with_other_vertices_give_the_most_typical_one():
    three = dots((0, 0), (45, 20), (90, 40))
    lines = [shape("line", vertices=v) for v in (dots((0, 0), (90, 41)), three, dots((0, 0), (90, 40)))]
    assert combined(*lines) == [lines[1]]


def test_of_outlines_the_most_typical_one_is_kept_as_it_was_drawn():
    corners = [dots((0, 0), (40, 0), (40, low), (0, low)) for low in (50, 42, 38)]
    polygons = [shape("polygon", vertices=each) for each in corners]
    assert combined(*polygons) == [polygons[1]]


def test_outlines_are_compared_by_what_is_inside_them():
    upper, lower = dots((0, 0), (40, 0), (0, 40)), dots((40, 0), (40, 40), (0, 40))
    one, other = (IMAGE.check_response(SIZED, {"annotations": [shape("polygon", vertices=v)]}) for v in (upper, lower))
    assert IMAGE.similarity(SIZED, one, other) == 0.0  # though the box around both is the same
    assert IMAGE.similarity(SIZED, one, one) == 1.0


def test_ellipses_are_joined_whichever_way_they_are_turned():
    flat = shape("ellipse", center={"x": 50, "y": 25}, rx=40, ry=10, rotation=0)
    turned = [{**flat, "rotation": rotation} for rotation in (2, -178, 184)]
    assert combined(*turned) == [{**flat, "rotation": 2}]
    tilted = [{"annotations": [{**flat, "ry": 1, "rotation": turn}]} for turn in (20, -20)]
    assert IMAGE.similarity(SIZED, *tilted) == 0.0  # though the box around both is the same


def test_corners_of_cuboids_are_joined_by_their_names():
    def cuboid(*moved: float) -> dict[str, Any]:
        places = ((0, 0), (20, 0), (20, 30), (0, 30))
        corners = [
            {"x": x + off, "y": y, "description": f"c{i}"}
            for i, ((x, y), off) in enumerate(zip(places, moved, strict=True))
        ]
        return shape("cuboid", vertices=corners)

    mixed_up = cuboid(2, 0, 0, 2)
    mixed_up["vertices"].reverse()
    assert combined(cuboid(0, 1, 0, 0), cuboid(1, 1, 0, 1), mixed_up)[0]["vertices"] == cuboid(1, 1, 0, 1)["vertices"]


def test_the_label_and_the_attributes_of_an_object_are_voted_on():
    params = {**SIZED, "annotation_attributes": ATTRIBUTES}
    said = [("x", "red", 2), ("y", "blue", 4), ("y", "blue", 3), ("y", "red", 5), ("x", "red", 1)]
    drawings = [
        {**BOX, "label": name, "attributes": {"colour": colour, "doors": doors, "why": "so"}}
        for name, colour, doors in said
    ]
    found = combined(*drawings, params=params)[0]
    assert (found["label"], found["attributes"]) == ("y", {"colour": "blue", "doors": 4, "why": "so"})


def test_two_objects_that_overlap_stay_two():
    front, back = {**BOX, "left": 0, "width": 60}, {**BOX, "uuid": "2", "left": 10, "width": 60}
    attempts = [{"annotations": order} for order in ([front, back], [back, front], [front, back])]
    result = IMAGE.combine(SIZED, attempts)
    assert result == attempts[0]


def test_where_nobody_agrees_the_most_typical_response_stands_and_is_doubtful():
    apart = [{"annotations": [{**BOX, "left": left, "width": 20}]} for left in (0, 40, 80)]
    outcome = IMAGE.consensus(SIZED, apart, Plain(3))
    assert outcome.response == apart[0]
    assert outcome.agreement == 0.0
    assert outcome.confidence < 0.5


def test_many_annotations_are_combined_in_bounded_time():
    crowd = {"annotations": [{**BOX, "uuid": str(i), "left": i % 50, "width": 9} for i in range(2_000)]}
    assert IMAGE.combine(SIZED, [crowd, crowd, crowd]) == crowd


ROAD = {"attachment": "https://example.com/a", "labels": ["road", "sky"], "image_size": {"width": 3, "height": 2}}


def mask(*counts: int, size: tuple[int, int] = (2, 3), label: str = "road") -> dict[str, Any]:
    return {"annotations": [{"uuid": "1", "label": label, "rle": {"size": list(size), "counts": list(counts)}}]}


def test_run_lengths_add_up_to_the_image():
    assert MASKS.check_response(ROAD, mask(1, 5)) == mask(1, 5)
    assert "add up to 5 pixels" in refusal(MASKS.check_response, ROAD, mask(1, 4))
    assert "rle.counts[0]: -1" in refusal(MASKS.check_response, ROAD, mask(-1, 7))
    assert "rle.size: is [3, 2]" in refusal(MASKS.check_response, ROAD, mask(1, 5, size=(3, 2)))
    assert "label: 'tree'" in refusal(MASKS.check_response, ROAD, mask(1, 5, label="tree"))


def test_labels_of_instances_are_labels_too():
    both = {**ROAD, "instance_labels": ["tree", {"choice": "vehicle", "subchoices": ["car"]}]}
    MASKS.check_params(both)
    for label in ("tree", "car", "road"):
        assert MASKS.check_response(both, mask(1, 5, label=label)) == mask(1, 5, label=label)
    assert "label: 'shed'" in refusal(MASKS.check_response, both, mask(1, 5, label="shed"))
    twice = {**ROAD, "instance_labels": ["tree", " road"]}
    assert "instance_labels: ' road' is one of labels, too" in refusal(MASKS.check_params, twice)
    assert "is the same as" in refusal(MASKS.check_params, {**ROAD, "instance_labels": ["tree", "tree"]})


def spelled_out(text: str, height: int, width: int) -> list[int]:
    given_mask = {"uuid": "1", "label": "road", "rle": {"size": [height, width], "counts": text}}
    unsized = {**ROAD, "image_size": None}
    return MASKS.check_response(unsized, {"annotations": [given_mask]})["annotations"][0]["rle"]["counts"]


def compressed(counts: list[int]) -> str:
    """As COCO's own tools write them: differences from the third on, five bits to a character."""
    text = ""
    for index, count in enumerate(counts):
        rest, more = count - counts[index - 2] if index > 2 else count, True
        while more:
            group, rest = rest & 31, rest >> 5
            more = rest != (-1 if group & 16 else 0)
            text += chr(group + (32 if more else 0) + 48)
    return text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=12).filter(lambda counts: any(counts[1::2])))
def test_compressed_run_lengths_are_spelled_out(counts):
    width = next(side for side in range(max(1, sum(counts) // 90_000), sum(counts) + 1) if sum(counts) % side == 0)
    if max(width, sum(counts) // width) <= 100_000:  # the most that a mask may have on a side
        assert spelled_out(compressed(counts), sum(counts) // width, width) == counts


@pytest.mark.parametrize("wrong", ["~", "P", "11111", "\u00e9", "", "oooooooooo0", "oo", 5, None])
def test_run_lengths_that_cannot_be_read_are_refused(wrong):
    assert "rle.counts" in refusal(spelled_out, wrong, 2, 3)


def test_the_pixels_that_more_than_half_give_an_object_are_the_result():
    masks = [mask(0, 4, 2), mask(0, 5, 1), mask(0, 6)]
    assert MASKS.combine(ROAD, masks) == masks[1]
    wide = {**ROAD, "image_size": {"width": 10, "height": 1}}
    masks = [mask(*counts, size=(1, 10)) for counts in ((0, 6, 4), (2, 6, 2), (1, 8, 1))]
    assert MASKS.combine(wide, masks) == mask(1, 7, 2, size=(1, 10))  # as nobody has drawn it


def test_a_block_has_a_page_a_place_and_a_text():
    good = BLOCKS.example_response["annotations"][0]
    for name, wrong in {"page": -1, "text": None, "type": "word", "label": "x", "width": 0}.items():
        bad = {"annotations": [{**good, name: wrong}]}
        assert f"response.annotations[0].{name}: " in refusal(BLOCKS.check_response, BLOCKS.example_params, bad)
    plain = {"attachment": "https://example.com/a", "labels": ["heading"]}
    BLOCKS.check_params(plain)
    assert refusal(BLOCKS.check_params, {"attachment": "https://example.com/a"}) == "features: is required (or labels)"


def test_frames_come_in_order_and_exist():
    def tracked(*keys: Any) -> dict[str, Any]:
        frames = [{"key": key, "left": 1, "top": 1, "width": 5, "height": 5} for key in keys]
        track = {"uuid": "1", "label": "cyclist", "type": "box", "frames": frames}
        return VIDEO.check_response(VIDEO.example_params, {"annotations": [track]})

    assert tracked(0, 2)
    path = "response.annotations[0].frames"
    assert refusal(tracked, 1, 1) == f"{path}[1].key: 1 does not come after 1"
    assert refusal(tracked, 0, 3) == f"{path}[1].key: 3 is more than 2"  # there are three frames
    for wrong in (-1, 0.5, True, "0"):
        assert refusal(tracked, wrong).startswith(f"{path}[0].key: ")
    assert refusal(tracked).startswith(f"{path}: needs at least 1")


def test_times_lie_within_the_video():
    def event(start_s: Any, end_s: Any) -> dict[str, Any]:
        given_event = {"uuid": "1", "label": "left turn", "start_s": start_s, "end_s": end_s}
        return PLAYBACK.check_response(PLAYBACK.example_params, {"annotations": [given_event]})

    assert event(0, 60)
    assert "end_s: 61 is more than 60" in refusal(event, 0, 61)
    assert "end_s: 5 is not after the start 5" in refusal(event, 5, 5)
    assert "start_s: -1" in refusal(event, -1, 5)


def test_playback_labels_come_from_wherever_they_are_given():
    for given_labels in (
        {"labels": ["a"]},
        {"events": ["a"]},
        {"events_to_annotate": ["a"]},
        {"objects_to_annotate": ["a"]},
        {"geometries": {"box": {"objects_to_annotate": ["a"]}}},
    ):
        params = {"attachment": "https://example.com/v.mp4", **given_labels}
        PLAYBACK.check_params(params)
        assert PLAYBACK.sample_response(params)["annotations"][0]["label"] == "a"
    assert refusal(PLAYBACK.check_params, {"attachment": "https://example.com/v.mp4"}).startswith("labels: is required")


def blocks(*texts: str, left: int = 80) -> list[dict[str, Any]]:
    block = {**BLOCKS.example_response["annotations"][0], "left": left}
    return [{"annotations": [{**block, "text": text, "left": left + index}]} for index, text in enumerate(texts)]


def test_blocks_lie_in_the_middle_and_say_what_most_have_read():
    said = blocks("Notice of meeting", "Notice of meating", "Notice of meeting")
    assert BLOCKS.combine(BLOCKS.example_params, said)["annotations"] == [
        {**said[0]["annotations"][0], "left": 81, "text": "Notice of meeting"}
    ]
    elsewhere = {"annotations": [{**said[0]["annotations"][0], "page": 1}]}
    assert BLOCKS.similarity(BLOCKS.example_params, said[0], elsewhere) == 0.0


def test_tracks_are_joined_frame_by_frame():
    def track(*lefts: float | None) -> dict[str, Any]:
        shown = [(key, left) for key, left in enumerate(lefts) if left is not None]
        frames = [{"key": key, "left": left, "top": 40, "width": 60, "height": 120} for key, left in shown]
        return {"annotations": [{"uuid": "1", "label": "cyclist", "type": "box", "frames": frames}]}

    params = VIDEO.example_params
    said = [track(10, 20, None), track(12, 22, 30), track(11, 26, None)]
    assert VIDEO.combine(params, said) == track(11, 22, None)
    assert VIDEO.similarity(params, track(10, 20, 30), track(10, 20, None)) == pytest.approx(2 / 3)
    assert VIDEO.similarity(params, track(10, None, None), track(None, 10, None)) == 0.0


def test_a_track_is_like_itself_even_on_none_of_the_frames_that_are_compared():
    def tracks(keys: range, start: int) -> list[dict[str, Any]]:
        shape = {"top": 1, "width": 5, "height": 5}
        return [
            {"uuid": f"{start} {key}", "label": "a", "type": "box", "frames": [{"key": key, "left": key % 90, **shape}]}
            for key in keys
        ]

    params = {"attachment": "https://example.com/v.mp4", "geometries": {"box": {"objects_to_annotate": ["a"]}}}
    one = VIDEO.check_response(params, {"annotations": tracks(range(150), 1)})
    other = VIDEO.check_response(params, {"annotations": tracks(range(150), 2)[::-1]})
    assert VIDEO.score(params, one, other) == 1.0


def test_stretches_of_time_start_and_end_at_the_median():
    def event(start_s: float, end_s: float, signalled: bool) -> dict[str, Any]:
        given_event = {"uuid": "1", "label": "left turn", "start_s": start_s, "end_s": end_s}
        return {"annotations": [{**given_event, "attributes": {"signalled": signalled}}]}

    said = [event(10, 20, True), event(11, 21, False), event(9, 26, True)]
    assert PLAYBACK.combine(PLAYBACK.example_params, said) == event(10, 21, True)


def test_what_is_looked_at_is_bounded_however_much_there_is(monkeypatch):
    looked_at = 0
    overlaps = geometry.overlaps

    def counting(one: Any, other: Any) -> Any:
        nonlocal looked_at
        looked_at += len(one)
        return overlaps(one, other)

    monkeypatch.setattr(geometry, "overlaps", counting)
    chance = random.Random(3)
    params = {"attachment": "https://example.com/a", "objects_to_annotate": ["a", "b"]}
    size, attempts = 1_000, 6

    def scattered() -> dict[str, Any]:
        places = [{"left": chance.uniform(0, 200), "top": chance.uniform(0, 200)} for _ in range(size)]
        box = {"type": "box", "width": 30, "height": 30}
        return {"annotations": [{**box, **at, "uuid": str(i), "label": "ab"[i % 2]} for i, at in enumerate(places)]}

    outcome = TYPES["annotation"].consensus(params, [scattered() for _ in range(attempts)], Plain(attempts))
    assert 0 <= outcome.confidence < 0.9
    # each attempt with each, with what is found, and anew; never each object with each, which would be 15,000,000
    assert looked_at < 24 * size * attempts * 2 * attempts


def test_weights_tell_whose_drawing_counts():
    boxes = [{"annotations": [{**BOX, "left": left, "width": 40}]} for left in (10, 12, 60)]

    class Weighing(Plain):
        def weights(self) -> list[float]:
            return [0.1, 0.1, 0.9]

    assert IMAGE.consensus(SIZED, boxes, Weighing(3)).response == boxes[2]


TURNING = {
    "attachment": "a.jpg",
    "image_width": 200,
    "image_height": 200,
    "geometries": {"box": {"objects_to_annotate": ["ship"], "can_rotate": True}},
}


def ship(**shape):
    box = {"uuid": "1", "label": "ship", "type": "box", "left": 80, "top": 40, "width": 40, "height": 120, **shape}
    return {"annotations": [box]}


def test_boxes_are_turned_only_where_the_task_lets_them():
    drawing = TYPES["imageannotation"]
    turned = drawing.check_response(TURNING, ship(rotation=-30))
    assert turned["annotations"][0]["rotation"] == 330
    assert "rotation" not in drawing.check_response(TURNING, ship(rotation=360))["annotations"][0]
    upright = {**TURNING, "geometries": {"box": {"objects_to_annotate": ["ship"]}}}
    with pytest.raises(BadInput, match=r"annotations\[0\]\.rotation: is for tasks with can_rotate"):
        drawing.check_response(upright, ship(rotation=10))
    assert drawing.check_response({**upright, "can_rotate": True}, ship(rotation=10))
    with pytest.raises(BadInput, match="outside the image"):
        drawing.check_response(TURNING, ship(left=0, rotation=90))


def test_turned_boxes_are_compared_as_they_lie_and_joined_by_medians():
    drawing = TYPES["imageannotation"]
    said = [drawing.check_response(TURNING, ship(rotation=each)) for each in (350, 0, 10, 190, 90)]
    assert drawing.similarity(TURNING, said[2], said[3]) == pytest.approx(1, abs=0.02)
    assert drawing.similarity(TURNING, said[1], said[4]) == 0
    assert 0.5 < drawing.similarity(TURNING, said[0], said[2]) < 0.9
    result = drawing.combine(TURNING, said[:3])["annotations"][0]
    assert result.get("rotation", 0) == 0
    assert drawing.check_response(TURNING, drawing.combine(TURNING, said)) == drawing.combine(TURNING, said)
