"""Building blocks of JSON Schema for the descriptions of responses."""

from collections.abc import Mapping, Sequence
from typing import Any

STRING: dict[str, Any] = {"type": "string"}
NAME: dict[str, Any] = {"type": "string", "minLength": 1}
NUMBER: dict[str, Any] = {"type": "number"}
POSITIVE: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean"]}
ATTRIBUTES: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]},
}


def closed(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns an object with these members and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def array(items: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least} if least else {"type": "array", "items": items}


def any_of(schemas: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def response(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def annotated(annotation: dict[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns the response of an annotating type: an object with `annotations`."""
    return response(closed({"annotations": array(annotation)}, optional))
