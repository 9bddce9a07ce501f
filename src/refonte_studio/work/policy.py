"""Choices of dispatch that need no database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from zlib import crc32

from refonte_studio.work.model import Waiting, default_batch_name

MIX_EVERY = 5  # of so many tasks for work, on average, one is preceded by an evaluation task while any is due


def mixes_in(teammate_id: str, task_id: str) -> bool:
    """Whether an evaluation task, if one is due, comes before this task: by chance, but the same at every try."""
    return crc32(f"{teammate_id}{task_id}".encode()) % MIX_EVERY == 0


def with_quality(waiting: Sequence[Waiting], quality: Mapping[str, int]) -> list[Waiting]:
    """Counts quality tasks, by project, as if they were tasks of the project's next batch, as their claims say too."""
    left = dict(quality)
    counted = [replace(part, tasks=part.tasks + left.pop(part.project, 0)) for part in waiting]
    return counted + [Waiting(project, default_batch_name(project), tasks) for project, tasks in left.items()]
