"""Background work of a server: sends callbacks, expires leases, folds counts, removes obsolete rows.

Every process runs all of it. Each unit of work is taken in a transaction, so that it is done only once.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from refonte_studio.annotator_models.service import fitting_process
from refonte_studio.batches import service as batches
from refonte_studio.callbacks import service as callbacks
from refonte_studio.callbacks.service.delivery import Delivery, NotDelivered, poster
from refonte_studio.db import Tx
from refonte_studio.db.engine import UseCase, takes_long, vital
from refonte_studio.dispatch import service as work
from refonte_studio.files import service as files
from refonte_studio.files.service import outbound
from refonte_studio.kit.errors import StudioError
from refonte_studio.reviews import service as reviews
from refonte_studio.tasks import service as tasks
from refonte_studio.teams import service as teams
from refonte_studio.teams.service.mail import Mail, Mailer, NotSent
from refonte_studio.web import Studio

POLL_S = 0.5
RESTART_S = 1.0
FIT_S = 5.0
RESULTS_S = 1.0
RECEIVER_TIMEOUT_S = 10.0
ROUNDS = 100  # upper bound on consecutive rounds

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """A use-case that runs repeatedly. It takes the current time and returns how much it did, a bounded amount."""

    name: str
    interval_s: float
    use_case: UseCase[[int], int]
    enough: int  # a round that did at least this much is followed by another at once

    def __post_init__(self) -> None:
        vital(self.use_case)  # a delay would slow down everything else


@takes_long
async def _fold_counts(tx: Tx, _now: int) -> int:
    return await batches.fold_counts(tx)


FORGET = Chore("forget what was seen on another server", 3_600, work.forget_cursors_ahead, 5_000)
CHORES = (
    Chore("expire leases", 5, work.expire_leases, 500),
    Chore("expire leases of reviews", 5, reviews.expire_leases, 500),
    FORGET,
    Chore("fold the counts of batches", 10, _fold_counts, 5_000),
    Chore("complete batches that are done", 60, tasks.settle_late, 100),
    Chore("sweep sessions", 3_600, teams.sweep_sessions, 100),
    Chore("sweep unfinished files", 3_600, files.sweep_unfinished, 1),
    Chore("sweep callbacks", 3_600, callbacks.sweep, 1_000),
)


@asynccontextmanager
async def background(studio: Studio) -> AsyncGenerator[None]:
    """Runs all background loops while the context is open."""
    while await do(studio, FORGET) >= ROUNDS * FORGET.enough:
        pass  # before anybody works, because an outdated cursor would hide tasks
    async with outbound.client(studio.settings, RECEIVER_TIMEOUT_S) as client:
        delivery = Delivery(studio.db, studio.clock, poster(client), _mail(studio))
        loops = [asyncio.create_task(_forever("deliver callbacks", lambda: delivery.run(POLL_S), lambda: RESTART_S))]
        process = fitting_process.Process(studio.settings)
        fit = partial(_fit_all, studio, process.find)
        loops.append(asyncio.create_task(_forever("fit annotator models", fit, lambda: FIT_S)))
        make = partial(make_results, studio, process.make)
        loops.append(asyncio.create_task(_forever("make results", make, lambda: RESULTS_S)))
        for chore in CHORES:
            turn = partial(do, studio, chore)
            loops.append(asyncio.create_task(_forever(chore.name, turn, _pause(chore))))
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


async def _fit_all(studio: Studio, find: fitting_process.Finder) -> None:
    """Fits the due annotator models, one project after another."""
    for _ in range(ROUNDS):
        try:
            if not await fitting_process.fit_next(studio.db, studio.clock, find):
                break
        except (StudioError, fitting_process.FitFailed) as error:
            log.warning("could not fit annotator models: %s", error)
            break


async def make_results(studio: Studio, make: fitting_process.Maker) -> None:
    """Computes the due results, one project after another."""
    team_id: str | None = ""
    for _ in range(ROUNDS):
        try:
            team_id = await fitting_process.results_next(studio.db, studio.clock, make, team_id)
            if team_id is None:
                break
        except (StudioError, fitting_process.FitFailed) as error:
            log.warning("could not make a result: %s", error)
            break


async def do(studio: Studio, chore: Chore) -> int:
    """Runs a chore in rounds until little remains."""
    total = 0
    for _ in range(ROUNDS):
        try:
            done = await studio.db.write(chore.use_case, studio.clock())
        except StudioError as error:
            log.warning("could not %s: %s", chore.name, error.message)
            break
        total += done
        if done < chore.enough:
            break
    return total


async def _forever(name: str, turn: Callable[[], Awaitable[object]], pause_s: Callable[[], float]) -> None:
    """Repeats `turn` until cancelled. A failed turn is logged and does not end the loop."""
    while True:
        task = asyncio.ensure_future(turn())
        try:
            await asyncio.wait([task])
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("could not %s", name, exc_info=error)
        await asyncio.sleep(pause_s())


def _pause(chore: Chore) -> Callable[[], float]:
    """Randomized, so that several processes do not run at the same moment."""
    return lambda: chore.interval_s * random.uniform(0.8, 1.2)


def _mail(studio: Studio) -> Callable[[str, str, str], Awaitable[None]]:
    mailer: Mailer = studio.services[Mailer]

    async def send(address: str, subject: str, text: str) -> None:
        if not mailer.configured:
            raise NotDelivered("no mail server is configured")
        try:
            await mailer.send_now(Mail(address, subject, text, studio.clock()))
        except NotSent as error:
            raise NotDelivered(str(error)) from error

    return send
