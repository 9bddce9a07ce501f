"""The client of a request: the address it comes from, including through proxies.

A sender can put anything in a forwarding header. Headers are therefore read from the right, and only as far as each
sender is a proxy that the settings trust.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

X_FORWARDED_FOR = b"x-forwarded-for"
FORWARDED = b"forwarded"
HEADERS = (X_FORWARDED_FOR, FORWARDED)
IPV6_PREFIX = 64  # prefix length of one IPv6 network; its holder controls every address in it

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose forwarding headers are trusted."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, setting: str) -> "TrustedProxies":
        """Parses comma-separated addresses and networks. Raises ValueError naming the first invalid one."""
        named = [each.strip() for each in setting.split(",")]
        return cls(tuple(ip_network(each) for each in named if each))

    def trusts(self, peer: str) -> bool:
        """Whether this address belongs to a trusted proxy."""
        address = _parsed(peer)
        return address is not None and self._trusts(address)

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Returns the client's address, from the peer of the connection and the request's headers.

        This is the rightmost address that does not belong to a trusted proxy. If both kinds of forwarding header are
        present and disagree, the client forged one of them, and the result is the address of the proxy.
        """
        nearest = _parsed(peer) if self.networks else None
        if nearest is None or not self._trusts(nearest):
            return peer
        found = {self._first_untrusted(nearest, chain) for chain in _chains(headers)}
        return str(found.pop() if len(found) == 1 else nearest)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def _first_untrusted(self, nearest: Address, chain: Sequence[str]) -> Address:
        for text in reversed(chain):
            if not self._trusts(nearest):
                break
            before = _parsed(text)
            if before is None:
                break
            nearest = before
        return nearest


def is_forwarded(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request has a forwarding header."""
    return any(name in HEADERS for name, _ in headers)


def client_network(address: str) -> str:
    """Returns the network that counts as one client: an IPv4 address, or a whole IPv6 /64."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, IPV6_PREFIX), strict=False))
    return address if parsed is None else str(parsed)


def _chains(headers: Iterable[tuple[bytes, bytes]]) -> list[list[str]]:
    """Returns the addresses in each kind of forwarding header, from the client to the nearest proxy."""
    given: dict[bytes, list[str]] = {}
    for name, value in headers:
        if name in HEADERS:
            given.setdefault(name, []).extend(value.decode("latin-1").split(","))
    return [texts if name == X_FORWARDED_FOR else list(map(_for, texts)) for name, texts in given.items()]


def _for(element: str) -> str:
    """Returns the `for` value of one element of a Forwarded header; empty if it has none."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> Address | None:
    """Parses an address, with or without a port; None if the text is not an address."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
