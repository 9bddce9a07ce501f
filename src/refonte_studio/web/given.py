"""The parameters of an operation whose parameters are not always the same, from body and query."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.json_text import decode_json
from refonte_studio.web.params import grouped, split

_SCALARS: Mapping[str, tuple[type, str]] = {
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "number": (float, "a number"),
}


def given_parameters(
    schemas: Mapping[str, Mapping[str, Any]], body: Mapping[str, Any], query: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Body and query as one. Raises BadInput where they disagree, or where a text cannot be what it stands for.

    `schemas` are the JSON schemas of the known parameters; others pass as they are.
    """
    given = {
        name: _of_text(name, _kinds(schemas.get(name, {})), value) if isinstance(value, str) else value
        for name, value in body.items()
        if value is not None
    }
    for name, (texts, bracketed) in grouped(query).items():
        value = _of_query(name, _kinds(schemas.get(name, {})), texts, bracketed)
        if name in given and _differ(given[name], value):
            raise BadInput(f"{name} is given twice and differs: {shown(given[name])} and {shown(value)}")
        given[name] = value
    return given


def _differ(one: Any, other: Any) -> bool:
    try:
        return one != other
    except RecursionError as error:
        raise BadInput("a parameter is nested too deeply") from error


def _kinds(schema: Mapping[str, Any]) -> Sequence[str]:
    """The JSON types that a parameter may have; text if nothing is said of it."""
    kinds = schema.get("type", "string")
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _of_query(name: str, kinds: Sequence[str], texts: Sequence[str], bracketed: bool) -> Any:
    if "array" in kinds and (len(texts) > 1 or bracketed):
        return list(texts)
    if len(set(texts)) > 1:
        raise BadInput(f"{name} is given {len(texts)} times, with different values")
    if "array" in kinds and not _is_json(kinds, texts[0]):
        return split(texts[0])
    return _of_text(name, kinds, texts[0])


def _is_json(kinds: Sequence[str], text: str) -> bool:
    first = text.lstrip()[:1]
    return (first == "[" and "array" in kinds) or (first == "{" and "object" in kinds)


def _of_text(name: str, kinds: Sequence[str], text: str) -> Any:
    """What a text stands for. One that cannot be a text is JSON, a number, true or false, or a list of one."""
    if "string" in kinds:
        return text
    if _is_json(kinds, text) or kinds == ("object",):
        return decode_json(text.encode("utf-8", "surrogatepass"), name)
    if "array" in kinds:
        return [text]
    scalar, words = next((_SCALARS[kind] for kind in kinds if kind in _SCALARS), (str, "text"))
    try:
        return msgspec.convert(text, scalar, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"{name} must be {words}, not {shown(text)}") from error
