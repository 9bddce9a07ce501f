"""How an attempt is scored against the expected response."""

from typing import Any

import msgspec

_MADE_UP = {"uuid", "id"}  # ids that an editor gives to annotations: no part of the answer


def score(expected: dict[str, Any], response: dict[str, Any]) -> float:
    """1.0 if the two say the same, else 0.0. Neither made-up ids nor the order of annotations count."""
    return 1.0 if _comparable(expected) == _comparable(response) else 0.0


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _comparable(inner) for name, inner in sorted(value.items()) if name not in _MADE_UP}
    if isinstance(value, list):
        parts = [_comparable(inner) for inner in value]
        if parts and all(isinstance(part, dict) for part in parts) and not _is_path(parts):
            return sorted(parts, key=msgspec.json.encode)
        return parts
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _is_path(parts: list[Any]) -> bool:
    """Whether these are the points of a polygon or line, whose order is their meaning."""
    return all("x" in part and "y" in part and "label" not in part for part in parts)
