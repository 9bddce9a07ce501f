"""Sends what is due. Any number of processes may do it side by side; each try belongs to one of them."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from refonte_studio.callbacks import policy, service
from refonte_studio.callbacks.model import Callback, Parcel
from refonte_studio.db import Database
from refonte_studio.kit.clock import Clock
from refonte_studio.kit.errors import StudioError, Unavailable

CONCURRENCY = 16
AT_ONCE = 4  # taken by one statement
OF_ONE_TEAM = 8  # a team with more than this under way waits, so that its slow receiver does not hold up the others
TRY_S = 20.0  # a whole try; well below the lease
FINISH_S = 5.0  # what tries under way get when the server ends

log = logging.getLogger(__name__)

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]
"""Posts a body to a URL with headers and answers the status. Raises NotDelivered if there was no answer."""

SendMail = Callable[[str, str, str], Awaitable[None]]
"""Sends a text under a subject to an address. Raises NotDelivered if it cannot."""


class NotDelivered(Exception):
    """The callback did not reach its receiver; the message says why."""


def poster(client: httpx.AsyncClient) -> Post:
    """Posts by this client, which decides where requests may go. What the receiver says is not read."""

    async def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        try:
            async with client.stream("POST", url, headers=dict(headers), content=body) as response:
                return response.status_code
        except StudioError as refused:
            raise NotDelivered(refused.message) from refused
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from error

    return post


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outbox's way out."""

    db: Database
    clock: Clock
    post: Post
    send_mail: SendMail

    async def run(self, poll_s: float) -> None:
        """Delivers until cancelled. What is under way then gets a moment to finish; cut off, it is tried again."""
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
                await asyncio.gather(*cut_off, return_exceptions=True)

    async def deliver_due(self) -> int:
        """Delivers all that is due now and answers how much it was."""
        count = 0
        while due := await self._begin((), CONCURRENCY):
            await asyncio.gather(*(self._try(parcel) for parcel in due))
            count += len(due)
        return count

    async def _fill(self, under_way: dict[asyncio.Task[None], str]) -> None:
        """Begins tries while there are places and something is due."""
        while True:
            for done in [task for task in under_way if task.done()]:
                del under_way[done]
            places = CONCURRENCY - len(under_way)
            if not places:
                return
            busy = [team for team, count in Counter(under_way.values()).items() if count >= OF_ONE_TEAM]
            parcels = await self._begin(busy, min(places, AT_ONCE))
            for parcel in parcels:
                under_way[asyncio.create_task(self._try(parcel))] = parcel.callback.team_id
            if not parcels:
                return

    async def _begin(self, busy_teams: Sequence[str], limit: int) -> list[Parcel]:
        try:
            due = await self.db.write(service.begin_tries, self.clock(), busy_teams, limit)
            return await self.db.read(service.parcels, due) if due else []
        except Unavailable:  # the log has it already
            return []

    async def _try(self, parcel: Parcel) -> None:
        callback = parcel.callback
        error = ""
        try:
            async with asyncio.timeout(TRY_S):
                await self._send(parcel)
        except NotDelivered as failed:
            error = str(failed) or "it could not be sent"
        except TimeoutError:
            error = f"the receiver took longer than {TRY_S:g} s"
        try:
            await self._record(callback, error)
        except StudioError as failed:  # the try counts as lost, and is made again
            log.error("what came of callback %s is not recorded: %s", callback.id, failed.message)

    async def _send(self, parcel: Parcel) -> None:
        callback = parcel.callback
        if callback.by_mail:
            await self.send_mail(callback.url, parcel.subject, f"{parcel.subject}.\n\n{parcel.body.decode()}\n")
            return
        headers = policy.signed_headers(parcel.secret, callback.id, parcel.body, self.clock())
        headers |= {"content-type": "application/json", "user-agent": "refonte-studio"}
        status = await self.post(callback.url, headers, parcel.body)
        if not 200 <= status < 300:
            raise NotDelivered(f"the receiver answered {status}")

    async def _record(self, callback: Callback, error: str) -> None:
        if not error:
            await self.db.write(service.delivered, callback, self.clock())
            return
        pause_ms = policy.pause_ms(callback.tries, random.random())
        if pause_ms is None:
            log.warning("given up callback %s to %s: %s", callback.id, callback.url, error)
        await self.db.write(service.not_delivered, callback, error, pause_ms, self.clock())
