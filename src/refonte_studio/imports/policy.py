"""Checks of imported lines: external attempts, and tasks from an export."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from refonte_studio.kit.clock import DAY_MS, parse_time
from refonte_studio.kit.errors import BadInput, StudioError, shown
from refonte_studio.kit.json_text import as_json
from refonte_studio.kit.names import checked_text, person_key
from refonte_studio.kit.texts import kind_of, plain_text
from refonte_studio.projects.model import DEFAULT_NAME
from refonte_studio.task_types import TaskType
from refonte_studio.tasks.model import RESERVED

LABELER_LENGTH = 200
GIVEN_LIMIT = 100  # upper bound on the external attempts of one task


class ExternalAttempt(msgspec.Struct, frozen=True):
    """A checked attempt that was made outside of this server."""

    labeler: str  # a teammate's address or any other name
    response: str  # JSON, in canonical form
    started_at: int
    submitted_at: int


_GIVEN = frozenset({"labeler", "response", "submitted_at", "started_at"})
_OF_EXPORTS = frozenset({"imported", "imported_by"})  # fields of an export that an import sets again


def creation_of(exported: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters that create the task of an exported line again, without its state and result there.

    The default project and a project's default batch are left out: they are created with their first task.
    """
    kept = {name: value for name, value in exported.items() if name == "type" or name not in RESERVED}
    if kept.get("batch") == f"{kept.get('project')} (default)":
        del kept["batch"]
    if kept.get("project") == DEFAULT_NAME and "batch" not in kept:
        del kept["project"]
    return kept


def given_attempts(task_type: TaskType, params: str, value: Any, now: int) -> list[ExternalAttempt]:
    """Checks the external attempts at a task with these parameters (JSON); returns them in order of submission.

    Raises BadInput, naming the offending value and its index.
    """
    if not isinstance(value, list):
        raise BadInput(f"attempts must be a list, not {kind_of(value)}")
    if len(value) > GIVEN_LIMIT:
        raise BadInput(f"attempts has {len(value):,} entries; at most {GIVEN_LIMIT} are taken")
    decoded: dict[str, Any] = msgspec.json.decode(params)  # in the same form as when a labeler submits
    checked: dict[str, str] = {}  # a cache, because responses are often equal

    def canonical(response: Any) -> str:
        said = as_json("response", response)
        if said not in checked:
            checked[said] = as_json("response", task_type.check_response(decoded, response))
        return checked[said]

    made: dict[str, ExternalAttempt] = {}
    for index, each in enumerate(value):
        try:
            attempt = _given(each, canonical, now)
        except StudioError as error:
            raise BadInput(f"attempts[{index}]: {error.message}") from error
        if made.setdefault(person_key(attempt.labeler), attempt) is not attempt:
            raise BadInput(f"attempts[{index}]: labeler {shown(each['labeler'])} has an attempt before this one, too")
    return sorted(made.values(), key=lambda attempt: attempt.submitted_at)


def _given(value: Any, canonical: Callable[[Any], str], now: int) -> ExternalAttempt:
    if not isinstance(value, dict):
        raise BadInput(f"an attempt must be an object, not {kind_of(value)}")
    attempt: dict[str, Any] = value
    unknown = [name for name in attempt if name not in _GIVEN | _OF_EXPORTS]
    if unknown:
        raise BadInput(f"unknown field{'s' if len(unknown) > 1 else ''}: {', '.join(map(shown, unknown[:20]))}")
    if attempt.get("response") is None:
        raise BadInput("response is required")
    submitted_at = _moment("submitted_at", attempt.get("submitted_at"), now)
    now = now if submitted_at is None else submitted_at
    started_at = _moment("started_at", attempt.get("started_at"), now)
    if started_at is not None and started_at > now:
        raise BadInput(f"started_at {shown(attempt['started_at'])} is after the submission")
    return ExternalAttempt(
        labeler=_labeler(attempt.get("labeler")),
        response=canonical(attempt["response"]),
        started_at=now if started_at is None else started_at,
        submitted_at=now,
    )


def _labeler(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput(f"labeler must be text, not {kind_of(value)}")
    return person_key(checked_text("labeler", value, LABELER_LENGTH))


def _moment(name: str, value: Any, now: int) -> int | None:
    """Parses a time in the past, with a tolerance of a day for clocks that differ. Raises BadInput for any other."""
    if value is None:
        return None
    moment = parse_time(name, plain_text(name, value, 100))
    if not 0 <= moment <= now + DAY_MS:
        raise BadInput(f"{name} must be between 1970 and now, not {shown(value)}")
    return moment
