"""What other rooms use of `dispatch`."""

from refonte_studio.dispatch.service.claiming import (
    attachment_of,
    claim_and_pacing,
    claim_next,
    extend,
    history,
    paced_caller,
    queue,
    release,
    signed_in,
    skip,
)
from refonte_studio.dispatch.service.cursors import advance_cursor, forget_cursors_ahead, look_back
from refonte_studio.dispatch.service.filters import ids_filtered_by
from refonte_studio.dispatch.service.rework import send_back
from refonte_studio.dispatch.service.submitting import claim_of, submit, to_check
from refonte_studio.dispatch.service.termination import expire_leases

__all__ = [
    "advance_cursor",
    "attachment_of",
    "claim_and_pacing",
    "claim_next",
    "claim_of",
    "expire_leases",
    "extend",
    "forget_cursors_ahead",
    "history",
    "ids_filtered_by",
    "look_back",
    "paced_caller",
    "queue",
    "release",
    "send_back",
    "signed_in",
    "skip",
    "submit",
    "to_check",
]
