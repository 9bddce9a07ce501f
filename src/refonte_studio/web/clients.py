"""The address of the client behind a request, and a warning about forwarding headers that the settings do not trust."""

import logging
from collections.abc import Mapping
from typing import Any

from refonte_studio.kit.clients import TrustedProxies, is_forwarded
from refonte_studio.kit.clock import MINUTE_MS

# Time between two warnings in the log, and how long /readyz repeats the warning after the last such request.
WARNED_MS = 60 * MINUTE_MS
log = logging.getLogger(__name__)


class Clients:
    """Tells the clients of one server process apart."""

    def __init__(self, setting: str = "") -> None:
        self._proxies = TrustedProxies.of(setting)
        self._peer = ""  # the last one that sent forwarding headers without being trusted
        self._seen_at: int | None = None
        self._logged_at: int | None = None

    def address(self, scope: Mapping[str, Any]) -> str:
        """The address of the client, beyond trusted proxies; empty if it is not known."""
        client = scope.get("client")
        return self._proxies.client(client[0], scope["headers"]) if client else ""

    def notice(self, scope: Mapping[str, Any], now: int) -> None:
        """Warns if a request was forwarded by a proxy that the settings do not trust."""
        client = scope.get("client")
        if not client or not is_forwarded(scope["headers"]) or self._proxies.trusts(client[0]):
            return
        self._peer, self._seen_at = client[0], now
        if self._logged_at is None or now - self._logged_at >= WARNED_MS:
            self._logged_at = now
            log.warning("%s", self._message())

    def warnings(self, now: int) -> list[str]:
        """What the operator of the server should know about its proxies."""
        recent = self._seen_at is not None and now - self._seen_at < WARNED_MS
        return [self._message()] if recent else []

    def _message(self) -> str:
        return (
            f"requests from {self._peer} carry forwarding headers, which are ignored because STUDIO_TRUSTED_PROXIES "
            "does not name that address; if it is your proxy, all its clients count as one"
        )
