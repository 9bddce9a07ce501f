"""Choices of dispatch that need no database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from zlib import crc32

from refonte_studio.work.model import Waiting, default_batch_name

MIX_EVERY = 5  # of so many tasks for work, on average, one is preceded by an evaluation task while any is due


def mixes_in(teammate_id: str, task_id: str) -> bool:
    """Whether an evaluation task, if one is due, comes before this task: by chance, but the same at every try."""
    return crc32(f"{teammate_id}{task_id}".encode()) % MIX_EVERY == 0


WALK_LIMIT = 16  # tasks that a look may go over again and again
NOTE_EVERY = 64  # claims; it keeps the look short where much has been done, but not cleared away by the database yet
LOOK_BACK_EVERY = 8  # claims, of which one looks whether batches before the one that had a task can be passed faster


def went_far(walked: int, claim_id: str) -> bool:
    """Whether the next look should begin where this one ended."""
    return walked >= WALK_LIMIT or int(claim_id[-4:], 16) % NOTE_EVERY == 0


def looks_back(claim_id: str) -> bool:
    """Whether this claim is one of the few that look at the batches they passed."""
    return int(claim_id[-4:], 16) % LOOK_BACK_EVERY == 0


def with_quality(waiting: Sequence[Waiting], quality: Mapping[str, int]) -> list[Waiting]:
    """Counts quality tasks, by project, as if they were tasks of the project's next batch, as their claims say too."""
    left = dict(quality)
    counted = [replace(part, tasks=part.tasks + left.pop(part.project, 0)) for part in waiting]
    return counted + [Waiting(project, default_batch_name(project), tasks) for project, tasks in left.items()]
