"""How an attempt is scored against the expected response."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


def score(expected: Mapping[str, Any], response: Mapping[str, Any]) -> float:
    """1.0 if the two say the same, else 0.0.

    The order of annotations, relations and categories does not count, nor do the ids that an editor makes up for
    annotations.
    """
    return 1.0 if _comparable(expected) == _comparable(response) else 0.0


def _comparable(response: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in response.items() if value != []}
    if isinstance(said.get("categories"), list):
        said["categories"] = sorted(said["categories"])
    annotations = said.get("annotations")
    if isinstance(annotations, list):
        said["annotations"] = _in_order([_without_id(annotation) for annotation in annotations])
        said["relations"] = _in_order(_relations(annotations, said.get("relations", ())))
    return said


def _without_id(annotation: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in annotation.items() if name not in ("uuid", "id")}


def _relations(
    annotations: Sequence[Mapping[str, Any]], relations: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The relations, with the annotations themselves where their ids stood."""
    named = {annotation.get("id"): _without_id(annotation) for annotation in annotations}
    return [
        {**relation, "from": named.get(relation["from"]), "to": named.get(relation["to"])} for relation in relations
    ]


def _in_order(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(parts, key=lambda part: msgspec.json.encode(part, order="deterministic"))


def _number(value: Any) -> Any:
    """The same number in the same form: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_number(part) for part in value]
    if isinstance(value, dict):
        return {name: _number(part) for name, part in value.items()}
    return value
