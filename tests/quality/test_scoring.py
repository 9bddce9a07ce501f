"""What counts as the same answer."""

import pytest

from refonte_studio.quality import policy

BOX = {"type": "box", "label": "cat", "left": 1, "top": 2, "width": 3, "height": 4}
SPANS = [
    {"id": "1", "label": "who", "start": 0, "end": 3, "text": "Ana"},
    {"id": "2", "label": "where", "start": 4, "end": 8, "text": "Rome"},
]

SAME = [
    ({"category": "cat"}, {"category": "cat"}),
    ({"categories": ["a", "b"]}, {"categories": ["b", "a"]}),
    ({"annotations": [{**BOX, "uuid": "1"}]}, {"annotations": [{**BOX, "uuid": "2", "left": 1.0}]}),
    ({"annotations": SPANS}, {"annotations": SPANS[::-1], "relations": []}),
    (
        {"annotations": SPANS, "relations": [{"from": "1", "to": "2", "label": "in"}]},
        {
            "annotations": [{**SPANS[0], "id": "x"}, {**SPANS[1], "id": "y"}],
            "relations": [{"from": "x", "to": "y", "label": "in"}],
        },
    ),
]
DIFFERENT = [
    ({"category": "cat"}, {"category": "dog"}),
    ({"fields": {"id": "A1"}}, {"fields": {"id": "B2"}}),
    ({"annotations": [{**BOX, "uuid": "1"}]}, {"annotations": [{**BOX, "uuid": "1", "label": "dog"}]}),
    (
        {"annotations": SPANS, "relations": [{"from": "1", "to": "2", "label": "in"}]},
        {"annotations": SPANS, "relations": [{"from": "2", "to": "1", "label": "in"}]},
    ),
    (
        {"annotations": [{"type": "line", "label": "a", "vertices": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]}]},
        {"annotations": [{"type": "line", "label": "a", "vertices": [{"x": 1, "y": 1}, {"x": 0, "y": 0}]}]},
    ),
    (
        {"annotations": {"id": {"type": "text", "field_id": "id", "response": [["yes"]]}}},
        {"annotations": {"id": {"type": "text", "field_id": "id", "response": [["no"]]}}},
    ),
]


def score(expected: dict[str, object], response: dict[str, object]) -> float:
    return policy.score("", {}, expected, response)


@pytest.mark.parametrize(("expected", "response"), SAME)
def test_the_same_said_otherwise_is_right(expected: dict[str, object], response: dict[str, object]):
    assert score(expected, response) == 1.0
    assert score(response, expected) == 1.0


@pytest.mark.parametrize(("expected", "response"), DIFFERENT)
def test_anything_else_is_wrong(expected: dict[str, object], response: dict[str, object]):
    assert score(expected, response) == 0.0
    assert score(response, expected) == 0.0
