"""Requests to the outside world for somebody else: never to an internal address, whatever a name resolves to.

Whoever may name a URL (a file to import, a callback) could otherwise have the server fetch what only the server can
reach. Every address of a host is checked, and the connection goes to the checked address itself.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from refonte_studio.config import Settings
from refonte_studio.kit.errors import BadInput, shown

RESOLVE_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
ADDRESSES = 3  # that are tried, of one host

_NAT64 = IPv6Network("64:ff9b::/96")
# Inside of a network or a cloud, though registries call them global: old site-local addresses, relays, a host of VMs.
_INSIDE = (IPv6Network("fec0::/10"), IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))


class Refused(BadInput):
    """The server does not send requests there."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Where requests may go: to every public address, and to hosts that the settings name."""

    internal_hosts: frozenset[str]
    loopback: bool

    @classmethod
    def of(cls, settings: Settings) -> "Guard":
        hosts = (host.strip().lower() for host in settings.internal_hosts.split(","))
        return cls(frozenset(host for host in hosts if host), settings.only_this_machine)

    def admits(self, host: str, address: str) -> bool:
        """Whether a request to this host may go to this address of it."""
        if host.lower().rstrip(".") in self.internal_hosts:
            return True
        inner = _inner(ip_address(address.partition("%")[0]))
        return is_public(inner) or (self.loopback and inner.is_loopback)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host. Raises Refused unless requests may go to all of them."""
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise Refused(f"the host {shown(host)} cannot be found") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses or not all(self.admits(host, address) for address in addresses):
            raise Refused(f"the host {shown(host)} is not on the public internet, and STUDIO_INTERNAL_HOSTS has it not")
        return addresses[:ADDRESSES]


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet's."""
    if any(address in network for network in _INSIDE if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address carries, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends each request to a checked address of its host, under the host's own name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        # connections are kept by address, so that one kept could serve another name: none is kept
        self._inner = httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        addresses = await self._guard.addresses(
            host, request.url.port or (443 if request.url.scheme == "https" else 80)
        )
        if request.url.scheme == "https":
            request.extensions = {**request.extensions, "sni_hostname": host}
        named = request.url
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


def client(settings: Settings, read_timeout_s: float = READ_TIMEOUT_S) -> httpx.AsyncClient:
    """A client for requests on somebody else's behalf. It follows no redirects and uses no proxy.

    A request raises Refused, or httpx.HTTPError.
    """
    return httpx.AsyncClient(
        transport=GuardedTransport(Guard.of(settings)),
        timeout=httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        trust_env=False,
    )
