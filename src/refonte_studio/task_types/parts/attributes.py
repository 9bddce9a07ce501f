"""Attributes of annotations: questions about each annotation, some of them conditional."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.task_types.parts.checks import a_name, an_array, an_object, at, listed, missing
from refonte_studio.task_types.parts.panel import Panel
from refonte_studio.task_types.parts.parameters import Parameter, mapping
from refonte_studio.task_types.parts.questionnaire import answers_to, likeness, values_of
from refonte_studio.task_types.parts.questions import Question, check_value, question, sample_value

MAX_ATTRIBUTES = 200
MAX_CONDITIONS = 100

ATTRIBUTE_PARAMETERS: Mapping[str, Parameter] = {
    "annotation_attributes": mapping(
        "What to say about each annotation: by name, objects {type, description, choices, allow_multiple, min, max, "
        "required, conditions}. type is category (if left out), number, integer, angle, boolean or text. "
        "conditions: {label_condition: {label: [..]}, attribute_conditions: [{attribute: [values]}]}; a required "
        "attribute is required where its conditions hold: one of the labels, and one of the attribute conditions."
    ),
}


@dataclass(frozen=True, slots=True)
class Attribute:
    question: Question
    labels: frozenset[str] | None
    answers: tuple[Mapping[str, tuple[Any, ...]], ...]

    def applies(self, label: str, given: Mapping[str, Any]) -> bool:
        """Whether the question applies to an annotation with this label and these other attributes."""
        if self.labels is not None and label not in self.labels:
            return False
        return not self.answers or any(_holds(condition, given) for condition in self.answers)


def _holds(condition: Mapping[str, tuple[Any, ...]], given: Mapping[str, Any]) -> bool:
    for name, wanted in condition.items():
        value = given.get(name)
        if not any(each in wanted for each in (value if isinstance(value, list) else [value])):
            return False
    return True


def attributes_of(params: Mapping[str, Any]) -> Mapping[str, Attribute]:
    """Returns the attributes that the parameters define, by name."""
    defined = params.get("annotation_attributes")
    if defined is None:
        return {}
    found: dict[str, Attribute] = {}
    for name, spec in an_object(defined, "annotation_attributes").items():
        path = at("annotation_attributes", a_name(name, "annotation_attributes"))
        found[name] = _attribute(an_object(spec, path), path, name)
    if len(found) > MAX_ATTRIBUTES:
        missing("annotation_attributes", f"has {len(found)} attributes, at most {MAX_ATTRIBUTES} are allowed")
    return found


def _attribute(spec: dict[str, Any], path: str, name: str) -> Attribute:
    asked = question(spec, path, name, "category")
    conditions = an_object(spec.get("conditions") or {}, at(path, "conditions"))
    by_label = conditions.get("label_condition")
    labels = None
    if by_label is not None:
        here = f"{path}.conditions.label_condition"
        labels = frozenset(_plain(an_object(by_label, here).get("label"), at(here, "label")))
    here = f"{path}.conditions.attribute_conditions"
    answers = tuple(
        {
            other: _plain(wanted, at(at(here, index), other))
            for other, wanted in an_object(each, at(here, index)).items()
        }
        for index, each in enumerate(an_array(conditions.get("attribute_conditions") or [], here, most=MAX_CONDITIONS))
    )
    return Attribute(asked, labels, answers)


def _plain(value: Any, path: str) -> tuple[Any, ...]:
    """Returns one value or an array of them; nested values match nothing."""
    values = an_array(value, path) if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str | int | float))


def check_attributes(defined: Mapping[str, Attribute], label: str, value: object, path: str) -> dict[str, Any]:
    """Checks the attributes of one annotation: all defined, all valid, none missing."""
    given = {} if value is None else an_object(value, path)
    for name in given:
        if name not in defined:
            missing(at(path, name), f"is not an attribute here; they are {listed(list(defined)) or 'none'}")
    found = {
        name: check_value(attribute.question, given[name], at(path, name))
        for name, attribute in defined.items()
        if given.get(name) is not None
    }
    for name, attribute in defined.items():
        if attribute.question.required and name not in found and attribute.applies(label, found):
            missing(at(path, name))
    return found


def sample_attributes(defined: Mapping[str, Attribute], label: str) -> dict[str, Any]:
    """Returns answers to the required questions. An answer may make another question required, hence the rounds."""
    found: dict[str, Any] = {}
    for _ in defined:
        size = len(found)
        for name, attribute in defined.items():
            if attribute.question.required and name not in found and attribute.applies(label, found):
                found[name] = sample_value(attribute.question)
        if len(found) == size:
            break
    return found


def attributes_between(defined: Mapping[str, Attribute], given: Sequence[Any], panel: Panel) -> dict[str, Any]:
    """Combines several people's attributes of one object, attribute by attribute; None for people who have none."""
    questions = {name: attribute.question for name, attribute in defined.items()}
    return values_of(answers_to(questions, "attributes", [each or {} for each in given], panel))


def attributes_likeness(defined: Mapping[str, Attribute], one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Returns 0.5 for nothing in common up to 1 for equal: attributes count as much as the position of an object."""
    mine, theirs = one.get("attributes"), other.get("attributes")
    if not mine and not theirs:
        return 1.0
    questions = {name: attribute.question for name, attribute in defined.items()}
    return (1 + likeness(questions, mine or {}, theirs or {})) / 2
