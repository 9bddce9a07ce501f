"""Put the attachment into one of several categories, or into all that fit."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.tasks.types import _schema
from refonte_studio.tasks.types._checks import (
    a_flag,
    an_array,
    an_object,
    at,
    flag,
    listed,
    missing,
    one_of,
    record,
    refuse,
)
from refonte_studio.tasks.types._choices import names
from refonte_studio.tasks.types._combine import chosen, majority, tally
from refonte_studio.tasks.types._parameters import Parameter, free, mapping, need_one, text
from refonte_studio.tasks.types._parameters import flag as flag_parameter
from refonte_studio.tasks.types.base import TaskType


class Categorization(TaskType):
    """One category, or with `allow_multiple` every one that fits.

    Several responses: the category given most often; with `allow_multiple`, every category that more than half
    of the responses name, or the one named most often.
    """

    name = "categorization"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "categories": Parameter(
            "What to choose from: names, or objects {value or name or label, choices}, which may be nested. "
            "Required, unless taxonomies are given.",
            {"type": "array", "items": {"type": ["string", "object"]}},
        ),
        "taxonomies": mapping("One question by name: {question: {choices, allow_multiple}}. Instead of categories."),
        "category_ids": free("Your own id of each category; kept and given back."),
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

    def check_own_params(self, params: dict[str, Any]) -> None:
        _categories(params)
        need_one(params, "attachment", "attachments", "text")
        flag(params, "required")

    def check_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        categories, several = _categories(params)
        given = an_object(response, "response")
        if not several:
            if "category" not in given and "categories" in given:
                missing("response.categories", "is for allow_multiple; this task takes one category, {category}")
            found = record(given, "response", ("category",))
            return {"category": one_of(found["category"], "response.category", categories)}
        if "categories" not in given and "category" in given:
            missing("response.category", "is a single category; this task takes several, {categories: [..]}")
        found = record(given, "response", ("categories",))
        least = 1 if flag(params, "required", default=True) else 0
        return {"categories": _each(an_array(found["categories"], "response.categories", least), categories)}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        categories, several = _categories(params)
        return {"categories": [categories[0]]} if several else {"category": categories[0]}

    def merge(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> dict[str, Any]:
        categories, several = _categories(params)
        if not several:
            return {"category": majority([response["category"] for response in responses])}
        least = 1 if flag(params, "required", default=True) else 0
        answers: list[list[str]] = [response["categories"] for response in responses]
        return {"categories": chosen(answers, least, len(categories))}

    def response_schema(self) -> dict[str, Any]:
        one = _schema.closed({"category": _schema.NAME})
        several = _schema.closed({"categories": {**_schema.array(_schema.NAME), "uniqueItems": True}})
        return _schema.response(_schema.any_of([one, several]))


def _each(given: list[Any], categories: Sequence[str]) -> list[str]:
    known = dict.fromkeys(categories)
    for index, category in enumerate(given):
        one_of(category, at("response.categories", index), known)
    votes = tally(given)
    if len(votes) < len(given):
        refuse("response.categories", max(votes, key=lambda category: votes[category]), "is named twice")
    return list(given)


def _categories(params: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The categories, and whether several may be chosen."""
    if params.get("categories") is not None:
        several = params.get("allow_multiple")
        return names(params["categories"], "categories"), several is not None and a_flag(several, "allow_multiple")
    taxonomies = params.get("taxonomies")
    if taxonomies is None:
        missing("categories")
    questions = an_object(taxonomies, "taxonomies")
    if len(questions) != 1:
        # {category} has room for one answer; a textcollection task asks several questions.
        missing("taxonomies", f"must hold one question, has {listed(list(questions)) or 'none'}")
    (name, spec), *_ = questions.items()
    path = at("taxonomies", name)
    question = {"choices": spec} if isinstance(spec, list) else an_object(spec, path)
    several = question.get("allow_multiple", params.get("allow_multiple"))
    several = several is not None and a_flag(several, at(path, "allow_multiple"))
    return names(question.get("choices"), at(path, "choices")), several


TYPE = Categorization()
