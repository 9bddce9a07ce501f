"""What other rooms use of `reviews`."""

from refonte_studio.reviews.service.reviewing import (
    attachment_of,
    check_filters,
    claim_next,
    comments_on,
    decide,
    expire_leases,
    extend,
    on_disabled,
    on_results_due,
    on_review_due,
    on_tasks_ended,
    release,
    review_of,
    to_check,
)

__all__ = [
    "attachment_of",
    "check_filters",
    "claim_next",
    "comments_on",
    "decide",
    "expire_leases",
    "extend",
    "on_disabled",
    "on_results_due",
    "on_review_due",
    "on_tasks_ended",
    "release",
    "review_of",
    "to_check",
]
