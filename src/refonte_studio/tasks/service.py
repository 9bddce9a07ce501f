"""What other rooms may ask of tasks. The use-cases stand in modules of their own."""

from refonte_studio.tasks.completion import (
    AT_ONCE,
    combined,
    complete_attempted,
    record_attempt,
    retarget,
    settle,
    settle_late,
)
from refonte_studio.tasks.creation import copy_task, create_task
from refonte_studio.tasks.edits import cancel, find, lock, lock_pending
from refonte_studio.tasks.lists import described, tasks_by_ids

__all__ = [
    "AT_ONCE",
    "cancel",
    "combined",
    "complete_attempted",
    "copy_task",
    "create_task",
    "described",
    "find",
    "lock",
    "lock_pending",
    "record_attempt",
    "retarget",
    "settle",
    "settle_late",
    "tasks_by_ids",
]
