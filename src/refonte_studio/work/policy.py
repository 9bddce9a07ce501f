"""Choices of dispatch that need no database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import md5

from refonte_studio.work.model import Waiting, default_batch_name

MIX_BELOW = 51  # of 256: how many tasks for work are preceded by an evaluation task, while any is due


def mixes_in(teammate_id: str, task_id: str) -> bool:
    """Whether an evaluation task, if one is due, comes before this task: by chance, but the same at every try."""
    return md5(f"{teammate_id}{task_id}".encode(), usedforsecurity=False).digest()[0] < MIX_BELOW


NOTE_EVERY = 16  # claims: a person's next look goes over no more tasks that they have had
LOOK_BACK_EVERY = 128  # claims: the same for batches that they have been through, and that are not done yet


def notes_reach(noted: bool, claim_id: str) -> bool:
    """Whether to note, after this claim, how far the person has come in its batch."""
    return not noted or int(claim_id[-4:], 16) % NOTE_EVERY == 0


def looks_back(noted: bool, claim_id: str) -> bool:
    """Whether to note the same for the batches before: when they have just come into this one, and now and then."""
    return not noted or int(claim_id[-4:], 16) % LOOK_BACK_EVERY == 0


def with_quality(waiting: Sequence[Waiting], quality: Mapping[str, int]) -> list[Waiting]:
    """Counts quality tasks, by project, as if they were tasks of the project's next batch, as their claims say too."""
    left = dict(quality)
    counted = [replace(part, tasks=part.tasks + left.pop(part.project, 0)) for part in waiting]
    return counted + [Waiting(project, default_batch_name(project), tasks) for project, tasks in left.items()]
