"""Categories, comparisons, forms and fields."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refonte_studio.consensus.judges import Plain
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import TYPES

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


BY_ID = {**ANIMALS, "category_ids": {"c-1": "cat", "7": "dog"}}


def test_a_category_may_be_named_by_the_id_that_the_task_gives_it():
    assert CATEGORIZATION.check_response(BY_ID, {"category_id": "c-1"}) == {"category": "cat"}
    assert CATEGORIZATION.check_response(BY_ID, {"category_id": 7}) == {"category": "dog"}
    assert CATEGORIZATION.check_response(BY_ID, {"category": "cow"}) == {"category": "cow"}
    several = {**BY_ID, "allow_multiple": True}
    assert CATEGORIZATION.check_response(several, {"category_ids": ["7", "c-1"]}) == {"categories": ["dog", "cat"]}


@pytest.mark.parametrize("ids", [["1", "2", "3"], [1, 2, 3], {"1": "cat", "2": "dog"}, {"cat": "1", "dog": 2}])
def test_ids_are_given_in_either_form(ids):
    params = {**ANIMALS, "category_ids": ids}
    CATEGORIZATION.check_params(params)
    assert CATEGORIZATION.check_response(params, {"category_id": "2"}) == {"category": "dog"}


def test_an_id_and_its_name_count_as_one_vote():
    said = [{"category": "dog"}, {"category_id": "c-1"}, {"category": "cat"}]
    responses = [CATEGORIZATION.check_response(BY_ID, each) for each in said]
    outcome = CATEGORIZATION.consensus(BY_ID, responses, Plain(3))
    assert outcome.response == {"category": "cat"}
    assert outcome.agreement == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("response", "told"),
    [
        ({"category_id": "9"}, "response.category_id: '9' is not one of the category_ids: 'c-1', '7'"),
        ({"category_id": None}, "response.category_id: null is not one of"),
        ({"category_id": 10**400}, "response.category_id: a huge number is not one of"),
        ({"category_id": "7", "category": "cat"}, "response.category: is not a field here"),
        ({"category_ids": ["7"]}, "takes one category"),
    ],
)
def test_an_id_that_does_not_fit_is_named(response, told):
    assert told in refusal(CATEGORIZATION.check_response, BY_ID, response)


def test_ids_of_a_task_without_any_are_refused():
    assert "the task has no category_ids" in refusal(CATEGORIZATION.check_response, ANIMALS, {"category_id": "1"})
    twice = [{**BY_ID, "allow_multiple": True}, {"category_ids": ["7", 7]}]
    assert "'dog' is named twice" in refusal(CATEGORIZATION.check_response, *twice)


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ({"1": "bird"}, "category_ids.1: 'bird' is not one of 'cat', 'dog', 'cow'"),
        (["1", "2"], "category_ids: has 2 ids, there are 3 categories"),
        (["1", "1", "2"], "category_ids[1]: '1' is the id of another category, too"),
        ([True, 1, 2], "category_ids[0]: true is not an id"),
    ],
)
def test_category_ids_are_checked_when_the_task_is_made(ids, told):
    assert told in refusal(CATEGORIZATION.check_params, {**ANIMALS, "category_ids": ids})


def test_a_comparison_takes_choices_or_fields():
    pair = {"attachments": ["a.jpg", "b.jpg"]}
    by_fields = {**pair, "fields": {"sharper": "Which one is sharper?"}}
    COMPARISON.check_params(by_fields)
    assert COMPARISON.check_response(by_fields, {"fields": {"sharper": "a"}}) == {"fields": {"sharper": "a"}}
    assert "choice: is not a field" in refusal(COMPARISON.check_response, by_fields, {"choice": "a", "fields": {}})
    assert refusal(COMPARISON.check_params, pair) == "choices: is required (or fields)"
    both = {**by_fields, "choices": ["a", "b"]}
    assert "cannot be given beside choices" in refusal(COMPARISON.check_params, both)


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
    assert refusal(COMPARISON.check_params, {"attachments": ["a", "b"]}) == "choices: is required (or fields)"
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
    assert refusal(COLLECTION.check_params, {}) == "fields: is required (or repeatable_fields)"


def asked(kind: str, *answers: Any, **more: Any) -> Any:
    """What several answers to one field of a form give; None where it stays open."""
    params = form({"field_id": "f", "type": kind, **more})
    FORM.check_params(params)
    said = [
        entry("f", kind, *(each if isinstance(each, list) else [each])) if each is not None else {} for each in answers
    ]
    result = FORM.combine(params, [{"annotations": answer(params, each)} for each in said])
    assert FORM.check_response(params, result) == result
    values = result["annotations"].get("f", {"response": [[None]]})["response"][0]
    return values if isinstance(next(each for each in answers if each is not None), list) else values[0]


@pytest.mark.parametrize(
    ("kind", "answers", "result"),
    [
        ("number", (5, 4, 1_000), 5),  # a slip of the finger does not count
        ("number", (6.5, 7), 6.75),
        ("number", (6, 8), 7),
        ("integer", (4, 3), 4),  # whole stays whole: of the two in the middle, the first
        ("rating", (2, 5, 4), 4),
        ("rating", (1, 2, 5, 4), 2),
        ("angle", (350, 10, 355), 355),  # around the circle
        ("date", ("2024-03-01", "2024-01-01", "2024-02-01"), "2024-02-01"),
        ("time", ("09:00", "10:30:00", "10:00"), "10:00"),
        (
            "datetime",
            ("2024-01-01T12:00:00", "2024-01-01T11:30:00+00:00", "2024-01-01T15:00:00+02:00"),
            "2024-01-01T12:00:00",
        ),
        ("boolean", (True, False, False), False),
        ("time_range", ([1, 9], [2, 5], [3, 6]), [2, 6]),
        ("text", ("Onion soup", "onion soup", "onion soup"), "onion soup"),
        ("text", (None, "x", None), None),
        ("text", (None, "x"), None),  # a tie goes to the first
        ("text", ("x", None), "x"),
    ],
)
def test_each_kind_of_answer_is_combined_in_its_way(kind: str, answers: tuple[Any, ...], result: Any):
    assert asked(kind, *answers) == result


def test_a_ranking_is_by_the_strength_of_who_precedes_whom():
    orders = [list("abcd"), list("bacd"), list("abdc")]
    assert asked("ranking", *orders, choices=list("abcd")) == list("abcd")
    assert asked("ranking", list("dcba"), *orders, choices=list("abcd")) == list("badc")  # ties: as the first


def test_of_several_choices_each_is_decided_on_within_the_limits():
    limits = {"choices": [*"abcd", 1, True], "min_choices": 2, "max_choices": 2}
    assert asked("checkbox", ["a", "b"], ["a", "c"], ["b", "a"], **limits) == ["a", "b"]
    assert asked("checkbox", ["a", "b"], ["c", "d"], ["c", "b"], **limits) == ["b", "c"]
    assert asked("checkbox", [1, "b"], [True, "d"], [True, "b"], **limits) == ["b", True]


def test_texts_far_apart_are_doubtful_and_one_typing_error_is_not():
    def confidence(*texts: str) -> float:
        params = form({"field_id": "f", "type": "text"})
        return FORM.consensus(
            params, [{"annotations": entry("f", "text", each)} for each in texts], Plain(3)
        ).confidence

    alike = confidence("the onion soup", "the onion soup", "the onion soup")
    slip = confidence("the onion soup", "the onion soop", "the onion soup")
    apart = confidence("the onion soup", "a glass of wine", "bread with 1 egg")
    assert alike > slip > 0.8
    assert apart < 0.6


def test_the_confidence_of_a_form_is_the_mean_over_what_anybody_answered():
    params = form(*({"field_id": name, "type": "boolean"} for name in "abc"))
    said = [
        {"annotations": {**entry("a", "boolean", True), **entry("b", "boolean", each)}} for each in (True, True, False)
    ]
    outcome = FORM.consensus(params, said, Plain(3))
    alike, apart = (Plain(3).decide("", votes, 2).confidence for votes in (["true"] * 3, ["true", "true", "false"]))
    assert outcome.confidence == pytest.approx((alike + apart) / 2)
    assert outcome.agreement == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_a_set_of_fields_is_combined_field_by_field():
    inner = [{"field_id": "first", "type": "text"}, {"field_id": "vip", "type": "boolean"}]
    params = form({"field_id": "who", "type": "field_set", "fields": inner})
    sets = ({"first": ["Ada"], "vip": [True]}, {"first": ["Ada"], "vip": [False]}, {"first": ["Eva"], "vip": [False]})
    responses = [{"annotations": entry("who", "field_set", each)} for each in sets]
    result = FORM.combine(params, responses)
    assert result["annotations"]["who"]["response"] == [[{"first": ["Ada"], "vip": [False]}]]
    assert FORM.votes(params, responses[0]) == {"annotations/who/vip": "true"}
    assert FORM.choices(params) == {"annotations/who/vip": 2}


def test_an_answer_given_several_times_is_taken_whole():
    params = form({"field_id": "f", "type": "text", "max_responses_required": 3, "min_responses_required": 1})
    said = [
        {"annotations": {"f": {"type": "text", "field_id": "f", "response": each}}}
        for each in ([["x"]], [["x"], ["y"]], [["x"], ["y"]])
    ]
    assert FORM.combine(params, said) == said[1]


def test_answers_that_do_not_go_together_give_way_to_a_response_that_does():
    params = {"attachment": "a", "fields": [{"field_id": "f", "type": "time_range", "required": False}]}
    said = [{"fields": {"f": each}} for each in ([1, 2], [8, 9])]
    outcome = TRANSCRIPTION.consensus(params, said, Plain(2))
    assert TRANSCRIPTION.check_response(params, outcome.response) == outcome.response


def test_rows_that_nobody_repeats_exactly_give_those_most_like_the_others():
    params = {"attachment": "a", "repeatable_fields": ["dish", {"name": "price", "type": "number"}]}
    menus = [
        [{"dish": "Soup", "price": 5}],
        [{"dish": "Soup", "price": 5}, {"dish": "Bread", "price": 2}],
        [{"dish": "Bread", "price": 2}, {"dish": "Soups", "price": 5}],
    ]
    responses = [{"fields": {}, "repeatable_fields": rows} for rows in menus]
    assert TRANSCRIPTION.combine(params, responses) == responses[1]


def test_votes_name_every_question_that_a_judge_decides_on():
    assert CATEGORIZATION.votes(ANIMALS, {"category": "cat"}) == {"category": '"cat"'}
    assert CATEGORIZATION.choices(ANIMALS) == {"category": 3}
    assert CATEGORIZATION.votes(MANY, {"categories": ["cow"]}) == {
        "categories/cat": "false",
        "categories/dog": "false",
        "categories/cow": "true",
    }
    assert COMPARISON.votes(COMPARISON.example_params, {"choice": "yes"}) == {"choice": '"yes"'}
    params = {"attachment": "a", "fields": [{"name": "x", "type": "radio", "choices": ["a", 1, True]}, "free"]}
    assert TRANSCRIPTION.choices(params) == {"fields/x": 3}
    for value, label in (("a", '"a"'), (1, "1"), (True, "true")):
        assert TRANSCRIPTION.votes(params, {"fields": {"x": value, "free": "x"}}) == {"fields/x": label}
    several = form({"field_id": "f", "type": "checkbox", "choices": ["a", "b"]})
    votes = FORM.votes(several, {"annotations": entry("f", "checkbox", "b")})
    assert votes == {"annotations/f/a": "false", "annotations/f/b": "true"}
    assert FORM.choices(several) == {"annotations/f/a": 2, "annotations/f/b": 2}
    assert TYPES["annotation"].votes({}, {"annotations": []}) == {}
