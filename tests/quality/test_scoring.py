"""Scores of attempts when the expected response is known."""

from typing import Any

import pytest

from refonte_studio.task_types import TYPES

BOX = {"uuid": "1", "type": "box", "label": "cat", "left": 10, "top": 20, "width": 30, "height": 40}
LINE = {"uuid": "1", "type": "line", "label": "lane", "vertices": [{"x": 0, "y": 0}, {"x": 300, "y": 400}]}
TEXT = "Ana Rome"
SPANS = [
    {"id": "1", "label": "who", "start": 0, "end": 3, "text": "Ana"},
    {"id": "2", "label": "where", "start": 4, "end": 8, "text": "Rome"},
]
IN = {"from": "1", "to": "2", "label": "in"}
PARAMS: dict[str, dict[str, Any]] = {
    "categorization": {"text": "t", "categories": ["cat", "dog", "a", "b", "c"]},
    "annotation": {"attachment": "https://example.com/a", "objects_to_annotate": ["cat", "dog"]},
    "imageannotation": {
        "attachment": "https://example.com/a",
        "geometries": {"box": {"objects_to_annotate": ["cat", "dog"]}, "line": {"objects_to_annotate": ["lane"]}},
        "annotation_attributes": {"colour": {"choices": ["red", "blue"]}, "old": {"type": "boolean"}},
    },
    "namedentityrecognition": {"text": TEXT, "labels": ["who", "where"]},
    "transcription": {"attachment": "https://example.com/a", "fields": ["id", "name"], "repeatable_fields": ["dish"]},
    "textcollection": {
        "fields": [
            {"field_id": "id", "type": "text"},
            {"field_id": "ok", "type": "boolean"},
            {"field_id": "stars", "type": "rating"},
            {"field_id": "price", "type": "number"},
            {"field_id": "order", "type": "ranking", "choices": list("abc")},
            {"field_id": "when", "type": "date"},
            {"field_id": "turn", "type": "angle"},
            {"field_id": "signs", "type": "checkbox", "choices": list("abc")},
        ]
    },
    "videoplaybackannotation": {"attachment": "https://example.com/v", "labels": ["turn"]},
}


def score(name: str, expected: dict[str, Any], response: dict[str, Any]) -> float:
    task_type, params = TYPES[name], PARAMS[name]
    task_type.check_params(params)
    return task_type.score(params, *(task_type.check_response(params, each) for each in (expected, response)))


