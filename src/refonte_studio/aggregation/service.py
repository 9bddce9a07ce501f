"""Aggregation for other rooms: combines responses into one result with the models of the people who gave them."""

from collections.abc import Collection

from refonte_studio.aggregation import store
from refonte_studio.aggregation.model import NO_MODELS, AnnotatorModels, StoredModels
from refonte_studio.aggregation.policy import INLINE_CHARACTERS, INLINE_STEPS, aggregate, aggregate_one, cost, is_costly
from refonte_studio.aggregation.store import refit_when_due, request_refit
from refonte_studio.db import Tx

__all__ = [
    "INLINE_CHARACTERS",
    "INLINE_STEPS",
    "aggregate",
    "aggregate_one",
    "annotator_models",
    "cost",
    "is_costly",
    "refit_when_due",
    "request_refit",
    "stored_models",
]


async def annotator_models(tx: Tx, team_id: str, project_id: str, people: Collection[str]) -> AnnotatorModels:
    """Returns the project's models, decoded: of its questions and of these people."""
    found = await stored_models(tx, team_id, project_id, people)
    return AnnotatorModels.stored(found) if found.questions else NO_MODELS


async def stored_models(tx: Tx, team_id: str, project_id: str, people: Collection[str]) -> StoredModels:
    """Returns the same models as they are stored, for use in another process."""
    questions = await store.question_models(tx, team_id, project_id)
    if not questions:
        return StoredModels()
    return StoredModels(questions, await store.models_of(tx, team_id, project_id, sorted(people)))
