"""What other rooms may use of tasks. The use-cases are in the modules of this package."""

from refonte_studio.tasks.policy.creation import (
    checked_response,
    drafted,
    inherited,
    name_in,
    recorded_before,
    task_type,
)
from refonte_studio.tasks.service.completion import (
    AT_ONCE,
    complete_attempted,
    complete_enough,
    complete_reviewed,
    record_attempt,
    send_back,
    settle,
    settle_late,
    update_wanted_attempts,
)
from refonte_studio.tasks.service.creation import (
    PreparedCreation,
    copy_task,
    create_task,
    prepare_creation,
    project_before,
)
from refonte_studio.tasks.service.editing import cancel, find, lock, lock_pending, set_callback_succeeded, to_check
from refonte_studio.tasks.service.listing import described, tasks_by_ids
from refonte_studio.tasks.service.response_checks import Checks, SentResponse, is_large
from refonte_studio.tasks.store.task_slots import rules_of

__all__ = [
    "AT_ONCE",
    "Checks",
    "PreparedCreation",
    "SentResponse",
    "cancel",
    "checked_response",
    "complete_attempted",
    "complete_enough",
    "complete_reviewed",
    "copy_task",
    "create_task",
    "described",
    "drafted",
    "find",
    "inherited",
    "is_large",
    "lock",
    "lock_pending",
    "name_in",
    "prepare_creation",
    "project_before",
    "record_attempt",
    "recorded_before",
    "rules_of",
    "send_back",
    "set_callback_succeeded",
    "settle",
    "settle_late",
    "task_type",
    "tasks_by_ids",
    "to_check",
    "update_wanted_attempts",
]
