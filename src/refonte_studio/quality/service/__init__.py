"""What other rooms use of `quality`."""

from refonte_studio.quality.service.quality_tasks import (
    attempts,
    create_quality_task,
    make_of_task,
    note_declined,
    parted,
    score_attempt,
    to_score,
)
from refonte_studio.quality.service.standings import accuracy, add_pauses, courses, feedback, lift_pauses, pauses
from refonte_studio.quality.store.standings import not_their_own

__all__ = [
    "accuracy",
    "add_pauses",
    "attempts",
    "courses",
    "create_quality_task",
    "feedback",
    "lift_pauses",
    "make_of_task",
    "not_their_own",
    "note_declined",
    "parted",
    "pauses",
    "score_attempt",
    "to_score",
]
