"""Imports and exports, so many at a time: each takes more than a common request, and for longer."""

from litestar.types import ASGIApp, Receive, Scope, Send

from refonte_studio.kit.admission import Refusals
from refonte_studio.kit.errors import Overloaded
from refonte_studio.web.serving import refusal
from refonte_studio.web.shortcut import send_whole

BULK_RETRY_S = 10


class Bulk:
    """How many imports and exports are under way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._under_way = 0
        self._refusals = Refusals("imports and exports")

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, for which there must be a place until all of its answer is sent."""

        async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
            if self._under_way >= self._limit:
                self._refusals.add()
                await send_whole(send, refusal(Overloaded("imports and exports", BULK_RETRY_S)))
                return
            self._under_way += 1
            try:
                await app(scope, receive, send)
            finally:
                self._under_way -= 1

        return bounded
