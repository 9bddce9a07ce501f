"""Questions with typed answers: the fields of forms and transcriptions, the attributes of annotations."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from refonte_studio.kit.names import name_key
from refonte_studio.task_types.parts.checks import (
    MAX_NUMBER,
    a_flag,
    a_name,
    a_number,
    a_text,
    a_whole,
    an_array,
    at,
    listed,
    missing,
    one_of,
    refuse,
)
from refonte_studio.task_types.parts.choices import Scalar, a_scalar, key, leaves

# The types of questions, and the kind of answer of each.
KINDS: Mapping[str, str] = {
    **dict.fromkeys(("text", "string", "textarea", "url", "email", "phone", "linked"), "text"),
    **dict.fromkeys(("image", "audio", "video", "file", "signature"), "text"),
    **dict.fromkeys(("category", "select", "radio", "dropdown", "checkbox", "multiselect"), "category"),
    **dict.fromkeys(("number", "slider", "linear_scale", "x_offset", "y_offset"), "number"),
    **dict.fromkeys(("ranking", "ranking_order", "rank"), "ranking"),
    **{kind: kind for kind in ("any", "angle", "boolean", "integer", "rating", "date", "time", "time_range")},
    **dict.fromkeys(("datetime", "timestamp"), "datetime"),
}
_BOUNDS: Mapping[str, tuple[float | None, float | None]] = {"rating": (1, 5), "angle": (0, 360)}
_NUMERIC = ("number", "integer", "rating", "angle")
_SEVERAL = ("category", "ranking")
_NUMERAL = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its type as written, the kind of its answer, and the limits of the answer."""

    name: str
    type: str
    kind: str
    required: bool
    multiple: bool = False
    options: Mapping[tuple[bool, Scalar], Scalar] | None = None
    fewest: int = 1
    most: int = 1
    least: float | None = None
    greatest: float | None = None


def question(spec: dict[str, Any], path: str, name: str, default: str | None) -> Question:
    """Parses a question; `default` is its type if it has none."""
    written = spec.get("type")
    if written is None:
        written = "category" if default is not None and (spec.get("choices") or spec.get("options")) else default
    if written is None:
        missing(at(path, "type"))
    kind = KINDS[one_of(written, at(path, "type"), KINDS)]
    required = False if spec.get("required") is None else a_flag(spec["required"], at(path, "required"))
    if kind in _SEVERAL:
        return _choosing(spec, path, Question(name, written, kind, required))
    if kind in _NUMERIC:
        return _measuring(spec, path, Question(name, written, kind, required))
    values = 2 if kind == "time_range" else 1
    return Question(name, written, kind, required, multiple=values > 1, fewest=values, most=values)


def _choosing(spec: dict[str, Any], path: str, asked: Question) -> Question:
    source = "options" if spec.get("choices") is None and spec.get("options") is not None else "choices"
    if spec.get(source) is None:
        missing(at(path, source))
    options = {key(value): value for value in leaves(spec[source], at(path, source))}
    if asked.kind == "ranking":
        fewest = most = len(options)
    else:
        fewest, most = _limits(spec, path, asked.type, len(options))
    multiple = asked.kind == "ranking" or most > 1 or _many(spec, path, asked.type)
    return Question(asked.name, asked.type, asked.kind, asked.required, multiple, options, fewest, most)


def _many(spec: dict[str, Any], path: str, written: str) -> bool:
    flags = [a_flag(spec[name], at(path, name)) for name in ("allow_multiple", "multiple", "multi") if name in spec]
    return any(flags) or written in ("checkbox", "multiselect")


def _limits(spec: dict[str, Any], path: str, written: str, count: int) -> tuple[int, int]:
    """Returns the minimum and maximum number of choices of an answer."""
    fewest, most = spec.get("min_choices"), spec.get("max_choices")
    fewest = 1 if fewest is None else a_whole(fewest, at(path, "min_choices"), 0)
    if most is not None:
        most = a_whole(most, at(path, "max_choices"), max(fewest, 1))
    else:
        most = count if _many(spec, path, written) else max(fewest, 1)
    if fewest > count:
        refuse(at(path, "min_choices"), fewest, f"is more than the {count} choices there are")
    return fewest, min(most, count)


def _measuring(spec: dict[str, Any], path: str, asked: Question) -> Question:
    low, high = _BOUNDS.get(asked.kind, (None, None))
    least = low if spec.get("min") is None else a_number(spec["min"], at(path, "min"))
    greatest = high if spec.get("max") is None else a_number(spec["max"], at(path, "max"))
    found = Question(asked.name, asked.type, asked.kind, asked.required, least=least, greatest=greatest)
    sample = _sample_number(found)
    if greatest is not None and sample > greatest:
        refuse(at(path, "max"), greatest, f"leaves no {asked.kind} that is at least {least:g}")
    return found


