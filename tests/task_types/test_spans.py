"""Named entities and the relations between them."""

from typing import Any

import pytest

from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import TYPES

ENTITIES = TYPES["namedentityrecognition"]
TEXT = "Ada moved to Turin 🚲 with Bo."
PARAMS: dict[str, Any] = {
    "text": TEXT,
    "labels": ["person", {"name": "place", "children": ["city", "country"]}],
    "relationships": [
        {"name": "lives_in", "source_label": "person", "target_label": "place"},
        {"name": "knows"},
    ],
}


def refusal(action: Any, *args: Any) -> str:
    with pytest.raises(BadInput) as refused:
        action(*args)
    return refused.value.message


def span(id: str, label: str, word: str) -> dict[str, Any]:  # noqa: A002 - the field's name
    start = TEXT.index(word)
    return {"id": id, "label": label, "start": start, "end": start + len(word), "text": word}


ADA, TURIN, BO = span("1", "person", "Ada"), span("2", "city", "Turin"), span("3", "person", "Bo")
LIVES = {"from": "1", "to": "2", "label": "lives_in"}


def checked(*spans: dict[str, Any], **more: Any) -> dict[str, Any]:
    return ENTITIES.check_response(PARAMS, {"annotations": list(spans), **more})


def test_offsets_count_characters_beyond_the_basic_plane_as_one():
    assert checked(BO)["annotations"] == [BO]
    assert BO["start"] == 26
    assert "text: 'Bo' is not what stands from 27 to 29" in refusal(checked, {**BO, "start": 27, "end": 29})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"start": -1}, "start: -1 is less than 0"),
        ({"end": 0}, "end: 0 is not after the start 0"),
        ({"end": 1000}, "end: 1000 is beyond the text"),
        ({"start": True}, "start: true is not a whole number"),
        ({"text": "Bob"}, "text: 'Bob' is not what stands from 0 to 3"),
        ({"label": "dog"}, "label: 'dog' is not one of 'person', 'place', 'city', 'country'"),
        ({"id": ""}, "id: '' is blank"),
    ],
)
def test_a_span_lies_in_the_text_and_quotes_it(change, told):
    assert refusal(checked, {**ADA, **change}).startswith(f"response.annotations[0].{told}")


def test_spans_are_told_apart_by_id_and_place():
    assert "id: '1' is used twice" in refusal(checked, ADA, {**BO, "id": "1"})
    assert "marked twice" in refusal(checked, ADA, {**ADA, "id": "9"})


def test_overlap_is_refused_only_where_the_task_says_so():
    both = {"annotations": [span("1", "city", "Turin"), span("2", "place", "to Turin")]}
    assert ENTITIES.check_response(PARAMS, both)
    strict = {**PARAMS, "allow_overlapping_annotations": False}
    assert "overlaps" in refusal(ENTITIES.check_response, strict, both)


def test_relations_join_existing_spans_with_fitting_labels():
    assert checked(ADA, TURIN, relations=[LIVES])["relations"] == [LIVES]
    path = "response.relations[0]"
    assert f"{path}.to: '7' is not the id" in refusal(lambda: checked(ADA, relations=[{**LIVES, "to": "7"}]))
    hates = [{**LIVES, "label": "hates"}]
    assert f"{path}.label: 'hates' is not one of" in refusal(lambda: checked(ADA, TURIN, relations=hates))
    backwards = [{"from": "2", "to": "1", "label": "lives_in"}]
    assert "does not join" in refusal(lambda: checked(ADA, TURIN, relations=backwards))
    assert checked(ADA, BO, relations=[{"from": "1", "to": "3", "label": "knows"}])


def test_a_relation_between_unknown_labels_is_refused_at_creation():
    wrong = {**PARAMS, "relationships": [{"name": "eats", "source_label": "dog"}]}
    assert refusal(ENTITIES.check_params, wrong) == "relationships[0].source_label: 'dog' is not one of the labels"
    assert refusal(ENTITIES.check_params, {"labels": ["a"]}) == "text: is required"
    assert refusal(ENTITIES.check_params, {"labels": ["a"], "text": ""}) == "text: is empty"


def test_spans_and_relations_of_more_than_half_are_kept():
    responses = [
        checked(ADA, TURIN, relations=[LIVES]),
        checked({**TURIN, "id": "1"}, {**ADA, "id": "2"}, relations=[{"from": "2", "to": "1", "label": "lives_in"}]),
        checked(BO),
    ]
    combined = ENTITIES.combine(PARAMS, responses)
    assert combined == {"annotations": [ADA, TURIN], "relations": [LIVES]}


def test_clashing_ids_of_different_people_are_renamed():
    one, other = {**ADA, "id": "x"}, {**TURIN, "id": "x"}
    responses = [checked(one), checked(other), checked(one, {**TURIN, "id": "y"}), checked(other, {**ADA, "id": "z"})]
    combined = ENTITIES.combine(PARAMS, [*responses, checked(ADA, TURIN)])
    assert [each["id"] for each in combined["annotations"]] == ["x", "x-2"]
    assert ENTITIES.check_response(PARAMS, combined) == combined


def test_without_an_agreed_span_the_most_typical_response_stands():
    alone = [checked(ADA), checked(TURIN), checked(TURIN, {**BO, "id": "9"}), checked(span("5", "place", "moved"))]
    assert ENTITIES.combine(PARAMS, alone) == alone[1]
    assert ENTITIES.combine(PARAMS, [checked(), checked(), checked(ADA)]) == {"annotations": []}


def test_characters_are_voted_on_where_the_spans_differ():
    said = [span("1", "place", "to Turin"), span("1", "place", "Turin"), span("1", "place", "Turin 🚲")]
    result = ENTITIES.combine(PARAMS, [checked(each) for each in said])
    assert result == checked(said[1])
    halves = [span("1", "place", "moved to"), span("7", "place", "to Turin"), span("8", "place", "to")]
    assert ENTITIES.combine(PARAMS, [checked(halves[0]), checked(halves[1])]) == checked({**halves[2], "id": "1"})


def test_exact_spans_come_first_and_are_not_marked_again_beside_them():
    exact, wide = span("1", "place", "Turin"), span("1", "place", "to Turin")
    said = [checked(exact), checked(exact), checked(exact), checked(wide), checked(wide, BO)]
    assert ENTITIES.combine(PARAMS, said) == checked(exact)


def test_spans_that_must_not_overlap_do_not():
    strict = {**PARAMS, "allow_overlapping_annotations": False}
    said = [checked(span("1", "person", word)) for word in ("Ada moved", "Ada", "Ada moved to")]
    said += [checked(span("1", "city", word)) for word in ("moved to Turin", "to Turin", "moved to Turin")]
    result = ENTITIES.combine(strict, said)
    assert ENTITIES.check_response(strict, result) == result


def test_relations_follow_their_spans_where_those_were_voted_on():
    wide = span("2", "city", "Turin 🚲")
    said = [checked(ADA, each, relations=[LIVES]) for each in (wide, TURIN, span("2", "city", "to Turin"))]
    assert ENTITIES.combine(PARAMS, said) == {"annotations": [ADA, TURIN], "relations": [LIVES]}
