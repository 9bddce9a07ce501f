"""The page about events: what callbacks tell of, and their payloads."""

import json
from collections.abc import Mapping

from refonte_studio.callbacks.model import CallbackEvent
from tests.house.sources import ROOT
from tests.reference.markdown import json_block, table

INTRO = """\
# Callback events

A callback event is recorded in the transaction that causes it, and delivered as a callback: a signed `POST` to a URL,
or a mail. [Receive callbacks](../how-to/receive-callbacks.md) explains how to receive, verify and repeat them.

"""

# When each event happens, and where it is sent. A new event needs a line here.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "task.completed": (
        "A task with a `callback_url` (its own or its project's) is completed. In test mode this is at once.",
        "the `callback_url`",
    ),
    "task.canceled": ("A task with a `callback_url` is canceled.", "the `callback_url`"),
    "task.changed": (
        "A completed task gets another response, because more is known about the people who attempted it.",
        "the `callback_url`",
    ),
    "task.audited": (
        "An audit accepts, rejects or fixes a completed task. The payload's task has the outcome.",
        "the `callback_url`",
    ),
    "task.resent": (
        "Somebody asks for the callback of a task again: `POST /v1/task/{id}/send_callback`.",
        "the `callback_url`",
    ),
    "batch.completed": (
        "The last pending task of a batch with a `callback` ends.",
        "the `callback`: a URL or an e-mail address",
    ),
    "labeler.paused": (
        "A project's rules pause a labeler, because of their accuracy in evaluation or because they did not pass "
        "training. A pause by a manager causes no callback.",
        "every admin and manager, by mail",
    ),
}

PAYLOADS = """
## Payloads

A payload shows the task or batch as it is when the payload is sent. These are examples; the schemas are in
[`openapi.json`](../../openapi.json) under `webhooks`.

"""


def document() -> str:
    rows = [(f"`{event.value}`", *MEANINGS[event.value]) for event in CallbackEvent]
    examples = json.loads((ROOT / "tests/callbacks/payloads.json").read_text())
    shown = [f"### `{name}`\n\n{json_block(payload)}" for name, payload in examples.items()]
    return INTRO + table(("event", "when", "sent to"), rows) + PAYLOADS + "\n".join(shown)
