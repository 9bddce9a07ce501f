"""The task types: one module each, found by listing this package. To add a type, add one module with a `TYPE`."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

import msgspec

from refonte_studio.task_types.base import Parameter, TaskType
from refonte_studio.task_types.parts.answers import pair_agreement
from refonte_studio.task_types.parts.canonical_names import canonical_params
from refonte_studio.task_types.parts.checks import MAX_ANNOTATIONS
from refonte_studio.task_types.parts.parameters import COMMON_PARAMETERS, coerced
from refonte_studio.task_types.parts.size_limits import MAX_CHARACTERS, MAX_FRAMES, MAX_RUNS, MAX_VALUES, MAX_VERTICES

__all__ = [
    "ALIASES",
    "COMMON_PARAMETERS",
    "MAX_ANNOTATIONS",
    "MAX_CHARACTERS",
    "MAX_FRAMES",
    "MAX_RUNS",
    "MAX_VALUES",
    "MAX_VERTICES",
    "TYPES",
    "WHOLE_QUESTIONS",
    "Parameter",
    "TaskType",
    "canonical_params",
    "coerced",
    "get",
    "pair_agreement",
    "params_for_labeler",
    "schemas_of",
    "unknown_parameters",
]

# Names of types in older clients.
ALIASES: Mapping[str, str] = {"categorize": "categorization"}

# Questions whose label is the whole response.
WHOLE_QUESTIONS = frozenset({"category", "choice"})


def _found() -> dict[str, TaskType]:
    types: dict[str, TaskType] = {}
    for module in iter_modules(__path__):
        if module.ispkg or module.name == "base":
            continue
        found: TaskType = import_module(f"{__name__}.{module.name}").TYPE
        types[found.name] = found
    return types


TYPES: Mapping[str, TaskType] = MappingProxyType(_found())


def get(name: str) -> TaskType | None:
    """Returns the type with this name, or with this name in older clients; None if there is none."""
    return TYPES.get(ALIASES.get(name, name))


def unknown_parameters(type: TaskType, params: Iterable[str]) -> list[str]:  # noqa: A002 - the agreed name
    """Returns the names that are parameters neither of every task nor of this type, in order."""
    return [name for name in params if name not in COMMON_PARAMETERS and name not in type.parameters]


def params_for_labeler(type_name: str, params: str, person_id: str, task_id: str) -> bytes:
    """Returns a task's parameters as the person who works on or reviews it may see them. Both are JSON."""
    task_type = TYPES[type_name]
    if not task_type.conceals:
        return params.encode()
    return msgspec.json.encode(task_type.params_for_labeler(msgspec.json.decode(params), f"{person_id}/{task_id}"))


def schemas_of(task_type: TaskType) -> dict[str, dict[str, Any]]:
    """Returns the JSON schema of every parameter that creating a task of this type accepts."""
    return {name: parameter.schema for name, parameter in {**COMMON_PARAMETERS, **task_type.parameters}.items()}
