"""Categories, comparisons, forms and fields."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.kit.errors import BadInput
from refonte_studio.tasks.types import TYPES

CATEGORIZATION = TYPES["categorization"]
COMPARISON = TYPES["comparison"]
FORM = TYPES["textcollection"]
TRANSCRIPTION = TYPES["transcription"]
COLLECTION = TYPES["datacollection"]

ANIMALS = {"attachment": "a.jpg", "categories": ["cat", "dog", "cow"]}
MANY = {**ANIMALS, "allow_multiple": True}


def refusal(action: Any, *args: Any) -> str:
    with pytest.raises(BadInput) as refused:
        action(*args)
    return refused.value.message


def form(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"fields": [{"title": "?", **field} for field in fields]}


def entry(field_id: str, kind: str, *values: Any) -> dict[str, Any]:
    return {field_id: {"type": kind, "field_id": field_id, "response": [list(values)]}}


def answer(params: dict[str, Any], *entries: dict[str, Any]) -> dict[str, Any]:
    joined = {name: value for each in entries for name, value in each.items()}
    return FORM.check_response(params, {"annotations": joined})["annotations"]


def test_a_category_is_one_of_those_given():
    assert CATEGORIZATION.check_response(ANIMALS, {"category": "dog"}) == {"category": "dog"}
    assert refusal(CATEGORIZATION.check_response, ANIMALS, {"category": "dgo"}) == (
        "response.category: 'dgo' is not one of 'cat', 'dog', 'cow'"
    )


def test_one_category_and_several_are_told_apart():
    assert "takes one category" in refusal(CATEGORIZATION.check_response, ANIMALS, {"categories": ["cat"]})
    assert "takes several" in refusal(CATEGORIZATION.check_response, MANY, {"category": "cat"})


def test_several_categories_are_unique_and_not_none():
    assert CATEGORIZATION.check_response(MANY, {"categories": ["dog", "cat"]}) == {"categories": ["dog", "cat"]}
    assert "twice" in refusal(CATEGORIZATION.check_response, MANY, {"categories": ["dog", "dog"]})
    assert "at least 1" in refusal(CATEGORIZATION.check_response, MANY, {"categories": []})
    optional = {**MANY, "required": False}
    assert CATEGORIZATION.check_response(optional, {"categories": []}) == {"categories": []}


def test_nested_categories_are_categories_at_every_level():
    nested = {"text": "t", "categories": [{"label": "Pets", "value": "pet", "subchoices": ["cat"]}, {"name": "cow"}]}
    CATEGORIZATION.check_params(nested)
    for name in ("pet", "cat", "cow"):
        assert CATEGORIZATION.check_response(nested, {"category": name}) == {"category": name}


def test_one_taxonomy_stands_for_categories_and_two_are_refused():
    one = {"attachment": "a", "taxonomies": {"kind": {"choices": ["cat", "dog"], "allow_multiple": True}}}
    CATEGORIZATION.check_params(one)
    assert CATEGORIZATION.check_response(one, {"categories": ["cat"]}) == {"categories": ["cat"]}
    two = {"attachment": "a", "taxonomies": {"kind": {"choices": ["cat"]}, "size": {"choices": ["big"]}}}
    assert "taxonomies" in refusal(CATEGORIZATION.check_params, two)


def test_something_to_categorize_is_needed():
    assert "attachment" in refusal(CATEGORIZATION.check_params, {"categories": ["a"]})
    for thing in ({"text": "t"}, {"attachment": "a"}, {"attachments": ["a", {"type": "text", "content": "b"}]}):
        CATEGORIZATION.check_params({"categories": ["a"], **thing})


def test_the_most_votes_win_and_a_tie_goes_to_the_first():
    def result(*said: str) -> str:
        return CATEGORIZATION.combine(ANIMALS, [{"category": each} for each in said])["category"]

    assert result("cat", "dog", "dog") == "dog"
    assert result("dog", "cat", "cat", "dog") == "dog"


def test_of_several_categories_those_of_more_than_half_are_kept():
    def result(*said: list[str]) -> list[str]:
        return CATEGORIZATION.combine(MANY, [{"categories": each} for each in said])["categories"]

    assert result(["cat", "cow"], ["cow"], ["dog", "cow", "cat"]) == ["cat", "cow"]
    assert result(["cat"], ["dog"], ["cow"]) == ["cat"]  # nothing agreed: the most votes, first of equals


@settings(max_examples=50, deadline=None)
@given(said=st.lists(st.sampled_from("abc"), min_size=1, max_size=7), names=st.permutations("abc"))
def test_renaming_the_categories_renames_the_result(said, names):
    params = {"attachment": "x", "categories": list("abc")}
    new = dict(zip("abc", names, strict=True))
    result = CATEGORIZATION.combine(params, [{"category": each} for each in said])
    renamed = CATEGORIZATION.combine(params, [{"category": new[each]} for each in said])
    assert renamed == {"category": new[result["category"]]}


def test_a_comparison_needs_choices():
    assert refusal(COMPARISON.check_params, {"attachments": ["a", "b"]}) == "choices: is required"
    assert "not one of" in refusal(COMPARISON.check_response, COMPARISON.example_params, {"choice": "maybe"})


def test_the_form_of_the_client_library_is_taken():
    params = form({"field_id": "answer_reasonable", "type": "category", "choices": [{"label": "No", "value": "no"}]})
    assert answer(params, entry("answer_reasonable", "category", "no"))["answer_reasonable"]["response"] == [["no"]]


def test_a_field_has_its_own_id_and_type():
    params = form({"field_id": "a", "type": "text"})
    for key, wrong in (("type", "number"), ("field_id", "b")):
        given_entry = {**entry("a", "text", "x")["a"], key: wrong}
        assert f"response.annotations.a.{key}" in refusal(answer, params, {"a": given_entry})
    assert "response.annotations.b" in refusal(answer, params, entry("b", "text", "x"))


def test_required_fields_are_answered_and_others_may_stay_open():
    params = form({"field_id": "a", "type": "text", "required": True}, {"field_id": "b", "type": "text"})
    assert refusal(answer, params) == "response.annotations.a: is required"
    assert "blank" in refusal(answer, params, entry("a", "text", "  "))
    assert list(answer(params, entry("a", "text", "x"), entry("b", "text"))) == ["a"]
    conditional = form({"field_id": "a", "type": "text", "required": True, "conditions": [{"b": ["yes"]}]})
    assert answer(conditional) == {}


@pytest.mark.parametrize(
    ("kind", "more", "good", "bad"),
    [
        ("number", {"min": 1, "max": 5}, [1, 5, 2.5, "3"], [0, 5.1, True, "three", None, float("inf"), 10**400]),
        ("integer", {}, [3, -2, "4"], [2.5, "2.5"]),
        ("rating", {}, [1, 5], [0, 6]),
        ("boolean", {}, [True, False], ["yes", 1, None]),
        ("date", {}, ["2024-02-29"], ["2023-02-29", "yesterday", 20240229]),
        ("datetime", {}, ["2024-02-29T10:00:00", "2024-02-29"], ["10 o'clock"]),
        ("category", {"choices": ["a", 1, False]}, ["a", 1, False], ["b", True, 0, "1", ["a"], {}]),
        ("text", {}, ["x", ""], [1, None, "x" * 100_001]),
    ],
)
def test_the_values_of_a_field_are_of_its_type(kind, more, good, bad):
    params = form({"field_id": "f", "type": kind, **more})
    FORM.check_params(params)
    for value in good:
        assert len(answer(params, entry("f", kind, value))["f"]["response"][0]) == 1
    for value in bad:
        assert "response.annotations.f.response[0][0]" in refusal(answer, params, entry("f", kind, value))


def test_only_the_last_level_of_nested_choices_can_be_chosen():
    music = [{"label": "Soul", "value": "soul", "subchoices": [{"label": "Funk", "value": "funk"}]}]
    params = form({"field_id": "f", "type": "category", "choices": music})
    assert answer(params, entry("f", "category", "funk"))
    assert "not one of 'funk'" in refusal(answer, params, entry("f", "category", "soul"))


def test_as_many_choices_as_the_field_allows():
    params = form({"field_id": "f", "type": "category", "choices": list("abc"), "min_choices": 2, "max_choices": 2})
    assert answer(params, entry("f", "category", "a", "c"))
    for values in ("a", "abc", "aa"):
        assert "response.annotations.f" in refusal(answer, params, entry("f", "category", *values))


def test_a_ranking_names_every_choice_once():
    params = form({"field_id": "f", "type": "ranking", "choices": list("abc")})
    assert answer(params, entry("f", "ranking", "c", "a", "b"))
    for values in ("ab", "aab"):
        assert "response.annotations.f" in refusal(answer, params, entry("f", "ranking", *values))


def test_a_field_may_be_answered_more_than_once_if_it_says_so():
    params = form({"field_id": "f", "type": "text", "max_responses_required": 2, "min_responses_required": 1})
    twice = {"f": {"type": "text", "field_id": "f", "response": [["x"], ["y"]]}}
    assert answer(params, twice) == twice
    thrice = {"f": {"type": "text", "field_id": "f", "response": [["x"], ["y"], ["z"]]}}
    assert "at most 2" in refusal(answer, params, thrice)


def test_a_set_of_fields_is_answered_by_an_object():
    inner = [{"field_id": "first", "type": "text", "required": True}, {"field_id": "age", "type": "number"}]
    params = form({"field_id": "who", "type": "field_set", "fields": inner})
    FORM.check_params(params)
    assert answer(params, entry("who", "field_set", {"first": ["Ada"]}))["who"]["response"] == [[{"first": ["Ada"]}]]
    assert "first: is required" in refusal(answer, params, entry("who", "field_set", {"age": [3]}))
    sample = FORM.sample_response(params)
    assert FORM.check_response(params, sample) == sample


def test_fields_are_defined_once_and_completely():
    text = {"field_id": "a", "type": "text"}
    assert "used twice" in refusal(FORM.check_params, form(text, text))
    assert refusal(FORM.check_params, form({"field_id": "a"})) == "fields[0].type: is required"
    assert "fields[0].type" in refusal(FORM.check_params, form({"field_id": "a", "type": "telepathy"}))
    assert refusal(FORM.check_params, form({"field_id": "a", "type": "category"})) == "fields[0].choices: is required"
    assert "fields[0].max" in refusal(FORM.check_params, form({"field_id": "a", "type": "number", "min": 2, "max": 1}))


def test_a_form_is_combined_field_by_field():
    params = FORM.example_params
    responses = [
        {"annotations": {**entry("answer_reasonable", "category", yes), **more}}
        for yes, more in [
            ("yes", entry("reason", "text", "it is quite clear")),
            ("no", entry("reason", "text", "it is clear")),
            ("no", {**entry("reason", "text", "it was clear"), **entry("confidence", "number", 3)}),
        ]
    ]
    combined = FORM.combine(params, responses)["annotations"]
    assert combined["answer_reasonable"]["response"] == [["no"]]
    assert combined["reason"]["response"] == [["it is clear"]]  # no two agree: the most like the others
    assert "confidence" not in combined  # two of three left it open


def test_fields_by_name_and_fields_as_objects_ask_the_same():
    by_name = {"attachment": "a", "fields": {"title": "The title"}}
    as_objects = {"attachment": "a", "fields": [{"field_id": "title", "title": "The title"}]}
    for params in (by_name, as_objects, {"attachment": "a", "fields": ["title"]}):
        TRANSCRIPTION.check_params(params)
        assert TRANSCRIPTION.check_response(params, {"fields": {"title": "x"}}) == {"fields": {"title": "x"}}
        assert refusal(TRANSCRIPTION.check_response, params, {"fields": {}}) == "response.fields.title: is required"
        assert "response.fields.other" in refusal(TRANSCRIPTION.check_response, params, {"fields": {"other": "x"}})


def test_repeating_fields_come_in_rows():
    params = TRANSCRIPTION.example_params
    fields = {"title": "t", "currency": "EUR"}
    assert "repeatable_fields[1].dish: is required" in refusal(
        TRANSCRIPTION.check_response, params, {"fields": fields, "repeatable_fields": [{"dish": "x"}, {"price": 1}]}
    )
    only_rows = {"attachment": "a", "repeatable_fields": {"dish": "A dish"}}
    TRANSCRIPTION.check_params(only_rows)
    assert TRANSCRIPTION.check_response(only_rows, {"fields": {}, "repeatable_fields": []})
    none = {"attachment": "a", "fields": ["title"]}
    rows = {"fields": {"title": "t"}, "repeatable_fields": [{"dish": "x"}]}
    assert "not asked for" in refusal(TRANSCRIPTION.check_response, none, rows)


def test_rows_that_more_than_half_agree_on_are_the_result():
    params = {"attachment": "a", "repeatable_fields": {"dish": "A dish"}}
    menus = [{"fields": {}, "repeatable_fields": [{"dish": each} for each in order]} for order in ("ab", "ba", "ba")]
    assert TRANSCRIPTION.combine(params, menus) == menus[1]


def test_a_collection_needs_no_attachment_and_a_transcription_does():
    COLLECTION.check_params({"fields": ["phone"]})
    assert "attachment" in refusal(TRANSCRIPTION.check_params, {"fields": ["phone"]})
    assert refusal(COLLECTION.check_params, {}) == "fields: is required"
