"""Lists of choices: plain values, or objects that may contain further choices."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from refonte_studio.task_types.parts.checks import MAX_ITEMS, a_name, a_number, an_array, at, is_number, missing, refuse

MAX_DEPTH = 10
KNOWN_ITEMS = 200  # choices of a list that is remembered

Scalar = str | int | float | bool

# Keys that name a choice, the most specific first: {label, value} of a form, {choice, subchoices} of a drawing, {name,
# display_name, children} of a text.
_NAMES = ("value", "choice", "name", "label")
_CHILDREN = ("subchoices", "children", "choices", "subcategories")


def walk(choices: object, path: str, depth: int = 0) -> Iterator[tuple[Any, str, int, bool]]:
    """Yields every choice, parents before children: its unchecked value, path, depth, and whether it is a leaf."""
    if depth > MAX_DEPTH:
        missing(path, f"is nested more than {MAX_DEPTH} deep")
    for index, item in enumerate(an_array(choices, path, least=1)):
        here = at(path, index)
        if not isinstance(item, dict):
            yield item, here, depth, True
            continue
        name = next((key for key in _NAMES if item.get(key) is not None), None)
        if name is None:
            missing(here, f"has none of {', '.join(_NAMES)}")
        inner = next((key for key in _CHILDREN if item.get(key)), None)
        yield item[name], at(here, name), depth, inner is None
        if inner is not None:
            yield from walk(item[inner], at(here, inner), depth + 1)


def names(choices: object, path: str) -> tuple[str, ...]:
    """Returns the distinct names of all choices, including parents, in order."""
    # Most lists are plain names; checking them all at once keeps categorization fast.
    if isinstance(choices, list) and 0 < len(choices) <= MAX_ITEMS and all(type(each) is str for each in choices):
        plain = (_known_names if len(choices) <= KNOWN_ITEMS else _plain_names)(tuple(choices))
        if plain is not None:
            return plain
    found: dict[str, None] = {}
    for value, here, _, _ in walk(choices, path):
        found[a_name(value, here)] = None
        if len(found) > MAX_ITEMS:
            missing(path, f"has more than {MAX_ITEMS} choices")
    return tuple(found)


def _plain_names(choices: tuple[str, ...]) -> tuple[str, ...] | None:
    """Each of these names once, in order; None if one is not a name as it stands."""
    plain = dict.fromkeys(choices)
    if all(each and not each.isspace() and len(each) <= 100 for each in plain):
        return tuple(plain)
    return None


_known_names = lru_cache(maxsize=1_024)(_plain_names)


def leaves(choices: object, path: str) -> tuple[Scalar, ...]:
    """Returns the distinct values of the choices without further choices: strings, numbers or booleans."""
    found: dict[tuple[bool, Scalar], Scalar] = {}
    for value, here, _, leaf in walk(choices, path):
        if leaf:
            found.setdefault(key(a_scalar(value, here)), value)
        if len(found) > MAX_ITEMS:
            missing(path, f"has more than {MAX_ITEMS} choices")
    return tuple(found.values())


def a_scalar(value: Any, path: str) -> Scalar:
    if isinstance(value, str):
        return a_name(value, path)
    if is_number(value):
        return a_number(value, path)
    if not isinstance(value, bool):
        refuse(path, value, "is not a string, number or boolean")
    return value


def key(value: Scalar) -> tuple[bool, Scalar]:
    """Returns a key that distinguishes true from 1, which Python considers equal."""
    return isinstance(value, bool), value