def check_value(asked: Question, value: object, path: str) -> Any:
    """Checks an answer in the form of a value: an array if several choices are allowed, otherwise a single value."""
    if asked.multiple:
        return check_values(asked, an_array(value, path), path)
    if isinstance(value, list):
        refuse(path, value, "is not a single value, and the question takes one")
    return check_one(asked, value, path)


def check_values(asked: Question, values: list[Any], path: str) -> list[Any]:
    """Checks an answer in the form of a list, as in every field of a form."""
    fewest = max(asked.fewest, 1) if asked.required else asked.fewest
    if not fewest <= len(values) <= asked.most:
        wanted = str(fewest) if fewest == asked.most else f"{fewest} to {asked.most}"
        missing(path, f"has {len(values)} value{'' if len(values) == 1 else 's'}, {wanted} wanted")
    found = [check_one(asked, value, at(path, index)) for index, value in enumerate(values)]
    if asked.options is not None and len({key(value) for value in found}) < len(found):
        missing(path, "names a choice twice")
    if asked.kind == "time_range" and found[0] > found[1]:
        refuse(at(path, 1), found[1], "is before the start")
    return found


def check_one(asked: Question, value: Any, path: str) -> Any:
    """Checks one value of an answer."""
    if asked.options is not None:
        if isinstance(value, str) and key(value) not in asked.options:
            value = name_key(value)
        if not isinstance(value, str | int | float) or key(value) not in asked.options:
            refuse(path, value, f"is not one of {listed(asked.options.values())}")
        return asked.options[key(value)]
    if asked.kind in _NUMERIC:
        return _number(asked, value, path)
    if asked.kind in ("text", "any") and asked.required and isinstance(value, str) and not value.strip():
        missing(path, "is required and is blank")
    return _PLAIN[asked.kind](value, path)


def _number(asked: Question, value: Any, path: str) -> int | float:
    if isinstance(value, str) and _NUMERAL.fullmatch(value):  # the content of a number field of a web form
        value = float(value) if "." in value else int(value)
    found = a_number(value, path, asked.least, asked.greatest)
    return a_whole(found, path) if asked.kind == "integer" else found


def _any(value: object, path: str) -> Scalar:
    return a_text(value, path) if isinstance(value, str) else a_scalar(value, path)


def _moment(parse: Callable[[str], Any], what: str) -> Callable[[object, str], str]:
    def check(value: object, path: str) -> str:
        written = a_name(value, path)
        try:
            parse(written)
        except ValueError:
            refuse(path, value, f"is not {what} in ISO 8601")
        return written

    return check


def _second(value: object, path: str) -> int | float:
    return a_number(value, path, 0)


_PLAIN: Mapping[str, Callable[[Any, str], Any]] = {
    "text": a_text,
    "any": _any,
    "boolean": a_flag,
    "date": _moment(date.fromisoformat, "a date"),
    "time": _moment(time.fromisoformat, "a time of day"),
    "datetime": _moment(datetime.fromisoformat, "a date and time"),
    "time_range": _second,
}
_SAMPLES: Mapping[str, Any] = {
    "text": "Sample",
    "any": "Sample",
    "boolean": True,
    "date": "2024-01-31",
    "time": "12:00:00",
    "datetime": "2024-01-31T12:00:00",
    "time_range": 0,
}


def sample_value(asked: Question) -> Any:
    """Returns an answer that `check_value` accepts."""
    return sample_values(asked) if asked.multiple else sample_values(asked)[0]


def sample_values(asked: Question) -> list[Any]:
    """Returns an answer that `check_values` accepts."""
    if asked.options is not None:
        return list(asked.options.values())[: max(asked.fewest, 1)]
    if asked.kind in _NUMERIC:
        return [_sample_number(asked)]
    return [_SAMPLES[asked.kind]] * (2 if asked.kind == "time_range" else 1)


def _sample_number(asked: Question) -> int | float:
    least = asked.least if asked.least is not None else min(0, asked.greatest if asked.greatest is not None else 0)
    return math.ceil(least) if asked.kind == "integer" and asked.least is not None else _floor(asked, least)


def _floor(asked: Question, value: float) -> int | float:
    return math.floor(value) if asked.kind == "integer" and abs(value) <= MAX_NUMBER else value
