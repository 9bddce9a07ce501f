"""Lists of names in parameters: choices, labels, fields. Each name must be valid and unique in its list.

This applies to new parameters, which are stored with names in canonical form (see `kit.names`). Parameters of existing
tasks are read unchanged.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from refonte_studio.kit.names import checked_text, name_key
from refonte_studio.task_types.parts.checks import MAX_NAME, at, missing, refuse
from refonte_studio.task_types.parts.choices import MAX_DEPTH, key, walk

# Parameters, and members of parameters, that are lists of choices.
_CHOICES = frozenset(
    {
        *("categories", "choices", "options", "labels", "instance_labels", "features", "objects_to_annotate"),
        *("events_to_annotate", "events", "turn_labels", "speakers"),
    }
)
# Lists of plain names, some of which may contain objects for the editor only.
_PLAIN = ("z_order_labels", "skip_labels", "read_only_field_ids", "allowed_geometries")
# Parameters whose members have names: objects by name, or lists of objects.
_NAMED = ("fields", "repeatable_fields", "row_fields", "annotation_attributes", "taxonomies", "criteria")
_NAMES = ("field_id", "name", "key", "id", "title", "label")
_RELATIONS = ("relationships", "relationship_definitions", "relationshipDefinitions")
_DEEPEST = 4 * MAX_DEPTH
# Parameters that may contain lists of choices at any depth.
_HOLDERS = (*_CHOICES, *_NAMED, "geometries")


def check_distinct(choices: object, path: str, least: int = 1) -> None:
    """Checks that every choice, including nested ones, is one visible line and unique, and that there are at least
    `least`."""
    met: dict[Any, str] = {}
    for value, here, _, _ in walk(choices, path):
        name = checked_text(here, value, MAX_NAME) if isinstance(value, str) else value
        first = met.setdefault(key(name), here)
        if first != here:
            refuse(here, value, f"is the same as {first}")
    if len(met) < least:
        missing(path, f"needs at least {least} choices, has {len(met)}")


def check_names(params: Mapping[str, Any]) -> None:
    """Checks the names in parameters that have passed the other checks of their type."""
    for name in _HOLDERS:
        if params.get(name):
            _check(name, params[name], name)
    for name in _PLAIN:
        listed = params.get(name)
        if isinstance(listed, list):
            _check_plain((at(name, index), each) for index, each in enumerate(listed) if isinstance(each, str))
    for name in _RELATIONS:
        _check_relations(params.get(name), name)


def _check(name: str, value: Any, path: str, depth: int = 0) -> None:
    """Checks a member of parameters and its contents, to the depth that types read."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        if name in _CHOICES:
            check_distinct(value, path)
            return
        if name in _NAMED:
            _check_plain(_fields(value, path))
        for index, each in enumerate(value):
            if isinstance(each, dict | list):
                _check("", each, at(path, index), depth + 1)
    elif isinstance(value, dict):
        if name in _NAMED:
            _check_plain((path, each) for each in value)
        for member, each in value.items():
            if member != "conditions" and isinstance(each, dict | list):
                _check(member, each, at(path, member), depth + 1)


def _fields(listed: list[Any], path: str) -> Iterable[tuple[str, str]]:
    for index, each in enumerate(listed):
        here = at(path, index)
        if isinstance(each, str):
            yield here, each
        elif isinstance(each, dict):
            name = next((name for name in _NAMES if isinstance(each.get(name), str)), None)
            if name is not None:
                yield at(here, name), each[name]


def _check_plain(names: Iterable[tuple[str, str]]) -> None:
    met: dict[str, str] = {}
    for path, name in names:
        checked_text(path, name, MAX_NAME)
        first = met.setdefault(name_key(name), name)
        if first is not name:
            refuse(path, name, f"is the same as {first!r} before it")


def _check_relations(relations: Any, path: str) -> None:
    """Checks that a relation is defined only once for each pair of labels."""
    if isinstance(relations, dict):
        relations, path = relations.get("definitions"), at(path, "definitions")
    met: set[tuple[str, ...]] = set()
    listed: list[Any] = relations if isinstance(relations, list) else []
    for index, each in enumerate(listed):
        definition: Any = {"name": each} if isinstance(each, str) else each
        if not isinstance(definition, dict) or not isinstance(definition.get("name"), str):
            continue
        here, name = at(path, index), checked_text(at(at(path, index), "name"), definition["name"], MAX_NAME)
        ends = (str(definition.get(end)) for end in ("source_label", "target_label"))
        relation = (name, *map(name_key, ends))
        if relation in met:
            refuse(here, definition["name"], "is defined twice for these labels")
        met.add(relation)


_TIDY = frozenset({*_HOLDERS, *_PLAIN, *_RELATIONS})
_TIDY_TEXTS = frozenset(
    {
        *_CHOICES,
        *_PLAIN,
        *_RELATIONS,
        *("subchoices", "children", "subcategories"),
        *("value", "choice", "name", "label", "source_label", "target_label"),
        "conditions",
    }
)


def canonical_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters with choices and labels in canonical form, as they are stored.

    The parameters must have passed their type's checks.
    """
    return {name: _canonical(name, value, 0) if name in _TIDY else value for name, value in params.items()}


def _canonical(name: str, value: Any, depth: int) -> Any:
    """Returns the canonical content of the member with that name."""
    if isinstance(value, str):
        return name_key(value) if name in _TIDY_TEXTS else value
    if depth > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_canonical(name, each, depth + 1) for each in value]
    if isinstance(value, dict):
        # a condition contains names of choices and attributes throughout
        return {key: _canonical(name if name == "conditions" else key, each, depth + 1) for key, each in value.items()}
    return value
