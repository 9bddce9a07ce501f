"""Which projects, pipelines, parameters and groups are valid."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.consensus.asking import USUAL_TARGET, usual_least
from refonte_studio.consensus.model import METHODS
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.projects.model import (
    MAX_ATTEMPTS,
    MIN_ATTEMPTS,
    MIX_OF,
    PIPELINES,
    SENDS_TO,
    STANDARD,
    Pipeline,
    QualitySettings,
)

DEFAULT_ATTEMPTS = 3
PARAMS_LIMIT_BYTES = 1_000_000
PARAMS_LIMIT = 1_000
_PIPELINES: Mapping[str, Pipeline] = {name: name for name in PIPELINES}


def checked_type(name: str) -> str:
    """Returns the canonical name of a task type that projects can have. Raises BadInput naming the value."""
    found = task_types.get(name)
    if found is None:
        raise BadInput(f"there is no task type {shown(name)}; the types are {', '.join(task_types.TYPES)}")
    return found.name


def checked_pipeline(pipeline: str | None, attempts: int | None, present: int | None = None) -> tuple[Pipeline, int]:
    """Returns a valid pipeline and number of attempts for a Studio project that currently has `present` attempts."""
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
    """Raises BadInput if a pipeline was chosen for a project that is not a Studio project."""
    if pipeline is not None:
        raise BadInput(f"pipeline {shown(pipeline)}: only Studio projects have one")
    if attempts is not None:
        raise BadInput(f"consensus_attempts {shown(attempts)}: only Studio projects have them")
    return STANDARD, DEFAULT_ATTEMPTS


def checked_params(params: Mapping[str, Any]) -> str:
    """Returns parameters in stored form, without null values. Raises BadInput for too many or too large ones."""
    given = {name: value for name, value in params.items() if value is not None}
    if len(given) > PARAMS_LIMIT:
        raise BadInput(f"a project has at most {PARAMS_LIMIT:,} parameters, not {len(given):,}")
    text = msgspec.json.encode(given).decode()
    if len(text) > PARAMS_LIMIT_BYTES:
        raise BadInput(f"a project's parameters have at most {PARAMS_LIMIT_BYTES:,} bytes, not {len(text):,}")
    return text


MAX_LEVELS = 3
MAX_TRIES = 100
_SHARES = ("target_confidence", "review_below", "audit_rate", "pass_mark", "evaluation_rate", "pause_below")
_WHOLES = {
    "min_attempts": (1, MAX_ATTEMPTS),
    "review_levels": (0, MAX_LEVELS),
    "training_attempts": (1, MAX_TRIES),
    "pause_after": (1, 10_000),
}


def check_settings(names: Iterable[str]) -> None:
    """Raises BadInput for a name that is not a quality setting."""
    for name in names:
        if name not in QualitySettings.__struct_fields__:
            known = ", ".join(QualitySettings.__struct_fields__)
            raise BadInput(f"there is no quality setting {shown(name)}; they are {known}")


def checked_quality(settings: QualitySettings, consensus_attempts: int) -> QualitySettings:
    """Returns valid settings. Either setting of an adaptive consensus implies a default for the other.

    Raises BadInput naming an invalid value.
    """
    if settings.consensus_method not in METHODS:
        raise BadInput(f"consensus_method must be one of {', '.join(METHODS)}, not {shown(settings.consensus_method)}")
    if settings.rejects_to not in SENDS_TO:
        raise BadInput(f"rejects_to must be one of {', '.join(SENDS_TO)}, not {shown(settings.rejects_to)}")
    for name in _SHARES:
        value = getattr(settings, name)
        if value is not None and not 0 <= value <= 1:
            raise BadInput(f"{name} must be a number from 0 to 1, not {shown(value)}")
    for name, (least, most) in _WHOLES.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            raise BadInput(f"{name} must be {least} to {most:,}, not {shown(value)}")
    least, target = settings.min_attempts, settings.target_confidence
    if (least is None) == (target is None):
        return settings
    least = usual_least(consensus_attempts) if least is None else least
    return msgspec.structs.replace(
        settings, min_attempts=least, target_confidence=USUAL_TARGET if target is None else target
    )


def check_adaptive(given: Mapping[str, Any], consensus_attempts: int | None) -> None:
    """Raises BadInput for an adaptive consensus that a project with this many attempts (None: no consensus) cannot
    have."""
    for name in ADAPTIVE:
        if consensus_attempts is None and given.get(name) is not None:
            raise BadInput(f"{name} {shown(given[name])} goes with the pipeline consensus_task only")
    least = given.get("min_attempts")
    if least is not None and consensus_attempts is not None and least > consensus_attempts:
        raise BadInput(f"min_attempts must be at most the {consensus_attempts} consensus_attempts, not {shown(least)}")


ADAPTIVE = ("min_attempts", "target_confidence")


def mix_of(rate: float) -> int:
    """Converts a rate to a number out of 65,536."""
    return round(rate * MIX_OF)


def template_variables(params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a task of a textcollection project shows and asks, as far as the project defines it."""
    names = ("title", "description", "instruction", "attachments", "fields")
    return {name: params[name] for name in names if name in params}


def response_schema(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns the fields that a response fills, by id; None if the project leaves them to its tasks."""
    fields = params.get("fields")
    if not isinstance(fields, list):
        return None
    known = [field for field in fields if isinstance(field, dict) and isinstance(field.get("field_id"), str)]
    return {field["field_id"]: {key: field[key] for key in ("type", "title") if key in field} for field in known}
