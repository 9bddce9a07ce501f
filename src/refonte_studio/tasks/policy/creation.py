"""The checks of a task creation that need no database, and the rules of a task's completion.

The API and imports share these checks.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.consensus.asking import wants_more
from refonte_studio.kit.caller import Mode
from refonte_studio.kit.errors import BadInput, NotFound, shown
from refonte_studio.kit.json_text import as_json
from refonte_studio.kit.names import checked_text
from refonte_studio.kit.texts import kind_of, plain_text
from refonte_studio.kit.urls import checked_url
from refonte_studio.projects.model import ANY_TYPE, MIN_ATTEMPTS, Project, QualitySettings, settings_of
from refonte_studio.task_types import TaskType
from refonte_studio.tasks.model import (
    RESERVED,
    TAG_LENGTH,
    TAG_LIMIT,
    UNIQUE_ID_LENGTH,
    CompletionRules,
    Draft,
    RecordedAttempt,
    ReviewReason,
    Step,
    Task,
    TaskSlots,
)

COMMENT_LENGTH = 10_000

# Parameters that have their own columns in `tasks`, because they change or are searched for.
COLUMNS = frozenset({"project", "batch", "callback_url", "metadata", "tags", "unique_id"})
# Parameters that a task never inherits from its project.
_NOT_INHERITED = RESERVED | {"project", "batch", "unique_id"}

# Parameters that no project can set; the second list is for a project that takes tasks of every type.
_OF_A_TASK = (("project", "batch", "unique_id"), ("project", "batch", "unique_id", "hypothesis", "base_annotations"))

_encode = msgspec.json.Encoder().encode


def next_step(rules: CompletionRules, attempts: int, confidence: float) -> tuple[Step, ReviewReason | None]:
    """Returns the next step of a task that has all requested attempts and a result of this confidence.

    A review comes with its reason; any other step with None.
    """
    target = rules.quality.target_confidence
    if rules.adaptive and target is not None and wants_more(confidence, attempts, rules.least, rules.most, target):
        return Step.ASK, None
    if rules.quality.review_levels:
        return Step.REVIEW, ReviewReason.LEVEL
    least = rules.quality.review_below
    if least is not None and confidence < least:
        return Step.REVIEW, ReviewReason.CONFIDENCE
    return Step.COMPLETE, None


def recorded(task: Task, slots: TaskSlots) -> RecordedAttempt:
    """Returns what the submitter of the next attempt learns.

    A training or evaluation task has many attempts; its numbers restart, so that they look like those of a task for
    work.
    """
    rules = slots.rules
    number = (slots.attempts if task.kind == "work" else slots.attempts % slots.wanted) + 1
    return _recorded(number, rules.most if rules.adaptive else slots.wanted, rules.quality)


def recorded_before(number: int, wanted: int, quality: str | None) -> RecordedAttempt:
    """Returns the same for an attempt that was recorded earlier; `quality` is JSON, or None for the defaults."""
    return _recorded(number, wanted, settings_of(quality))


def _recorded(number: int, wanted: int, settings: QualitySettings) -> RecordedAttempt:
    """Hides that the task wants additional attempts, which would reveal that the earlier ones disagree."""
    shown_number = (
        min(number, wanted, settings.min_attempts or MIN_ATTEMPTS) if settings.adaptive else min(number, wanted)
    )
    return RecordedAttempt(number, wanted, shown_number, number >= wanted and not settings.review_levels)


def task_type(name: str) -> TaskType:
    """Returns the task type with this name or alias. Raises NotFound, listing the types, for any other name."""
    found = task_types.get(name)
    if found is None:
        raise NotFound(f"there is no task type {shown(name)}; the types are {', '.join(task_types.TYPES)}")
    return found


def name_in(given: Mapping[str, Any], parameter: str) -> str | None:
    """Returns the name of the project or batch in a creation, or None. Raises BadInput unless it is text."""
    value = given.get(parameter)
    return None if value is None else plain_text(parameter, value, 1_000)


def inherited(project: Project) -> Mapping[str, Any]:
    """Returns the parameters that tasks inherit from the project."""
    return _inherited(project.params)


@lru_cache(maxsize=256)
def _inherited(params: str) -> Mapping[str, Any]:
    every = msgspec.json.decode(params, type=dict[str, Any])
    kept = {name: value for name, value in every.items() if value is not None and name not in _NOT_INHERITED}
    return MappingProxyType(kept)


def drafted(task_type: TaskType, given: Mapping[str, Any], project: Project | None, mode: Mode) -> Draft:
    """Checks the parameters of a new task and returns its draft.

    `project` is None for a default project that does not exist yet. Raises BadInput, naming the offending value.
    """
    own = _own([task_type], given)
    if project is not None and project.type not in (task_type.name, ANY_TYPE):
        raise BadInput(f"project {shown(project.name)} is for {project.type} tasks, not for {task_type.name}")
    params = own if project is None else {**_inherited_beside(own, task_type, project), **own}
    task_type.check_params(params)
    params = task_types.canonical_params(params)
    unique_id, callback_url = params.get("unique_id"), params.get("callback_url")
    return Draft(
        type=task_type.name,
        params=as_json("params", {name: value for name, value in params.items() if name not in COLUMNS}),
        metadata=as_json("metadata", params["metadata"]) if "metadata" in params else "{}",
        tags=tags(params["tags"]) if "tags" in params else (),
        unique_id=None if unique_id is None else checked_unique_id(unique_id),
        callback_url=checked_url("callback_url", callback_url) if callback_url else None,
        response=as_json("response", task_type.sample_response(params)) if mode == "test" else None,
    )


def checked_response(task_type: TaskType, params: dict[str, Any], name: str, response: object) -> str:
    """Returns the response given in the parameter `name`, as JSON. Raises BadInput if it does not fit the task."""
    try:
        checked = task_type.check_response(params, response)
    except BadInput as error:
        raise BadInput(f"{name} does not fit the task: {error.message}") from error
    return _encode(checked).decode()


def _inherited_beside(own: Mapping[str, Any], task_type: TaskType, project: Project) -> Mapping[str, Any]:
    """Returns the parameters that a task inherits: none that its own parameters replace, and from a project for tasks
    of every type only those that its type has."""
    handed = inherited(project)
    replaced = {name for names in task_type.either if any(own.get(name) for name in names) for name in names}
    if project.type == ANY_TYPE:
        replaced.update(task_types.unknown_parameters(task_type, handed))
    return {name: value for name, value in handed.items() if name not in replaced} if replaced else handed


def handed_down(project_type: str, given: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Merges new parameters into those of a project and checks the result.

    Required parameters may be missing, because tasks can supply them. In a project for tasks of every type, every type
    that has a parameter must accept its value. Raises BadInput, naming the offending value.
    """
    takers = list(task_types.TYPES.values()) if project_type == ANY_TYPE else [task_type(project_type)]
    own = _own(takers, given)
    for name in _OF_A_TASK[project_type == ANY_TYPE]:
        if name in own:
            raise BadInput(f"{name} is a task's own, so a project cannot hand it down: {shown(own[name])}")
    params = {**present, **own}
    for each in takers:
        unknown = task_types.unknown_parameters(each, params)
        each.check_given({name: value for name, value in params.items() if name not in unknown})
    if params.get("callback_url"):
        checked_url("callback_url", params["callback_url"])
    if "tags" in params:
        tags(params["tags"])
    return task_types.canonical_params(params)