def drawn(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {"annotations": [{**each, "uuid": str(index)} for index, each in enumerate(annotations)]}


def form(**answers: Any) -> dict[str, Any]:
    kinds = {field["field_id"]: field["type"] for field in PARAMS["textcollection"]["fields"]}
    return {
        "annotations": {
            name: {"type": kinds[name], "field_id": name, "response": [value if isinstance(value, list) else [value]]}
            for name, value in answers.items()
        }
    }


SAME = [
    ("categorization", {"category": "cat"}, {"category": "cat"}),
    ("annotation", drawn(BOX), {"annotations": [{**BOX, "uuid": "2", "left": 10.0}]}),
    ("annotation", drawn(BOX, {**BOX, "left": 500}), drawn({**BOX, "left": 500}, BOX)),
    ("annotation", drawn(), drawn()),
    ("namedentityrecognition", {"annotations": SPANS}, {"annotations": SPANS[::-1], "relations": []}),
    (
        "namedentityrecognition",
        {"annotations": SPANS, "relations": [IN]},
        {
            "annotations": [{**SPANS[0], "id": "x"}, {**SPANS[1], "id": "y"}],
            "relations": [{"from": "x", "to": "y", "label": "in"}],
        },
    ),
    (
        "transcription",
        {"fields": {"id": "A 1", "name": "x"}, "repeatable_fields": [{"dish": "Soup"}, {"dish": 2}]},
        {"fields": {"id": "a  1", "name": "x"}, "repeatable_fields": [{"dish": 2.0}, {"dish": "soup"}]},
    ),
    ("textcollection", form(signs=["a", "b"], price=2), form(signs=["b", "a"], price=2.0)),
    ("textcollection", form(), form()),
]
DIFFERENT = [
    ("categorization", {"category": "cat"}, {"category": "dog"}),
    ("annotation", drawn(BOX), drawn({**BOX, "label": "dog"})),
    ("annotation", drawn(BOX), drawn({**BOX, "left": 500})),
    ("annotation", drawn(BOX), drawn()),
    ("imageannotation", drawn(LINE), drawn({**LINE, "vertices": LINE["vertices"][::-1]})),
    ("namedentityrecognition", {"annotations": SPANS[:1]}, {"annotations": [{**SPANS[0], "label": "where"}]}),
    ("textcollection", form(id="yes"), form(id="no")),
    ("textcollection", form(ok=True), form(ok=False)),
    ("textcollection", form(ok=True), form()),
    ("textcollection", form(order=list("abc")), form(order=list("cba"))),
    ("textcollection", form(when="2024-02-01"), form(when="2024-02-02")),
    ("textcollection", form(stars=1), form(stars=5)),
    ("textcollection", form(price=100), form(price=120)),
]


@pytest.mark.parametrize(("name", "expected", "response"), SAME)
def test_the_same_said_otherwise_is_right(name: str, expected: dict[str, Any], response: dict[str, Any]):
    assert score(name, expected, response) == 1.0
    assert score(name, response, expected) == 1.0


@pytest.mark.parametrize(("name", "expected", "response"), DIFFERENT)
def test_what_has_nothing_in_common_is_wrong(name: str, expected: dict[str, Any], response: dict[str, Any]):
    assert score(name, expected, response) == 0.0
    assert score(name, response, expected) == 0.0


@pytest.mark.parametrize(
    ("name", "expected", "response", "worth"),
    [
        ("annotation", drawn(BOX), drawn({**BOX, "left": 11}), 29 / 31),  # by intersection over union
        ("annotation", drawn(BOX), drawn(BOX, {**BOX, "left": 500}), 2 / 3),  # one too many
        ("annotation", drawn(BOX, {**BOX, "left": 500}), drawn(BOX), 2 / 3),  # one too few
        ("imageannotation", drawn(BOX), drawn({**BOX, "attributes": {"old": True}}), 1 / 2),
        (
            "imageannotation",
            drawn({**BOX, "attributes": {"old": True, "colour": "red"}}),
            drawn({**BOX, "attributes": {"old": True, "colour": "blue"}}),
            3 / 4,
        ),
        ("namedentityrecognition", {"annotations": SPANS}, {"annotations": SPANS[:1]}, 6 / 10),  # by characters
        (
            "namedentityrecognition",
            {"annotations": SPANS, "relations": [IN]},
            {"annotations": SPANS, "relations": [{**IN, "from": "2", "to": "1"}]},
            1 / 2,
        ),
        (
            "transcription",
            {"fields": {"id": "A1", "name": "Ana"}},
            {"fields": {"id": "A1", "name": "Ann"}},
            (1 + 2 / 3) / 2,
        ),
        (
            "transcription",
            {"fields": {"id": "1", "name": "x"}, "repeatable_fields": [{"dish": "Soup"}, {"dish": "Bread"}]},
            {"fields": {"id": "1", "name": "x"}, "repeatable_fields": [{"dish": "Bread"}]},
            (1 + 1 + 2 / 3) / 3,
        ),
        ("textcollection", form(ok=True, id="a"), form(ok=True), 1 / 2),
        ("textcollection", form(stars=4), form(stars=5), 1 / 2),  # half of the range is nothing
        ("textcollection", form(price=100), form(price=99), 0.9),  # without a range, a tenth is nothing
        ("textcollection", form(order=list("abc")), form(order=list("acb")), 2 / 3),  # Kendall's tau
        ("textcollection", form(turn=350), form(turn=8), 0.8),  # 18 of 90 degrees
        ("textcollection", form(signs=["a", "b"]), form(signs=["b", "c"]), 1 / 2),  # F1
        (
            "videoplaybackannotation",
            {"annotations": [{"uuid": "1", "label": "turn", "start_s": 0, "end_s": 10}]},
            {"annotations": [{"uuid": "1", "label": "turn", "start_s": 1, "end_s": 10}]},
            0.9,
        ),
    ],
)
def test_what_is_nearly_right_is_worth_something(name, expected, response, worth):
    assert score(name, expected, response) == pytest.approx(worth)
    assert score(name, response, expected) == pytest.approx(worth)


def test_of_several_categories_a_part_counts():
    several = {**PARAMS["categorization"], "allow_multiple": True}
    expected, response = {"categories": ["a", "b"]}, {"categories": ["b", "c"]}
    assert TYPES["categorization"].score(several, expected, response) == 0.5
    assert TYPES["categorization"].score(several, expected, {"categories": ["b", "a"]}) == 1.0


def test_a_line_may_be_drawn_from_either_end_for_consensus_and_from_one_for_a_score():
    params, there = PARAMS["imageannotation"], drawn(LINE)
    back = drawn({**LINE, "vertices": LINE["vertices"][::-1]})
    assert TYPES["imageannotation"].similarity(params, there, back) == 1.0
    assert TYPES["imageannotation"].score(params, there, there) == 1.0


def test_a_crowd_of_objects_scores_one_against_itself_in_any_order():
    crowd = [{**BOX, "left": index % 40, "top": index % 7} for index in range(1_500)]
    assert score("annotation", drawn(*crowd), drawn(*crowd[::-1])) == 1.0
