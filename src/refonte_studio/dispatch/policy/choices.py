"""Choices of dispatch that need no database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import md5

from refonte_studio.dispatch.model import QualityWaiting, Waiting, default_batch_name


def mixes_in(teammate_id: str, task_id: str, mix: int) -> bool:
    """Whether an evaluation task, if one is due, comes before this task: by chance, but the same at every try.

    It does before `mix` of 65,536 tasks.
    """
    chance = md5(f"{teammate_id}{task_id}".encode(), usedforsecurity=False).digest()[:2]
    return int.from_bytes(chance) < mix


NOTE_EVERY = 16  # claims: a person's next look goes over no more tasks that they have had
LOOK_BACK_EVERY = 128  # claims: the same for batches that they have been through, and that are not done yet


def advances_cursor(has_cursor: bool, claim_id: str) -> bool:
    """Whether to note, after this claim, how far the person has come in its batch."""
    return not has_cursor or int(claim_id[-4:], 16) % NOTE_EVERY == 0


def looks_back(has_cursor: bool, claim_id: str) -> bool:
    """Whether to note the same for the batches before: when they have just come into this one, and now and then."""
    return not has_cursor or int(claim_id[-4:], 16) % LOOK_BACK_EVERY == 0


def with_quality(waiting: Sequence[Waiting], quality: Sequence[QualityWaiting], most: int) -> list[Waiting]:
    """Counts quality tasks as if they were tasks of the batch that their claims will name; up to `most` in a batch."""
    counted = {(part.project, part.batch): part for part in waiting}
    first: dict[str, str] = {}  # the batch of each project whose turn it is, or would be
    working: dict[str, str] = {}
    for part in waiting:
        first.setdefault(part.project, part.batch)
        if part.tasks:
            working.setdefault(part.project, part.batch)
    for due in quality:
        key = (due.project, _shown_in(due, working, first))
        part = counted.get(key, Waiting(*key, 0))
        counted[key] = replace(part, tasks=min(most, part.tasks + due.tasks))
    return list(counted.values())


def _shown_in(due: QualityWaiting, working: Mapping[str, str], first: Mapping[str, str]) -> str:
    """While there is other work, what is mixed in is of the same batch; what is left comes in the one worked last."""
    return (
        due.batch
        or working.get(due.project)
        or due.last_batch
        or first.get(due.project)
        or default_batch_name(due.project)
    )
