"""What other rooms may ask of tasks. The use-cases stand in modules of their own."""

from refonte_studio.tasks.checking import Checks, Given, is_large
from refonte_studio.tasks.completion import (
    AT_ONCE,
    complete_attempted,
    complete_enough,
    complete_reviewed,
    record_attempt,
    retarget,
    send_back,
    settle,
    settle_late,
)
from refonte_studio.tasks.creation import Ready, copy_task, create_task, made_ready, project_before
from refonte_studio.tasks.edits import cancel, find, lock, lock_pending, set_callback_succeeded, to_check
from refonte_studio.tasks.judging import NOTHING, Known
from refonte_studio.tasks.lists import described, tasks_by_ids
from refonte_studio.tasks.outcomes import alone, is_costly, judged
from refonte_studio.tasks.policy import checked_response, recorded_before, task_type
from refonte_studio.tasks.store_places import rules_of

__all__ = [
    "AT_ONCE",
    "NOTHING",
    "Checks",
    "Given",
    "Known",
    "Ready",
    "alone",
    "cancel",
    "checked_response",
    "complete_attempted",
    "complete_enough",
    "complete_reviewed",
    "copy_task",
    "create_task",
    "described",
    "find",
    "is_costly",
    "is_large",
    "judged",
    "lock",
    "lock_pending",
    "made_ready",
    "project_before",
    "record_attempt",
    "recorded_before",
    "retarget",
    "rules_of",
    "send_back",
    "set_callback_succeeded",
    "settle",
    "settle_late",
    "task_type",
    "tasks_by_ids",
    "to_check",
]
