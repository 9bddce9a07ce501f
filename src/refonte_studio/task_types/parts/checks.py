"""Checks of JSON values. Each takes a value and its path, and returns the typed value or raises BadInput.

No check compares, prints or traverses a value of unknown depth, so that no input can cause a RecursionError.
"""

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import name_key

MAX_ANNOTATIONS = 10_000
MAX_ITEMS = 10_000
MAX_TEXT = 100_000
MAX_NAME = 1_000
MAX_NUMBER = 1e15

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


def shown_value(value: object) -> str:
    """Formats a value for an error message: its length is limited, whatever its size or depth."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return shown(value[:200])
    if isinstance(value, int) and value.bit_length() > 200:
        return "a huge number"
    return shown(value)


def size_of(value: object) -> int:
    """Returns the number of values in a JSON value, whatever its depth; a thousand characters of text count as one
    more."""
    count, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        count += 1
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, str):
            count += len(each) // 1_000
    return count


def texts_in(value: object) -> list[str]:
    """Returns the texts in a JSON value, whatever its depth."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict | list):
            waiting.extend(each.values() if isinstance(each, dict) else each)
    return found


def at(path: str, key: str | int) -> str:
    """Returns the path of a member or item: `response.annotations[2].label`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{shown_value(key)}]"


def refuse(path: str, value: object, why: str) -> NoReturn:
    raise BadInput(f"{path}: {shown_value(value)} {why}")


class MissingValue(BadInput):
    """A required value is missing; any of `names` would be sufficient."""

    def __init__(self, names: Sequence[str]) -> None:
        first, *others = names
        super().__init__(f"{first}: is required" + (f" (or {' or '.join(others)})" if others else ""))
        self.names = tuple(names)


def missing_value(*names: str) -> NoReturn:
    """Raises MissingValue for a required value, which may have any of these names."""
    raise MissingValue(names)


def missing(path: str, what: str | None = None) -> NoReturn:
    """Raises BadInput about the value at a path; without `what`, because it is required."""
    if what is None:
        missing_value(path)
    raise BadInput(f"{path}: {what}")


def listed(options: Collection[Any], limit: int = 50) -> str:
    """Formats the first few options for a message."""
    first = ", ".join(shown_value(option) for option, _ in zip(options, range(limit), strict=False))
    return first if len(options) <= limit else f"{first}, … ({len(options)} in all)"


def an_object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        refuse(path, value, "is not an object")
    return value


def record(value: object, path: str, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Returns an object with all required members and no unknown ones."""
    found = an_object(value, path)
    for key in required:
        if key not in found:
            missing(at(path, key))
    if len(found) > len(required):
        for key in found:
            if key not in required and key not in optional:
                missing(at(path, key), f"is not a field here; the fields are {listed((*required, *optional))}")
    return found


def an_array(value: object, path: str, least: int = 0, most: int = MAX_ITEMS) -> list[Any]:
    if not isinstance(value, list):
        refuse(path, value, "is not an array")
    if len(value) < least:
        missing(path, f"needs at least {least} item{'s' if least > 1 else ''}, has {len(value)}")
    if len(value) > most:
        missing(path, f"has {len(value)} items, at most {most} are allowed")
    return value


def a_text(value: object, path: str, most: int = MAX_TEXT) -> str:
    if not isinstance(value, str):
        refuse(path, value, "is not a string")
    if len(value) > most:
        missing(path, f"has {len(value)} characters, at most {most} are allowed")
    return value


def a_name(value: object, path: str) -> str:
    """Returns a string that is a name: not blank, and not too long."""
    text = a_text(value, path, MAX_NAME)
    if not text.strip():
        refuse(path, value, "is blank")
    return text


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def a_number(value: Any, path: str, least: float | None = None, most: float | None = None) -> int | float:
    if not is_number(value):
        refuse(path, value, "is not a number")
    # The limit must be checked before isfinite, which overflows on huge integers; NaN fails the comparison.
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        refuse(path, value, "is too large a number" if not _is_nan(value) else "is not a finite number")
    if least is not None and value < least:
        refuse(path, value, f"is less than {least:g}")
    if most is not None and value > most:
        refuse(path, value, f"is more than {most:g}")
    return value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def a_whole(value: Any, path: str, least: int | None = None, most: int | None = None) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_NUMBER:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(path, value, "is not a whole number")
    a_number(value, path, least, most)
    return value


def a_flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        refuse(path, value, "is not true or false")
    return value


def one_of(value: object, path: str, options: Collection[str]) -> str:
    if not isinstance(value, str) or value not in options:
        refuse(path, value, f"is not one of {listed(options)}")
    return value


def a_choice(value: object, path: str, options: Collection[str]) -> str:
    """Returns the choice or label with this text, or with the same name (see `kit.names`)."""
    if isinstance(value, str) and value not in options and name_key(value) in options:
        return name_key(value)
    return one_of(value, path, options)


def flag(params: dict[str, Any], name: str, default: bool = False) -> bool:
    value = params.get(name)
    return default if value is None else a_flag(value, name)


class UniqueIds:
    """Identifiers so far; rejects the second use of one."""

    def __init__(self) -> None:
        self._met: set[str] = set()

    def add(self, value: object, path: str) -> str:
        name = a_name(value, path)
        if name in self._met:
            refuse(path, value, "is used twice")
        self._met.add(name)
        return name


def annotations_of(response: object, optional: Sequence[str] = ()) -> tuple[dict[str, Any], list[Any]]:
    """Returns the response object and its `annotations`, which every annotating type has."""
    found = record(response, "response", ("annotations",), optional)
    return found, an_array(found["annotations"], "response.annotations", most=MAX_ANNOTATIONS)
