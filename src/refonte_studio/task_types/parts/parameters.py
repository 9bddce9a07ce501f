"""Descriptions of parameters, and the parameters that all types share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from refonte_studio.task_types.parts.checks import (
    MAX_ITEMS,
    a_flag,
    a_number,
    a_text,
    a_whole,
    an_array,
    an_object,
    at,
    missing,
    missing_value,
    refuse,
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A documented parameter: a description, its JSON schema, and whether it is required."""

    description: str
    schema: dict[str, Any]
    required: bool = False

    def described(self, description: str) -> "Parameter":
        """Returns the parameter with another type's description."""
        return replace(self, description=description)


def text(description: str, required: bool = False) -> Parameter:
    return Parameter(description, {"type": "string"}, required)


def flag(description: str) -> Parameter:
    return Parameter(description, {"type": "boolean"})


def number(description: str) -> Parameter:
    return Parameter(description, {"type": "number"})


def share(description: str) -> Parameter:
    return Parameter(description, {"type": "number", "minimum": 0, "maximum": 1})


def whole(description: str) -> Parameter:
    return Parameter(description, {"type": "integer"})


def mapping(description: str, required: bool = False) -> Parameter:
    return Parameter(description, {"type": "object"}, required)


def texts(description: str, required: bool = False) -> Parameter:
    return Parameter(description, {"type": "array", "items": {"type": "string"}}, required)


def mixed(description: str, required: bool = False) -> Parameter:
    """Returns an array of names, or of objects with details."""
    return Parameter(description, {"type": "array", "items": {"type": ["string", "object"]}}, required)


def free(description: str) -> Parameter:
    return Parameter(description, {"type": ["object", "array"]})


def check_declared(parameters: Mapping[str, Parameter], params: dict[str, Any]) -> None:
    """Checks that required parameters are present, and known ones have their type. Null counts as absent."""
    for name, parameter in parameters.items():
        value = params.get(name)
        if value is not None:
            _check_schema(value, name, parameter.schema)
        elif parameter.required:
            missing_value(name)


def _check_schema(value: Any, path: str, schema: dict[str, Any]) -> None:
    allowed = schema.get("type", ())
    kinds: Sequence[str] = (allowed,) if isinstance(allowed, str) else allowed
    kind = next((each for each in kinds if isinstance(value, _PYTHON[each])), kinds[0] if kinds else "")
    if len(kinds) > 1 and not isinstance(value, _PYTHON[kind]):
        refuse(path, value, f"is not of type {' or '.join(kinds)}")
    if kind:
        _CHECKS[kind](value, path)
    if "maximum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        refuse(path, value, f"is not from {schema['minimum']} to {schema['maximum']}")
    for index, item in enumerate(value) if kind == "array" and "items" in schema else ():
        _check_schema(item, at(path, index), schema["items"])


_PYTHON: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}
_SCALARS: Mapping[Any, Any] = {"boolean": bool, "integer": int, "number": int | float}
_CHECKS: Mapping[str, Any] = {
    "string": a_text,
    "boolean": a_flag,
    "integer": a_whole,
    "number": a_number,
    "object": an_object,
    "array": an_array,
}


def check_either(params: Mapping[str, Any], names: Sequence[str]) -> None:
    """Checks that at most one of these parameters is given."""
    given = [name for name in names if params.get(name)]
    if len(given) > 1:
        missing(given[1], f"cannot be given beside {given[0]}; give one of the two")


def coerced(value: Any, schema: Mapping[str, Any]) -> Any:
    """Returns a parameter's value, with numbers and booleans converted if they are written as text.

    Text that is neither stays unchanged, for the checks to reject.
    """
    if isinstance(value, str):
        kind = schema.get("type")
        scalar = _SCALARS.get(kind) if isinstance(kind, str) else None
        try:
            return value if scalar is None else msgspec.convert(value.strip(), scalar, strict=False)
        except msgspec.ValidationError:
            return value
    inner = schema.get("properties")
    if inner and isinstance(value, dict):
        return {key: coerced(each, inner[key]) if key in inner else each for key, each in value.items()}
    if "items" in schema and isinstance(value, list):
        return [coerced(each, schema["items"]) for each in value]
    return value


def need_one(params: dict[str, Any], *names: str) -> None:
    """Checks that at least one of these parameters is given and not empty."""
    if not any(params.get(name) for name in names):
        missing_value(*names)
    attachments: Any = params.get("attachments") or []
    for index, item in enumerate(an_array(attachments, "attachments")):
        if not item or not isinstance(item, str | dict):
            refuse(at("attachments", index), item, "is neither a URL nor an attachment object")


COMMON_PARAMETERS: Mapping[str, Parameter] = {
    "project": text("Name of the project the task belongs to; the default project if left out."),
    "batch": text("Name of the batch the task belongs to; the project's default batch if left out."),
    "callback_url": text("Where the completed task is posted: a full URL."),
    "instruction": text("How to do the task, in Markdown; the project's instruction if left out."),
    "unique_id": text("Your own id of the task; a second creation with the same one is refused (409)."),
    "clear_unique_id_on_error": flag("Free the unique_id if the task ends in error."),
    "metadata": mapping("Your own keys and values; kept and given back, never interpreted."),
    "tags": texts("Labels to filter tasks by."),
    "priority": whole("Higher means more urgent; accepted and echoed."),
    "pass_mark": share("The score, from 0 to 1, at which a training or evaluation task is passed."),
    "urgency": text("Older clients' word for priority; accepted and echoed."),
    "title": text("A short title, shown to labelers."),
    "description": text("A sentence about the task, shown to labelers."),
    "attachment": text("What to label: the URL of a file, or text, as attachment_type says."),
    "attachments": Parameter(
        f"What to label, where it is several things (at most {MAX_ITEMS}): URLs, or objects such as {{type, content}}.",
        {"type": "array", "items": {"type": ["string", "object"]}},
    ),
    "attachment_type": text("What the attachment is: image, text, website, video, audio, pdf or document."),
    "attachment_name": text("A file name to show for the attachment."),
    "context_attachments": mixed("Further material to look at; it is not labeled itself."),
    "hypothesis": mapping("A first response, in the type's own form, that labelers start from."),
    "layers": mapping("Drawings shown over the attachment for reference."),
    "examples": free("Worked examples, shown with the instruction."),
    "isProcessed": flag("Given back by older clients; accepted and echoed."),
    "responses_required": whole("How many responses were asked for; accepted and echoed."),
    "numberOfCompletions": whole("As responses_required, in the camel case of older clients."),
    "read_only_field_ids": texts("Fields that are shown but not changed."),
    "sticky_attachments": flag("Keep the attachments in view while scrolling."),
    "skip_labels": mixed("Reasons a labeler may choose from when skipping."),
}
