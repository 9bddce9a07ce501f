"""The parameters of an operation whose parameters are not always the same, from body and query."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.web.params import decode_json

_SCALARS: Mapping[str, type] = {"boolean": bool, "integer": int, "number": float}


def given_parameters(
    schemas: Mapping[str, Mapping[str, Any]], body: Mapping[str, Any], query: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Body and query as one. Raises BadInput where they disagree, or where a text cannot be what it stands for.

    `schemas` are the JSON schemas of the known parameters; others pass as they are.
    """
    given = {name: value for name, value in body.items() if value is not None}
    values: dict[str, list[str]] = {}
    bracketed: set[str] = set()
    for name, value in query:
        bare = name.removesuffix("[]")
        values.setdefault(bare, []).append(value)
        if bare != name:
            bracketed.add(bare)
    for name, texts in values.items():
        value = _value(name, _kinds(schemas.get(name, {})), texts, name in bracketed)
        if name in given and _differ(given[name], value):
            raise BadInput(f"{name} is given twice and differs: {shown(given[name])} and {shown(value)}")
        given[name] = value
    return given


def _differ(one: Any, other: Any) -> bool:
    try:
        return one != other
    except RecursionError as error:
        raise BadInput("a parameter is nested too deeply") from error


def _json(name: str, text: str) -> Any:
    try:
        return decode_json(text.encode())
    except BadInput as error:
        raise BadInput(f"{name} is not valid JSON: {shown(text)}") from error


def _kinds(schema: Mapping[str, Any]) -> Sequence[str]:
    """The JSON types that a parameter may have; text if nothing is said of it."""
    kinds = schema.get("type", "string")
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _value(name: str, kinds: Sequence[str], texts: Sequence[str], bracketed: bool) -> Any:
    first = texts[0].lstrip()[:1]
    if len(texts) == 1 and ((first == "[" and "array" in kinds) or (first == "{" and "object" in kinds)):
        return _json(name, texts[0])
    if "array" in kinds:
        if len(texts) > 1 or bracketed:
            return list(texts)
        return [part.strip() for part in texts[0].split(",")] if texts[0].strip() else []
    if len(set(texts)) > 1:
        raise BadInput(f"{name} is given {len(texts)} times, with different values")
    if kinds == ("object",):
        return _json(name, texts[0])
    scalar = next((_SCALARS[kind] for kind in kinds if kind in _SCALARS), None)
    if scalar is None or "string" in kinds:
        return texts[0]
    try:
        return msgspec.convert(texts[0], scalar, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"{name}: {error}, got {shown(texts[0])}") from error
