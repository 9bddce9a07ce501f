"""What a parameter must be, in words, derived from its type."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect

_PATH = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\[(\d+)\]|\.(\w+)")
# By the names that msgspec gives to the types of JSON.
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def described(kind: inspect.Type) -> str:
    """A value of this type, in words, such as "a whole number from 1 to 100"."""
    match kind:
        case inspect.Metadata():
            return described(kind.type)
        case inspect.UnionType():
            parts = (described(each) for each in kind.types if not isinstance(each, inspect.NoneType))
            return " or ".join(dict.fromkeys(parts))
        case inspect.IntType():
            return f"a whole number{_bounds(kind)}"
        case inspect.FloatType():
            return f"a number{_bounds(kind)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text" if kind.max_length is None else f"text of at most {kind.max_length:,} characters"
        case inspect.LiteralType():
            return f"one of {listed(kind.values)}"
        case inspect.EnumType():
            return f"one of {listed([each.value for each in kind.cls])}"
        case inspect.ListType():
            return f"a list of which each is {described(kind.item_type)}"
        case _:
            return "an object"


def listed(values: Sequence[object]) -> str:
    """The values in their order, separated by commas."""
    return ", ".join(str(value) for value in values)


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge:,} to {kind.le:,}"
    if kind.ge is not None:
        return f" of at least {kind.ge:,}"
    return f" of at most {kind.le:,}" if kind.le is not None else ""


def where(error: msgspec.ValidationError) -> str:
    """The path within the value to what is wrong, such as `[2].name`; empty for the value itself."""
    found = _PATH.search(str(error))
    return found[1].replace("[...]", "") if found else ""


def at(value: Any, place: str) -> Any:
    """The part of the value at this path."""
    for index, name in _STEP.findall(place):
        value = value[int(index)] if index else value[name]
    return value


def reason(error: msgspec.ValidationError) -> str:
    """The error of the library, in words."""
    said = _PATH.sub("", str(error))
    wanted = re.match(r"Expected `([^`]+)`", said)
    if wanted is not None:
        kinds = [_WORDS.get(each.strip(), each.strip()) for each in wanted[1].split("|") if each.strip() != "null"]
        return f"must be {' or '.join(kinds)}"
    missing = re.fullmatch(r"Object missing required field `(.*)`", said)
    if missing is not None:
        return f"lacks {missing[1]}"
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", said)
    if unknown is not None:
        return f"has the unknown member {unknown[1]}"
    return f"is wrong: {said[:300]}"
