"""What makes a project, a pipeline, parameters and a group well-formed."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.projects.model import PIPELINES, STANDARD, TASK_TYPES, Pipeline

DEFAULT_ATTEMPTS = 3
MIN_ATTEMPTS, MAX_ATTEMPTS = 2, 15
PARAMS_LIMIT_BYTES = 1_000_000
PARAMS_LIMIT = 1_000
_PIPELINES: Mapping[str, Pipeline] = {name: name for name in PIPELINES}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def checked_type(name: str) -> str:
    """A type of tasks that a project can be made for."""
    if name not in TASK_TYPES:
        raise BadInput(f"there is no task type {shown(name)}; the types are {', '.join(TASK_TYPES)}")
    return name


def checked_pipeline(pipeline: str | None, attempts: int | None, present: int | None = None) -> tuple[Pipeline, int]:
    """A pipeline and its number of attempts, for a Studio project that has had `present` attempts so far."""
    chosen = _PIPELINES.get(STANDARD if pipeline is None else pipeline)
    if chosen is None:
        raise BadInput(f"pipeline must be one of {', '.join(PIPELINES)}, not {shown(pipeline)}")
    if attempts is None:
        return chosen, present or DEFAULT_ATTEMPTS
    if chosen == STANDARD:
        raise BadInput(f"consensus_attempts {shown(attempts)} goes with the pipeline consensus_task only")
    if not MIN_ATTEMPTS <= attempts <= MAX_ATTEMPTS:
        raise BadInput(f"consensus_attempts must be {MIN_ATTEMPTS} to {MAX_ATTEMPTS}, not {shown(attempts)}")
    return chosen, attempts


def no_pipeline(pipeline: str | None, attempts: int | None) -> tuple[Pipeline, int]:
    """The pipeline of a project that is no Studio project: raises BadInput if one was chosen."""
    if pipeline is not None:
        raise BadInput(f"pipeline {shown(pipeline)}: only Studio projects have one")
    if attempts is not None:
        raise BadInput(f"consensus_attempts {shown(attempts)}: only Studio projects have them")
    return STANDARD, DEFAULT_ATTEMPTS


def checked_params(params: Mapping[str, Any]) -> str:
    """Parameters as they are stored, without those that are null. Raises BadInput for too many or too long ones."""
    given = {name: value for name, value in params.items() if value is not None}
    if len(given) > PARAMS_LIMIT:
        raise BadInput(f"a project has at most {PARAMS_LIMIT:,} parameters, not {len(given):,}")
    text = msgspec.json.encode(given).decode()
    if len(text) > PARAMS_LIMIT_BYTES:
        raise BadInput(f"a project's parameters have at most {PARAMS_LIMIT_BYTES:,} bytes, not {len(text):,}")
    return text


def is_address(name: str) -> bool:
    """Whether a group's name stands for one person."""
    return _ADDRESS.fullmatch(name.strip()) is not None


def template_variables(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a task of a textcollection project shows and asks, as far as the project fixes it."""
    names = ("title", "description", "instruction", "attachments", "fields")
    return {name: params[name] for name in names if name in params}


def response_schema(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields that a response answers, by id; None where the project leaves them to its tasks."""
    fields = params.get("fields")
    if not isinstance(fields, list):
        return None
    known = [field for field in fields if isinstance(field, dict) and isinstance(field.get("field_id"), str)]
    return {field["field_id"]: {key: field[key] for key in ("type", "title") if key in field} for field in known}
