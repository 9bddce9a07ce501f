"""The composition root: combines all rooms, their event listeners and the application."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from starlette.types import ASGIApp

from refonte_studio.analytics.routes import operations as analytics
from refonte_studio.annotator_models.routes import operations as annotator_models
from refonte_studio.annotator_models.service import refitting
from refonte_studio.api_reference.descriptions import about
from refonte_studio.batches.model import BatchCompleted
from refonte_studio.batches.routes import operations as batches
from refonte_studio.callbacks import service as callbacks_service
from refonte_studio.callbacks.routes import operations as callbacks
from refonte_studio.config import Settings
from refonte_studio.db import Database, Reads, Tx
from refonte_studio.db.engine import Listeners
from refonte_studio.dispatch.routes import operations as dispatch
from refonte_studio.dispatch.service import termination
from refonte_studio.files.routes import operations as files
from refonte_studio.imports.routes import operations as imports
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.clock import Clock, system_clock
from refonte_studio.kit.response_pacer import ResponsePacer
from refonte_studio.projects.model import Paused, PauseLifted, QualityChanged, Unassigned
from refonte_studio.projects.routes import operations as projects
from refonte_studio.quality.routes import operations as quality
from refonte_studio.reviews import service as reviews_service
from refonte_studio.reviews.routes import operations as reviews
from refonte_studio.reviews.routes.managing import operations as reviews_studio
from refonte_studio.tasks.model import (
    AttemptsImported,
    CallbackAsked,
    ResultsDue,
    ReviewDue,
    TaskAudited,
    TasksChanged,
    TasksEnded,
)
from refonte_studio.tasks.routes import pipelines, tasks
from refonte_studio.tasks.routes.project_parameters import operations as project_parameters
from refonte_studio.tasks.service.response_checks import Checks
from refonte_studio.teams import service as teams_service
from refonte_studio.teams.model import TeammatesDisabled
from refonte_studio.teams.routes import operations as teams
from refonte_studio.teams.routes.accounts import operations as accounts
from refonte_studio.teams.service.mail import Mailer
from refonte_studio.teams.service.passwords import Passwords
from refonte_studio.web import Operation, Studio
from refonte_studio.web.account_pages import ACCOUNT_PAGES
from refonte_studio.web.app import create_app
from refonte_studio.web.authentication import Authenticator, Credential
from refonte_studio.web.clients import Clients
from refonte_studio.web.openapi import Schema, document
from refonte_studio.web.site import Readiness, site

OPERATIONS: tuple[Operation, ...] = (
    *teams,
    *accounts,
    *projects,
    *batches,
    *files,
    *tasks,
    *imports,
    *pipelines,
    *annotator_models,
    *project_parameters,
    *quality,
    *dispatch,
    *reviews,
    *reviews_studio,
    *callbacks,
    *analytics,
)

# Listeners for events of lower rooms. They run in this order, in the transaction of the event.
LISTENERS: Listeners = {
    TeammatesDisabled: (termination.on_disabled, reviews_service.on_disabled),
    Unassigned: (termination.on_unassigned,),
    Paused: (termination.on_paused,),
    PauseLifted: (termination.on_pause_lifted,),
    AttemptsImported: (termination.on_attempts_imported,),
    ResultsDue: (termination.on_results_due, reviews_service.on_results_due),
    ReviewDue: (termination.on_review_due, reviews_service.on_review_due),
    TasksEnded: (termination.on_tasks_ended, reviews_service.on_tasks_ended, callbacks_service.on_tasks_ended),
    TasksChanged: (callbacks_service.on_tasks_changed,),
    TaskAudited: (callbacks_service.on_task_audited,),
    CallbackAsked: (callbacks_service.on_callback_asked,),
    QualityChanged: (refitting.on_quality_changed,),
    BatchCompleted: (callbacks_service.on_batch_completed,),
}


def openapi_document() -> Schema:
    """Returns the OpenAPI document of the whole API."""
    return document(OPERATIONS, about())


PAGES = (*site(openapi_document), *ACCOUNT_PAGES)


async def _identify(tx: Tx, credential: Credential, now: int) -> tuple[Caller, bool] | None:
    if credential.kind == "key":
        return await teams_service.caller_of_key(tx, credential.secret, now)
    caller = await teams_service.caller_of_session(tx, credential.secret, now)
    return (caller, False) if caller is not None else None


async def _record_use(tx: Tx, caller: Caller, now: int) -> None:
    if caller.key_id is not None:
        await teams_service.touch_key(tx, caller.team_id, caller.key_id, now)


AUTHENTICATOR = Authenticator(_identify, _record_use)


def build(
    db: Database,
    settings: Settings,
    clock: Clock = system_clock,
    services: Mapping[type, Any] | None = None,
    background: Callable[[Studio], AbstractAsyncContextManager[None]] | None = None,
    replica: Reads | None = None,
) -> ASGIApp:
    """Returns the application for an open database. `background` runs while the application serves.

    Lists and exports are read from the `replica`, if there is one.
    """
    mailer, passwords, checks = Mailer(settings), Passwords(), Checks()
    own = {Mailer: mailer, Passwords: passwords, Checks: checks, ResponsePacer: ResponsePacer(), Readiness: Readiness()}
    clients = Clients(settings.trusted_proxies)
    studio = Studio(db, settings, clock, AUTHENTICATOR, {**own, **(services or {})}, replica, clients=clients)

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        try:
            async with background(studio) if background is not None else nullcontext():
                yield
        finally:
            await checks.close()
            await mailer.close()
            passwords.close()

    return create_app(studio, OPERATIONS, PAGES, lifespan)
