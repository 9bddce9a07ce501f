"""A valid call of every operation, on things that are made for it. A new operation needs its entry in its room.

All names hold a slash, a space, a percent sign and letters beyond ASCII, which clients percent-encode.
"""

from tests.contract.examples import (
    analytics,
    annotator_models,
    batches,
    callbacks,
    dispatch,
    files,
    imports,
    projects,
    quality,
    reviews,
    tasks,
    teams,
)
from tests.contract.examples.requests import BY_NAME, EXAMPLES, VARIANTS, Request

ROOMS = (
    *(analytics, annotator_models, batches, callbacks, dispatch, files),
    *(imports, projects, quality, reviews, tasks, teams),
)

__all__ = ["BY_NAME", "EXAMPLES", "ROOMS", "VARIANTS", "Request"]
