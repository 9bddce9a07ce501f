"""HTTP requests on behalf of clients, never to an internal address, whatever a name resolves to.

A client that may give a URL (a file to import, a callback) could otherwise make the server fetch what only the server
can reach. Every address of a host is checked, and the connection goes to the checked address itself.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from refonte_studio.config import Settings
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.networks import is_public
from refonte_studio.kit.urls import ascii_host

RESOLVE_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
ADDRESSES = 3  # addresses of one host to try


class OutboundRefused(BadInput):
    """The server does not send requests to this address."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The allowed targets of requests: all public addresses, and the hosts listed in the settings, in `ascii_host`
    form."""

    internal_hosts: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> "Guard":
        named = (host.strip() for host in settings.internal_hosts.split(","))
        return cls(frozenset(ascii_host(host) or host.lower() for host in named if host))

    def admits(self, host: str, address: str) -> bool:
        """Whether a request to this host may use this address."""
        return ascii_host(host) in self.internal_hosts or is_public(address)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Returns the addresses of a host. Raises OutboundRefused unless requests to all of them are allowed."""
        name = ascii_host(host)
        if name is None:
            raise OutboundRefused(f"no server can have the host {shown(host)}")
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise OutboundRefused(f"the host {shown(host)} cannot be found") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses or not all(self.admits(name, address) for address in addresses):
            raise OutboundRefused(
                f"the host {shown(host)} is not on the public internet and is not listed in STUDIO_INTERNAL_HOSTS"
            )
        return addresses[:ADDRESSES]


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends each request to a checked address of its host, under the host's own name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        # connections are pooled by address, so a pooled one could serve another name; none is kept
        self._inner = httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._sent(request)
        location = response.headers.pop("location", None)
        if location is not None:  # the client follows no redirect, but would still parse it, and might fail
            response.extensions["location"] = location
        return response

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        host = request.url.raw_host.decode("ascii")  # `host` would be decoded, which is not possible for every host
        addresses = await self._guard.addresses(
            host, request.url.port or (443 if request.url.scheme == "https" else 80)
        )
        if request.url.scheme == "https":
            request.extensions = {**request.extensions, "sni_hostname": host}
        named = request.url.copy_with(userinfo=b"")  # a header contains it by now, and the client logs the URL
        for address in addresses[:-1]:
            request.url = named.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        request.url = named.copy_with(host=addresses[-1])
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def redirect_of(response: httpx.Response) -> str | None:
    """Returns the redirect target of a response as the server sent it; None if it is not a redirect."""
    return response.extensions.get("location") if response.is_redirect else None


def client(settings: Settings, read_timeout_s: float = READ_TIMEOUT_S) -> httpx.AsyncClient:
    """Returns a client for requests on behalf of others. It follows no redirects, uses no proxy and keeps no cookies.

    A request raises OutboundRefused or httpx.HTTPError.
    """
    return httpx.AsyncClient(
        transport=GuardedTransport(Guard.of(settings)),
        timeout=httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
    )
