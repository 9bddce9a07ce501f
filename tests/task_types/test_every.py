"""Properties of every task type."""

import copy
import random
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types import COMMON_PARAMETERS, TYPES, TaskType, canonical_params, get, unknown_parameters
from refonte_studio.task_types.parts.checks import MissingValue

NAMES = [
    "annotation",
    "audiotranscription",
    "categorization",
    "chat",
    "comparison",
    "cuboidannotation",
    "datacollection",
    "documenttranscription",
    "imageannotation",
    "lineannotation",
    "namedentityrecognition",
    "pointannotation",
    "polygonannotation",
    "segmentannotation",
    "textcollection",
    "transcription",
    "videoannotation",
    "videoplaybackannotation",
]


def variant(of: str, name: str, params: dict[str, Any], response: dict[str, Any]) -> TaskType:
    """A type with other examples, by a name of its own: what holds for every type holds for each of its forms."""
    members = {"name": name, "example_params": params, "example_response": response}
    return type("Variant", (type(TYPES[of]),), members)()


VARIANTS = [
    variant(
        "chat",
        "chat of one answer",
        {
            "messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello!"}],
            "criteria": {"help": {"min": 0, "max": 1}, "tone": None},
        },
        {"ratings": {"conversation": {"help": 0.5, "tone": 3}}},
    ),
    variant(
        "comparison",
        "comparison by fields",
        {
            "attachments": ["https://example.com/1.jpg", "https://example.com/2.jpg"],
            "fields": [
                {"field_id": "same", "type": "category", "choices": ["yes", "no"]},
                {"field_id": "why", "type": "text", "required": False},
            ],
        },
        {"fields": {"same": "yes", "why": "They have the same sole."}},
    ),
]
FORMS = {**TYPES, **{each.name: each for each in VARIANTS}}
every = pytest.mark.parametrize(
    "task_type", [pytest.param(FORMS[name], id=name) for name in [*NAMES, *(each.name for each in VARIANTS)]]
)
few = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["label", "box", "category", "1", "yes"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value, except to the value itself."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in members for path in ((*at, key), *places(inner, (*at, key)))]


def spoiled(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else at that path."""
    found = copy.deepcopy(value)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return found


@cache
def deep(depth: int = 20_000) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def answers_or_refuses(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except BadInput as refusal:
        return check_message(refusal)


def refusal_of(action: Callable[[], Any]) -> BadInput | None:
    try:
        action()
    except BadInput as refusal:
        check_message(refusal)
        return refusal
    return None


def check_message(refusal: BadInput) -> None:
    assert 0 < len(refusal.message) < 20_000


# Random valid responses to each type's example parameters.


def some_shape(chance: random.Random, kind: str) -> dict[str, Any]:
    def x() -> float:
        return chance.choice([chance.randint(0, 600), chance.uniform(0, 600)])

    if kind == "box":
        return {"left": x(), "top": x() / 2, "width": 10 + x(), "height": 10 + x() / 2}
    if kind == "point":
        return {"x": x(), "y": x()}
    if kind == "cuboid":
        return {"vertices": [{"x": x(), "y": x(), "description": f"corner {i}"} for i in range(6)]}
    return {"vertices": [{"x": x(), "y": x()} for _ in range(chance.randint(3, 6))]}


def some_drawing(task_type: TaskType, chance: random.Random) -> dict[str, Any]:
    labels = {"box": ["Baby Cow", "Big Cow"], "polygon": ["Pond", "Creek"]}
    if task_type.name != "imageannotation":
        found = task_type.example_response["annotations"][0]
        labels = {found["type"]: [found["label"]]}
    annotations = []
    for index in range(chance.randint(0, 4)):
        kind = chance.choice(sorted(labels))
        shape = some_shape(chance, kind)
        attributes = {"attributes": {"standing": chance.choice(["Yes", "No"])}} if "cow" in str(labels).lower() else {}
        if kind == "polygon":
            attributes = {}
        label = chance.choice(labels[kind])
        annotations.append({"uuid": str(index), "label": label, "type": kind, **shape, **attributes})
    return {"annotations": annotations}


def some_spans(_: TaskType, chance: random.Random) -> dict[str, Any]:
    text = "Ada moved to Turin."
    starts = {chance.randint(0, 4) for _ in range(chance.randint(0, 3))}
    spans = [
        {
            "id": str(i),
            "label": chance.choice(["person", "city"]),
            "start": at,
            "end": at + 3,
            "text": text[at : at + 3],
        }
        for i, at in enumerate(sorted(starts))
    ]
    people = [span["id"] for span in spans if span["label"] == "person"]
    cities = [span["id"] for span in spans if span["label"] == "city"]
    relations = [{"from": one, "to": other, "label": "lives_in"} for one in people for other in cities]
    return {"annotations": spans, **({"relations": relations} if chance.random() < 0.7 else {})}


def some_masks(_: TaskType, chance: random.Random) -> dict[str, Any]:
    cuts = [0, *sorted(chance.sample(range(1, 24), chance.randint(1, 6))), 24]
    counts = [end - start for start, end in pairwise(cuts)]
    mask = {"size": [4, 6], "counts": counts}
    return {"annotations": [{"uuid": "a", "label": chance.choice(["road", "sky", "car"]), "rle": mask}]}


def some_blocks(_: TaskType, chance: random.Random) -> dict[str, Any]:
    return {
        "annotations": [
            {
                "uuid": str(index),
                "label": chance.choice(["heading", "paragraph"]),
                "type": "block",
                "page": chance.randint(0, 1),
                **some_shape(chance, "box"),
                "text": chance.choice(["Notice", "Notice of", "", "Meeting " * 60]),
            }
            for index in range(chance.randint(0, 3))
        ]
    }


def some_tracks(_: TaskType, chance: random.Random) -> dict[str, Any]:
    keys = chance.choice([[0], [0, 1, 2], [1, 2]])
    frames = [{"key": key, **some_shape(chance, "box")} for key in keys]
    label = chance.choice(["cyclist", "pedestrian"])
    return {"annotations": [{"uuid": "a", "label": label, "type": "box", "frames": frames}]}


def some_events(_: TaskType, chance: random.Random) -> dict[str, Any]:
    start = chance.uniform(0, 30)
    event = {"uuid": "a", "label": "left turn", "start_s": start, "end_s": start + chance.uniform(1, 30)}
    return {"annotations": [event] if chance.random() < 0.8 else []}


def some_rows(_: TaskType, chance: random.Random) -> dict[str, Any]:
    rows = [{"dish": chance.choice(["Soup", "Bread"])} for _ in range(chance.randint(0, 3))]
    fields = {"title": chance.choice(["Menu", "Lunch menu", "Lunch"]), "currency": chance.choice(["EUR", 1, True])}
    return {"fields": fields, **({"repeatable_fields": rows} if chance.random() < 0.7 else {})}


def some_findings(_: TaskType, chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"hiring_page": chance.choice(["https://a", "https://b/c"])}
    return {"fields": {**found, "positions": chance.randint(0, 3)} if chance.random() < 0.6 else found}


def some_speech(_: TaskType, chance: random.Random) -> dict[str, Any]:
    segments = []
    for index in range(chance.randint(0, 3)):
        start_s = 10 * index + chance.uniform(0, 5)
        said = {
            "start_s": start_s,
            "end_s": start_s + chance.uniform(1, 8),
            "text": chance.choice(["Yes", "Yes.", "No"]),
        }
        speaker = chance.choice(["agent", "caller", None])
        segments.append({"uuid": str(index), **said, **({} if speaker is None else {"speaker": speaker})})
    return {"text": chance.choice(["Good morning", "Good morning.", "Goodbye", ""]), "segments": segments}


def some_judgement(_: TaskType, chance: random.Random) -> dict[str, Any]:
    ids = ["k7", "q2", "m4"]
    chance.shuffle(ids)
    turns = [
        {"turn": turn, "labels": labels, **({"comment": "why"} if not labels or chance.random() < 0.3 else {})}
        for turn in range(3)
        if (labels := chance.choice([None, [], ["polite"], ["polite", "off topic"]])) is not None
    ]
    return {
        "ranking": chance.choice([[[each] for each in ids], [ids[:2], ids[2:]], [ids]]),
        "ratings": {each: {"help": chance.randint(1, 5)} for each in ids},
        "turns": turns,
        "fields": {"language": chance.choice(["English", "other"])},
        "rewrite": chance.choice(["It comes today.", "It comes tomorrow.", "Wait."]),
    }


def some_criticism(_: TaskType, chance: random.Random) -> dict[str, Any]:
    return {"ratings": {"conversation": {"help": chance.uniform(0, 1), "tone": chance.randint(1, 5)}}}


def some_comparison(_: TaskType, chance: random.Random) -> dict[str, Any]:
    fields = {"same": chance.choice(["yes", "no"]), "why": chance.choice(["sole", "soles", "colour", None])}
    return {"fields": {name: value for name, value in fields.items() if value is not None}}


def some_form(_: TaskType, chance: random.Random) -> dict[str, Any]:
    answers = {"answer_reasonable": ("category", chance.choice(["yes", "no"]))}
    if chance.random() < 0.6:
        answers["reason"] = ("text", chance.choice(["clear", "quite clear", "vague"]))
    if chance.random() < 0.6:
        answers["confidence"] = ("number", chance.randint(0, 10))
    return {
        "annotations": {
            name: {"type": kind, "field_id": name, "response": [[value]]} for name, (kind, value) in answers.items()
        }
    }


SOME: dict[str, Callable[[TaskType, random.Random], dict[str, Any]]] = {
    **dict.fromkeys([name for name in NAMES if name.endswith("annotation")], some_drawing),
    "categorization": lambda _, chance: {"category": chance.choice(["public", "private"])},
    "audiotranscription": some_speech,
    "chat": some_judgement,
    "chat of one answer": some_criticism,
    "comparison by fields": some_comparison,
    "comparison": lambda _, chance: {"choice": chance.choice(["yes", "no", "cannot tell"])},
    "namedentityrecognition": some_spans,
    "segmentannotation": some_masks,
    "documenttranscription": some_blocks,
    "videoannotation": some_tracks,
    "videoplaybackannotation": some_events,
    "transcription": some_rows,
    "datacollection": some_findings,
    "textcollection": some_form,
}


def test_the_types_are_those_of_the_contract():
    assert sorted(TYPES) == sorted(NAMES)
    assert all(get(name) is TYPES[name] and TYPES[name].name == name for name in NAMES)
    assert get("telepathy") is None


@every
def test_the_examples_are_valid_and_documented(task_type):
    task_type.check_params(task_type.example_params)
    assert task_type.check_response(task_type.example_params, task_type.example_response) == task_type.example_response
    assert unknown_parameters(task_type, task_type.example_params) == []
    for parameter in [*task_type.parameters.values(), *COMMON_PARAMETERS.values()]:
        assert parameter.description.endswith(".")
        assert parameter.schema["type"]


@every
def test_a_sample_is_valid_and_always_the_same(task_type):
    sample = task_type.sample_response(task_type.example_params)
    assert task_type.check_response(task_type.example_params, sample) == sample
    assert task_type.sample_response(task_type.example_params) == sample


@every
def test_a_type_without_its_parameters_says_which_one_is_missing(task_type):
    for name, parameter in task_type.parameters.items():
        if parameter.required:
            without = {key: value for key, value in task_type.example_params.items() if key != name}
            with pytest.raises(BadInput, match=name):
                task_type.check_params(without)
    with pytest.raises(BadInput):
        task_type.check_params({})


@every
def test_neither_instruction_nor_callback_nor_attachment_type_is_needed(task_type):
    bare = {k: v for k, v in task_type.example_params.items() if k not in ("instruction", "attachment_type")}
    task_type.check_params(bare)


@every
def test_unknown_parameters_are_named(task_type):
    assert unknown_parameters(task_type, {"project": 1, "colour": 2, "tags": 3, "xyz": 4}) == ["colour", "xyz"]


@every
def test_a_parameter_of_the_wrong_type_is_named(task_type):
    for name in {**COMMON_PARAMETERS, **task_type.parameters}:
        for wrong in (deep(), float("nan")):
            params = {**task_type.example_params, name: wrong}
            answers_or_refuses(lambda params=params: task_type.check_params(params))
    with pytest.raises(BadInput, match="metadata: 'x' is not an object"):
        task_type.check_params({**task_type.example_params, "metadata": "x"})
    with pytest.raises(BadInput, match=r"tags\[1\]: 5 is not a string"):
        task_type.check_params({**task_type.example_params, "tags": ["a", 5]})


@every
def test_a_field_too_many_is_refused(task_type):
    with pytest.raises(BadInput, match="extra"):
        task_type.check_response(task_type.example_params, {**task_type.example_response, "extra": 1})


@every
@few
@given(seed=st.integers(0, 2**32))
def test_random_responses_combine_to_a_valid_one(task_type, seed):
    chance = random.Random(seed)
    params = task_type.example_params
    responses = [
        task_type.check_response(params, SOME[task_type.name](task_type, chance)) for _ in range(chance.randint(1, 5))
    ]
    before = copy.deepcopy(responses)
    combined = task_type.combine(params, responses)
    assert task_type.check_response(params, combined) == combined
    assert task_type.combine(params, responses) == combined
    assert responses == before
    assert task_type.combine(params, responses[:1]) is responses[0]
    schema = jsonschema_rs.validator_for(task_type.response_schema())
    assert all(schema.is_valid(each) for each in (*responses, combined))


@every
@few
@given(seed=st.integers(0, 2**32))
def test_what_more_than_half_say_is_the_result(task_type, seed):
    chance = random.Random(seed)
    params = task_type.example_params
    said, other = (task_type.check_response(params, SOME[task_type.name](task_type, chance)) for _ in range(2))
    result = task_type.combine(params, [other, said, said, said, other])
    assert without_ids(result) == without_ids(said)


def without_ids(response: dict[str, Any]) -> Any:
    """A response in which spans are told by their place, since ids of different people may clash."""
    response = {key: value for key, value in response.items() if value}
    if not any("start" in each for each in response.get("annotations", ())):
        return response
    place = {span["id"]: (span["start"], span["end"], span["label"]) for span in response["annotations"]}
    relations = [(place[each["from"]], place[each["to"]], each["label"]) for each in response.get("relations", ())]
    return sorted(place.values()), sorted(relations)


@every
def test_nothing_to_combine_is_a_bug(task_type):
    with pytest.raises(ValueError, match="nothing"):
        task_type.combine(task_type.example_params, [])


@every
def test_the_schema_agrees_with_the_examples(task_type):
    schema = jsonschema_rs.validator_for(task_type.response_schema())
    schema.validate(task_type.example_response)
    schema.validate(task_type.sample_response(task_type.example_params))
    assert not schema.is_valid({**task_type.example_response, "extra": 1})


@every
@few
@given(params=json_values, response=json_values)
def test_any_json_is_answered_or_refused(task_type, params, response):
    answers_or_refuses(lambda: task_type.check_params(params))
    answers_or_refuses(lambda: task_type.check_response(task_type.example_params, response))
    if isinstance(params, dict):
        answers_or_refuses(lambda: task_type.check_response(params, response))
        answers_or_refuses(lambda: task_type.sample_response(params))


@every
@settings(few, max_examples=50)
@given(data=st.data(), new=json_values)
def test_a_spoiled_response_is_refused_or_canonical(task_type, data, new):
    response = task_type.example_response
    spoilt = spoiled(response, data.draw(st.sampled_from(places(response))), new)
    checked = answers_or_refuses(lambda: task_type.check_response(task_type.example_params, spoilt))
    if checked is not None:
        assert task_type.check_response(task_type.example_params, checked) == checked


@every
@settings(few, max_examples=50)
@given(data=st.data(), new=json_values)
def test_spoiled_parameters_are_refused_or_can_be_worked_with(task_type, data, new):
    params = task_type.example_params
    spoilt = spoiled(params, data.draw(st.sampled_from(places(params))), new)
    try:
        task_type.check_params(spoilt)
    except BadInput:
        return
    sample = task_type.sample_response(spoilt)
    assert task_type.check_response(spoilt, sample) == sample


@every
def test_depth_ends_in_no_recursion_error(task_type):
    nested = deep()
    for path in places(task_type.example_response):
        spoilt = spoiled(task_type.example_response, path, nested)
        answers_or_refuses(lambda spoilt=spoilt: task_type.check_response(task_type.example_params, spoilt))
    for path in places(task_type.example_params):
        spoilt = spoiled(task_type.example_params, path, nested)
        answers_or_refuses(lambda spoilt=spoilt: task_type.check_params(spoilt))
        answers_or_refuses(lambda spoilt=spoilt: task_type.check_response(spoilt, task_type.example_response))


@every
@settings(few, max_examples=60)
@given(data=st.data(), new=json_values)
def test_what_a_project_may_hand_down_never_makes_a_task_fail(task_type, data, new):
    """Whatever a project gives, a task that gives the rest can be made, and worked on."""
    params = task_type.example_params
    path = data.draw(st.sampled_from(places(params)))
    spoilt = spoiled(params, path, new)
    others = [name for name in params if name != path[0]]
    # what an attachment is, its type says: the two are given together
    handed = {path[0], "attachment_type", *data.draw(st.lists(st.sampled_from(others), unique=True))}
    project = {name: value for name, value in spoilt.items() if name in handed and value is not None}
    if refusal_of(lambda: task_type.check_given(project)) is not None:
        return
    rest = {name: value for name, value in params.items() if not project.get(name)}
    whole = {**project, **rest}
    refusal = refusal_of(lambda: task_type.check_params(whole))
    if refusal is not None:
        # something may still be missing, or what the task brings may contradict what the project has
        assert isinstance(refusal, MissingValue) or any(name in refusal.message for name in rest), refusal.message
        return
    sample = task_type.sample_response(whole)
    assert task_type.check_response(whole, sample) == sample


@every
@settings(few, max_examples=60)
@given(data=st.data(), new=json_values)
def test_a_hypothesis_that_is_taken_can_be_submitted_as_it_is(task_type, data, new):
    response = task_type.example_response
    hypothesis = spoiled(response, data.draw(st.sampled_from(places(response))), new)
    params = {**task_type.example_params, "hypothesis": hypothesis}
    refusal = refusal_of(lambda: task_type.check_params(params))
    if refusal is not None:
        assert refusal.message.startswith("hypothesis")
        return
    checked = task_type.check_response(canonical_params(params), hypothesis)
    assert task_type.check_response(canonical_params(params), checked) == checked


@every
def test_the_example_is_taken_piece_by_piece(task_type):
    task_type.check_given({})
    for name, value in task_type.example_params.items():
        task_type.check_given({name: value})
    task_type.check_params({**task_type.example_params, "hypothesis": task_type.example_response})
    assert canonical_params(task_type.example_params) == task_type.example_params
