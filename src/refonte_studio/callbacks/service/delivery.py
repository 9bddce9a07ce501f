"""Sends due callbacks. Any number of processes may run it; each try belongs to one of them."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx

from refonte_studio.callbacks.model import Callback
from refonte_studio.callbacks.policy import retries as retry_policy
from refonte_studio.callbacks.service import outbox
from refonte_studio.db import Database
from refonte_studio.kit.clock import Clock
from refonte_studio.kit.errors import StudioError, Unavailable
from refonte_studio.kit.redaction import redacted
from refonte_studio.kit.urls import checked_url

AT_ONCE = 8  # tries started by one transaction
TRY_S = 20.0  # for a whole try; well below the lease
CANCEL_S = 2.0  # time that a try has to end after its timeout
FINISH_S = 5.0  # time that running tries have when the server ends

log = logging.getLogger(__name__)

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]
"""Posts a body with headers to a URL. Returns the status. Raises NotDelivered if there is no response."""

SendMail = Callable[[str, str, str], Awaitable[None]]
"""Sends a text with a subject to an address. Raises NotDelivered on failure."""


class NotDelivered(Exception):
    """The callback did not reach its receiver; the message says why."""


class Undeliverable(NotDelivered):
    """The callback can never be delivered."""


def poster(client: httpx.AsyncClient) -> Post:
    """Returns a function that posts with this client, which decides where requests may go. Response bodies are not
    read."""

    async def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        try:
            checked_url("the URL", url)
            async with client.stream("POST", url, headers=dict(headers), content=body) as response:
                return response.status_code
        except StudioError as refused:
            raise NotDelivered(refused.message) from refused
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from error

    return post


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers the callbacks of the outbox."""

    db: Database
    clock: Clock
    post: Post
    send_mail: SendMail

    async def run(self, poll_s: float) -> None:
        """Delivers callbacks until cancelled. Running tries then have a short time to finish; unfinished ones are
        repeated."""
        under_way: dict[asyncio.Task[None], str] = {}
        try:
            while True:
                await self._fill(under_way)
                if under_way:
                    await asyncio.wait(under_way, timeout=poll_s, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(poll_s)
        finally:
            if under_way:
                _, cut_off = await asyncio.wait(under_way, timeout=FINISH_S)
                for task in cut_off:
                    task.cancel()
                await asyncio.gather(*under_way, return_exceptions=True)

    async def deliver_due(self) -> int:
        """Delivers all callbacks that are due now. Returns how many."""
        count = 0
        while due := await self._begin({}, retry_policy.SLOTS):
            await asyncio.gather(*(self._try(callback) for callback in due))
            count += len(due)
        return count

    async def _fill(self, under_way: dict[asyncio.Task[None], str]) -> None:
        """Starts tries while slots are free and callbacks are due."""
        while True:
            for done in [task for task in under_way if task.done()]:
                del under_way[done]
                done.result()  # raises if recording a result failed, which is a bug; the loop then restarts
            begun = await self._begin(Counter(under_way.values()), AT_ONCE)
            for callback in begun:
                under_way[asyncio.create_task(self._try(callback))] = callback.lane
            if not begun:
                return

    async def _begin(self, under_way: Mapping[str, int], limit: int) -> list[Callback]:
        try:
            return await self.db.write(outbox.begin_tries, self.clock(), under_way, limit)
        except Unavailable:  # already logged
            return []

    async def _try(self, callback: Callback) -> None:
        """Makes one try. Any failure in it, even an unforeseen one, is recorded as its result."""
        sending = asyncio.create_task(self._send(callback))
        try:
            await asyncio.wait([sending], timeout=TRY_S)
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.wait([sending], timeout=CANCEL_S)
        if sending.done() and not sending.cancelled():
            failure = sending.exception()
        else:
            failure = NotDelivered(f"the receiver took longer than {TRY_S:g} s")
        try:
            await self._record(callback, failure)
        except StudioError as failed:  # the try counts as lost, and will be repeated
            log.error("the result of callback %s is not recorded: %s", callback.id, failed.message)

    async def _send(self, callback: Callback) -> None:
        content = await self.db.read(outbox.content, callback)
        if content is None:
            raise Undeliverable("the object it reports no longer exists")
        if callback.by_mail:
            await self.send_mail(callback.url, content.subject, f"{content.subject}.\n\n{content.body.decode()}\n")
            return
        headers = retry_policy.headers(content.keys, callback.id, content.body, self.clock())
        headers |= {"content-type": "application/json", "user-agent": "refonte-studio"}
        status = await self.post(callback.url, headers, content.body)
        if not 200 <= status < 300:
            raise NotDelivered(f"the receiver answered {status}")

    async def _record(self, callback: Callback, failure: BaseException | None) -> None:
        if failure is None:
            await self.db.write(outbox.delivered, callback, self.clock())
            return
        error = _reason(callback, failure)
        pause_ms = retry_policy.pause_ms(callback.tries, random.random())
        if isinstance(failure, Undeliverable):
            pause_ms = None
        if pause_ms is None:
            log.warning("given up callback %s to %s: %s", callback.id, redacted(callback.url), redacted(error))
        await self.db.write(outbox.not_delivered, callback, error, pause_ms, self.clock())


def _reason(callback: Callback, failure: BaseException) -> str:
    """Returns the reason of a failed try for the team. Details of bugs go to the log only."""
    if isinstance(failure, NotDelivered):
        return str(failure) or "it could not be sent"
    if isinstance(failure, StudioError):
        return failure.message
    log.error("could not make a try of callback %s", callback.id, exc_info=failure)
    return f"the server could not make the try ({type(failure).__name__}); see its log"
