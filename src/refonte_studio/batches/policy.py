"""Which batches are valid, and the order of the queue."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from refonte_studio.batches.model import STATES, Batch, BatchType
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import address_key, checked_name, is_address
from refonte_studio.kit.urls import checked_url

RESERVED_NAMES = ("set_priorities", "reset_priorities")  # these are paths next to /v1/studio/batches/{batch}
CALLBACK_LIMIT = 2_000
METADATA_LIMIT_BYTES = 1_000_000


def checked_batch_name(name: str) -> str:
    """Returns a valid batch name in canonical form."""
    kept = checked_name("batch", name)
    if kept in RESERVED_NAMES:
        raise BadInput(f"a batch cannot be named {shown(name)}")
    return kept


def batch_type(calibration: bool, self_label: bool) -> BatchType:
    """Returns the batch type that the two flags of a request select."""
    if calibration and self_label:
        raise BadInput("calibration_batch and self_label_batch cannot both be true")
    if calibration:
        return "Calibration"
    return "SelfLabel" if self_label else "Production"


def one_callback(callback: str | None, callback_url: str | None) -> str | None:
    """Returns the callback given under either of its names, or under both with the same value."""
    if callback and callback_url and callback != callback_url:
        raise BadInput(f"callback {shown(callback)} and callback_url {shown(callback_url)} differ; give one of them")
    return callback or callback_url


def checked_callback(callback: str | None) -> str | None:
    """Returns what to notify when the batch completes: a URL, an e-mail address, or None."""
    if not callback:
        return None
    if len(callback) > CALLBACK_LIMIT:
        raise BadInput(f"callback has at most {CALLBACK_LIMIT:,} characters, not {len(callback):,}")
    if "://" in callback:
        return checked_url("callback", callback)
    if not is_address(callback):
        raise BadInput(f"callback must be an http or https URL or an e-mail address, not {shown(callback)}")
    return address_key(callback)


def checked_metadata(metadata: Mapping[str, Any]) -> str:
    """Returns metadata in stored form."""
    text = msgspec.json.encode(metadata).decode()
    if len(text) > METADATA_LIMIT_BYTES:
        raise BadInput(f"metadata has at most {METADATA_LIMIT_BYTES:,} bytes, not {len(text):,}")
    return text


def check_not_emptied(given: Mapping[str, Any], present: str) -> None:
    """Raises BadInput if empty metadata would replace existing metadata (a JSON object), which is rarely intended."""
    names = [] if given else list(msgspec.json.decode(present, type=dict[str, Any]))
    if names:
        names_shown = ", ".join(map(shown, names[:10])) + (", …" if len(names) > 10 else "")
        raise BadInput(
            f"the body holds no metadata, which would remove all existing metadata, under {names_shown}; "
            "to remove it, set clear=true in the query"
        )


def checked_status(status: str) -> str:
    """Returns a state that batches can be filtered by. Raises BadInput for any other value."""
    if status not in STATES:
        raise BadInput(f"status must be one of {', '.join(STATES)}, not {shown(status)}")
    return status


# ------------------------------------------------------------------------------------- the queue's order


def trade(queue: Sequence[str], order: Sequence[str]) -> list[str]:
    """Returns the queue after the batches in `order` have exchanged positions among themselves, so that they follow
    `order`."""
    traders = frozenset(order)
    incoming = iter(order)
    return [next(incoming) if each in traders else each for each in queue]


def put_first(queue: Sequence[str], among: Collection[str], first: Sequence[str]) -> list[str]:
    """Returns the queue with `first` moved to the front of the positions of `among`; the others keep their order."""
    ahead = frozenset(first)
    return trade(queue, [*first, *(each for each in queue if each in among and each not in ahead)])


def put_at(queue: Sequence[str], one: str, place: int) -> list[str]:
    """Returns the queue with one batch moved to a position, starting at 1; a position beyond the end means the end."""
    rest = [each for each in queue if each != one]
    return [*rest[: place - 1], one, *rest[place - 1 :]]


def put_back(queue: Sequence[Batch], among: Collection[str]) -> list[str]:
    """Returns the queue with `among` in initial order, using only positions that they already had."""
    initial = sorted((batch for batch in queue if batch.id in among), key=initial_order)
    return trade([batch.id for batch in queue], [batch.id for batch in initial])


def initial_order(batch: Batch) -> tuple[bool, int, str]:
    """The sort key of the initial order: calibration batches first, then by creation."""
    return (batch.batch_type != "Calibration", batch.created_at, batch.id)
