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

The states of things, and the moves between them. The tables are in each room's `model.py`, and this page is generated
from them. They describe the moves; the conditions of the stores' statements enforce them.
"""

SECTIONS: tuple[tuple[str, str, Mapping[tuple[str, str], str], tuple[str, ...]], ...] = (
    (
        "Teammate",
        "An invitation creates an `invited` person; the set-up link and the command line create `active` ones.\n"
        "Disabling ends sessions, keys and claims at once. `restore` is for people who had joined, `reopen` for\n"
        "those who had not. An import of answers creates `external` annotators for unknown names. They are not\n"
        "teammates until they are invited, or added on the command line.",
        teams.MOVES,
        ("invited", "active", "external"),
    ),
    (
        "Batch",
        "A batch of a Studio project is created in `staging`, and accepts tasks until it is finalized. Any other\n"
        "batch, and every default batch, is `in_progress` from the start. A Studio project's default batch never\n"
        "completes, and a completed batch is reopened, by a new task, only outside Studio projects.",
        batches.MOVES,
        ("staging", "in_progress"),
    ),
    (
        "Task",
        "A task is `pending` while it waits for attempts, while it is under review, and while a costly result is\n"
        "computed in the background; then its slots are `judging`, and nobody works on it. In test mode a task\n"
        "completes when it is created.",
        tasks.MOVES,
        ("pending",),
    ),
    (
        "Claim",
        "One person's hold on one slot of a task. Only `held` keeps a slot. After `released` and `expired` the\n"
        "person may get the task again. After `submitted` and `skipped` they may not, except by `retake`: a\n"
        "review sends the task back to them, or they repeat training that they did not pass (that they declined,\n"
        "once a manager gives them a new start). `end` comes from outside: the person left the project or the\n"
        "team, or the task was completed or canceled, or came under review.",
        work.MOVES,
        ("held",),
    ),
    (
        "Review",
        "One level of a round of review of a pending task that has its attempts. `accept` and `fix` open the next\n"
        "level, or complete the task after the last one. After `reject` the task is done again, and its next\n"
        "round begins at the first level. `end` comes from outside: the task was canceled, or a manager sent it\n"
        "to completion.",
        reviews.MOVES,
        ("open",),
    ),
    (
        "Callback",
        "A message to the team's own programs. It waits for its first or next try. After the last try it has\n"
        "`failed`, and can be retried by hand.",
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
