"""Put the attachment into one of several categories, or into all that fit."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.judges import confidence_alone
from refonte_studio.consensus.medians import agreement
from refonte_studio.consensus.model import Outcome
from refonte_studio.kit.names import name_key
from refonte_studio.task_types.base import TaskType
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.answers import pair_agreement, set_likeness, settle_choices
from refonte_studio.task_types.parts.checks import (
    a_choice,
    a_flag,
    an_array,
    an_object,
    at,
    flag,
    listed,
    missing,
    missing_value,
    record,
    refuse,
)
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.panel import Panel, Reader, label
from refonte_studio.task_types.parts.parameters import Parameter, free, mapping, need_one, text
from refonte_studio.task_types.parts.parameters import flag as flag_parameter
from refonte_studio.task_types.parts.questionnaire import ballot


class Categorization(TaskType):
    """One category, or with `allow_multiple` every one that fits.

    Several responses are combined into the category that the judge considers correct. With `allow_multiple`, the judge
    decides on each category that anybody names; if it considers none correct, the most likely one is kept. The
    similarity of two responses is 1 for the same category and otherwise 0; with `allow_multiple`, it is F1.
    """

    name = "categorization"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "categories": Parameter(
            "What to choose from: names, or objects {value or name or label, choices}, which may be nested. "
            "Required, unless taxonomies are given.",
            {"type": "array", "items": {"type": ["string", "object"]}},
        ),
        "taxonomies": mapping("One question by name: {question: {choices, allow_multiple}}. Instead of categories."),
        "category_ids": free(
            "Your own ids of categories: an object {id: category}, or an array in the order of the categories. A "
            "response may then give {category_id} or {category_ids}, which is kept as the categories of these ids."
        ),
        "allow_multiple": flag_parameter("Whether several categories may be chosen."),
        "required": flag_parameter("Whether at least one category must be chosen, which is the default."),
        "text": text("The text to categorize, instead of an attachment."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Is this company public or private?",
        "attachment": "https://example.com/about",
        "attachment_type": "website",
        "categories": ["public", "private"],
    }
    example_response: ClassVar[dict[str, Any]] = {"category": "public"}
    either: ClassVar[Sequence[tuple[str, ...]]] = (("categories", "taxonomies"),)

    def check_own_params(self, params: dict[str, Any]) -> None:
        _ids_of(params, _categories(params)[0])
        need_one(params, "attachment", "attachments", "text")
        flag(params, "required")

    def stand_in(self, name: str, params: dict[str, Any], /) -> Any:
        """Returns stand-ins for missing categories: those with ids, or as many as there are ids."""
        ids = params.get("category_ids")
        if name != "categories" or not ids:
            return super().stand_in(name, params)
        if isinstance(ids, list):
            return [f"Category {number}" for number in range(1, len(ids) + 1)]
        texts = [value for value in ids.values() if isinstance(value, str)]
        return list(dict.fromkeys(texts if len(texts) == len(ids) else ids))

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        categories, several = _categories(params)
        given = _named(params, categories, an_object(response, "response"))
        if not several:
            if "category" not in given and "categories" in given:
                missing("response.categories", "is for allow_multiple; this task takes one category, {category}")
            found = record(given, "response", ("category",))
            return {"category": a_choice(found["category"], "response.category", categories)}
        if "categories" not in given and "category" in given:
            missing("response.category", "is a single category; this task takes several, {categories: [..]}")
        found = record(given, "response", ("categories",))
        least = 1 if flag(params, "required", default=True) else 0
        return {"categories": _each(an_array(found["categories"], "response.categories", least), categories)}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        categories, several = _categories(params)
        return {"categories": [categories[0]]} if several else {"category": categories[0]}

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        categories, several = _categories(params)
        if not several:
            said = [response["category"] for response in responses]
            value, decision = panel.decide("category", said, len(categories))
            return Outcome({"category": value}, decision.confidence, pair_agreement(said))
        least = 1 if flag(params, "required", default=True) else 0
        answers: list[list[str]] = [response["categories"] for response in responses]
        found = settle_choices("categories", answers, least, len(categories), panel)
        return Outcome({"categories": found.value}, found.confidence, agreement(answers, set_likeness))

    def confidence_alone(self, params: dict[str, Any], response: dict[str, Any]) -> float:
        categories, several = _categories(params)
        return super().confidence_alone(params, response) if several else confidence_alone(len(categories))

    def reader(self, params: dict[str, Any], /) -> Reader:
        categories, several = _categories(params)
        if not several:
            return lambda response: {"category": label(response["category"])}
        options = {name: f"categories/{name}" for name in categories}
        return lambda response: ballot(options, response["categories"])

    def choices(self, params: dict[str, Any], /) -> Mapping[str, int]:
        categories, several = _categories(params)
        return {f"categories/{name}": 2 for name in categories} if several else {"category": len(categories)}

    def similarity(self, _params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        if "categories" in one and "categories" in other:
            return set_likeness(one["categories"], other["categories"])
        return float(one == other)

    def response_schema(self) -> dict[str, Any]:
        one = schema.closed({"category": schema.NAME})
        several = schema.closed({"categories": {**schema.array(schema.NAME), "uniqueItems": True}})
        one_id = schema.closed({"category_id": _ID})
        ids = schema.closed({"category_ids": {**schema.array(_ID), "uniqueItems": True}})
        return schema.response(schema.any_of([one, several, one_id, ids]))


_ID: dict[str, Any] = {"type": ["string", "integer"]}


def _named(params: Mapping[str, Any], categories: Sequence[str], given: dict[str, Any]) -> dict[str, Any]:
    """Returns the response with categories in place of their ids."""
    if "category_id" not in given and "category_ids" not in given:
        return given
    ids = _ids_of(params, categories)
    if not ids:
        missing(
            "response", "gives ids of categories, and the task has no category_ids; give {category} or {categories}"
        )
    if "category_id" in given:
        found = record(given, "response", ("category_id",))
        return {"category": _of_id(ids, found["category_id"], "response.category_id")}
    found = record(given, "response", ("category_ids",))
    path = "response.category_ids"
    return {
        "categories": [
            _of_id(ids, each, at(path, index)) for index, each in enumerate(an_array(found["category_ids"], path))
        ]
    }


def _of_id(ids: Mapping[str, str], given: object, path: str) -> str:
    name = _id_text(given)
    if name is None or name not in ids:
        refuse(path, given, f"is not one of the category_ids: {listed(list(ids))}")
    return ids[name]


def _id_text(given: object) -> str | None:
    """Returns an id in the form in which it is compared: 7 and "7" are the same."""
    if isinstance(given, int) and not isinstance(given, bool) and given.bit_length() < 64:
        return str(given)
    return given if isinstance(given, str) else None


def _ids_of(params: Mapping[str, Any], categories: Sequence[str]) -> Mapping[str, str]:
    """Returns the categories by their ids, from `category_ids`; empty if it is absent."""
    given = params.get("category_ids")
    if given is None:
        return {}
    known = dict.fromkeys(categories)
    if isinstance(given, list):
        if len(given) != len(categories):
            missing("category_ids", f"has {len(given)} ids, there are {len(categories)} categories")
        pairs = [
            (at("category_ids", index), each, name)
            for index, (each, name) in enumerate(zip(given, categories, strict=True))
        ]
    else:
        pairs = [(at("category_ids", key), key, value) for key, value in an_object(given, "category_ids").items()]
        by_id = all(isinstance(value, str) and _is_known(value, known) for _, _, value in pairs)
        if not by_id and all(_is_known(key, known) for _, key, _ in pairs):
            pairs = [(path, value, key) for path, key, value in pairs]  # {category: id}, the other way round
    found: dict[str, str] = {}
    for path, each, name in pairs:
        text = _id_text(each)
        if text is None or not text.strip():
            refuse(path, each, "is not an id: a text or a whole number")
        if text in found:
            refuse(path, each, "is the id of another category, too")
        found[text] = a_choice(name, path, known)
    return found


def _is_known(name: str, known: Mapping[str, None]) -> bool:
    return name in known or name_key(name) in known


def _each(given: list[Any], categories: Sequence[str]) -> list[str]:
    known = dict.fromkeys(categories)
    met: dict[str, None] = {}
    for index, each in enumerate(given):
        category = a_choice(each, at("response.categories", index), known)
        if category in met:
            refuse("response.categories", category, "is named twice")
        met[category] = None
    return list(met)


def _categories(params: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The categories, and whether several may be chosen."""
    if params.get("categories") is not None:
        several = params.get("allow_multiple")
        return names(params["categories"], "categories"), several is not None and a_flag(several, "allow_multiple")
    taxonomies = params.get("taxonomies")
    if taxonomies is None:
        missing_value("categories", "taxonomies")
    questions = an_object(taxonomies, "taxonomies")
    if len(questions) != 1:
        # {category} holds one answer; a textcollection task can ask several questions.
        missing("taxonomies", f"must hold one question, has {listed(list(questions)) or 'none'}")
    (name, spec), *_ = questions.items()
    path = at("taxonomies", name)
    question = {"choices": spec} if isinstance(spec, list) else an_object(spec, path)
    several = question.get("allow_multiple", params.get("allow_multiple"))
    several = several is not None and a_flag(several, at(path, "allow_multiple"))
    return names(question.get("choices"), at(path, "choices")), several


TYPE = Categorization()
