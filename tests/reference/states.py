"""The page about states, from the tables of moves in the models."""

from collections.abc import Mapping

from refonte_studio.batches import model as batches
from refonte_studio.callbacks import model as callbacks
from refonte_studio.dispatch import model as work
from refonte_studio.reviews import model as reviews
from refonte_studio.tasks import model as tasks
from refonte_studio.teams import model as teams

INTRO = """\
# States

What is in a state, and how it gets from one to the next. The tables stand in each room's `model.py`; this page is made
from them. What no row allows is refused, or is not there to be asked for.
"""

SECTIONS: tuple[tuple[str, str, Mapping[tuple[str, str], str], tuple[str, ...]], ...] = (
    (
        "Teammate",
        "An invitation makes an `invited` person; the set-up link and the command line make `active` ones.\n"
        "Disabling ends sessions, keys and claims at once. `restore` is for those who had joined, `reopen` for those\n"
        "who had not. An import of answers makes `external` annotators of whoever it names and nobody knows: no\n"
        "teammates, until they are invited or made one on the command line.",
        teams.MOVES,
        ("invited", "active", "external"),
    ),
    (
        "Batch",
        "A batch of a Studio project is made in `staging`, and takes tasks until it is finalized; any other, and\n"
        "every default batch, is `in_progress` from the start. A Studio project's default batch never completes, and\n"
        "a completed batch is reopened, by a new task, only outside Studio projects.",
        batches.MOVES,
        ("staging", "in_progress"),
    ),
    (
        "Task",
        "A task is `pending` while it waits for attempts, however many it has, while it is under review, and while a\n"
        "result that costs much is made in the background: then its places are `judging`, and nobody works on it. In\n"
        "test mode it completes as it is made.",
        tasks.MOVES,
        ("pending",),
    ),
    (
        "Claim",
        "One person's hold on one place of a task. `held` is the only state that keeps a place. After `released` and\n"
        "`expired` the person may get the task again; after `submitted` and `skipped` they may not, but by `retake`:\n"
        "a review sent the task back to them, or training that was not passed is done again, if it was declined when\n"
        "a manager lets the person begin anew. `end` comes from outside: the person left the project or the team, or\n"
        "the task was completed or canceled, or came under review.",
        work.MOVES,
        ("held",),
    ),
    (
        "Review",
        "One level of a round of review of a pending task that has its attempts. `accept` and `fix` open the next\n"
        "level, or complete the task after the last; after `reject` the task is done again, and its next round begins\n"
        "at the first level. `end` comes from outside: the task was canceled, or a manager sent it to completion.",
        reviews.MOVES,
        ("open",),
    ),
    (
        "Callback",
        "What the team's own programs are told. It waits for its first try, or for the next; after the last it has\n"
        "`failed`, and can be tried again by hand.",
        callbacks.MOVES,
        ("waiting",),
    ),
)


def document() -> str:
    parts = [INTRO]
    for title, text, moves, first in SECTIONS:
        rows = [f"| {state} | {move} | {to} |" for (state, move), to in moves.items()]
        arrows = [f"    {state} --> {to}: {move}" for (state, move), to in moves.items()]
        begin = [f"    [*] --> {state}" for state in first]
        parts.append(f"## {title}\n\n{text}\n")
        parts.append("\n".join(["| in | by | becomes |", "| --- | --- | --- |", *rows]) + "\n")
        parts.append("\n".join(["```mermaid", "stateDiagram-v2", *begin, *arrows, "```"]) + "\n")
    return "\n".join(parts)
