"""Use-cases of tasks that a review sent back: who does them again, and what becomes of those that they do not."""

from collections.abc import Sequence

from refonte_studio.db import Tx
from refonte_studio.dispatch.store import claims as claim_store
from refonte_studio.dispatch.store import rework_items as rework_store
from refonte_studio.kit.ids import new_id
from refonte_studio.projects.model import SendTo
from refonte_studio.tasks.model import Task


async def send_back(tx: Tx, task: Task, people: Sequence[str], sent_to: SendTo, now: int) -> None:
    """A task whose slots are locked goes back: to the people whose attempts were rejected, to different ones, or to
    anyone.

    For `same`, a slot is taken to be kept for each of them; the slots of those who may not work it now open. Whoever
    has reviewed the task, and seen what others answered, does not get it.
    """
    await _bar_reviewers(tx, task, now)
    if sent_to == "different":
        return
    await rework_store.retake(tx, task.team_id, task.id, people)
    if sent_to == "same":
        due = await rework_store.insert(tx, task, people, now)
        if due < len(people):
            await claim_store.give_back_slots(tx, task.team_id, [task.slots_in], [task.id], len(people) - due)


async def _bar_reviewers(tx: Tx, task: Task, now: int) -> None:
    barred = await rework_store.reviewers_to_bar(tx, task)
    await rework_store.bar(tx, task, {teammate_id: new_id(now) for teammate_id in barred}, now)


async def give_up(tx: Tx, team_id: str, teammate_ids: Sequence[str], project_ids: Sequence[str] | None) -> None:
    """These people, who may not work in these projects (None: in any) any more, have nothing to do again there; the
    slots that were kept for them open.

    A claim that one of them holds is like any other from now on: the slot opens when it ends.
    """
    rework_items = await rework_store.of_people(tx, team_id, teammate_ids, project_ids)
    if not rework_items:
        return
    await rework_store.lock_slots(tx, team_id, rework_items)
    rework_items = await rework_store.of_people(tx, team_id, teammate_ids, project_ids)
    await rework_store.remove(tx, team_id, rework_items)
    for item in rework_items:
        if not item["held"]:
            await claim_store.give_back_slots(tx, team_id, [item["batch_id"]], [item["task_id"]], 1)