def _own(takers: Sequence[TaskType], given: Mapping[str, Any]) -> dict[str, Any]:
    """Normalizes given parameters: drops null, turns text into a list of one where a list is expected, and converts
    numbers and booleans written as text. Raises BadInput for unknown parameters."""
    own = {name: value for name, value in given.items() if value is not None}
    schemas: dict[str, dict[str, Any]] = {}
    for each in reversed(takers):
        schemas |= _schemas(each)
    unknown = [name for name in own if name not in schemas]
    if unknown:
        told = ", ".join(_suggested(name, schemas) for name in unknown[:20])
        raise BadInput(f"unknown parameter{'s' if len(unknown) > 1 else ''}: {told}")
    for name, value in own.items():
        schema = schemas[name]
        own[name] = [value] if isinstance(value, str) and schema.get("type") == "array" else value
        own[name] = task_types.coerced(own[name], schema)
    return own


def _suggested(name: str, known: Iterable[str]) -> str:
    """Returns the unknown name with the most similar known name, if there is one."""
    like = get_close_matches(name[:100], known, 1)
    return f"{shown(name)} (did you mean {shown(like[0])}?)" if like else shown(name)


@lru_cache(maxsize=64)
def _schemas(task_type: TaskType) -> Mapping[str, dict[str, Any]]:
    return MappingProxyType(task_types.schemas_of(task_type))


def checked_unique_id(value: Any) -> str:
    """Returns the unique_id. Raises BadInput unless it is text of at most `UNIQUE_ID_LENGTH` characters."""
    return plain_text("unique_id", value, UNIQUE_ID_LENGTH)


def tags(value: Any) -> tuple[str, ...]:
    """Returns the tags in order, without duplicates; text counts as a list of one. Raises BadInput for bad tags."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise BadInput(f"tags must be a list of texts, not {kind_of(value)}")
    return bounded_tags(_tag(f"tags[{index}]", tag) for index, tag in enumerate(listed))


def _tag(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{place} must be text, not {kind_of(value)}")
    return checked_text(place, value, TAG_LENGTH)


def bounded_tags(every: Iterable[str]) -> tuple[str, ...]:
    """Returns the tags without duplicates. Raises BadInput for more than `TAG_LIMIT`."""
    kept = tuple(dict.fromkeys(every))
    if len(kept) > TAG_LIMIT:
        raise BadInput(f"a task has at most {TAG_LIMIT} tags, not {len(kept)}")
    return kept
