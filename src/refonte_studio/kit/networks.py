"""Which addresses belong to the public internet.

The lists are IANA's special-purpose address registries for IPv4 and IPv6, with a few additions. They are written out
because Python's own (`is_global`) differs between patch releases.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

SPECIAL_IPV4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private use
    "100.64.0.0/10",  # shared address space of providers; metadata service of one cloud
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # not in the registry: the host of a virtual machine, in one cloud
    "169.254.0.0/16",  # link-local; metadata services of most clouds
    "172.16.0.0/12",  # private use
    "192.0.0.0/24",  # protocol assignments; metadata service of one cloud
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # automatic multicast tunneling
    "192.88.99.0/24",  # relays of 6to4, deprecated
    "192.168.0.0/16",  # private use
    "192.175.48.0/24",  # AS112, direct delegation
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved; limited broadcast
)
SPECIAL_IPV6 = (
    "::/128",  # unspecified
    "::1/128",  # loopback
    "::/96",  # IPv4-compatible, deprecated
    "::ffff:0:0:0/96",  # IPv4-translated
    "64:ff9b:1::/48",  # translation for local use
    "100::/64",  # discard only
    "100:0:0:1::/64",  # dummy prefix
    "2001::/23",  # protocol assignments: Teredo, benchmarking, AMT, AS112, ORCHID, drone identifiers
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "2620:4f:8000::/48",  # AS112, direct delegation
    "3fff::/20",  # documentation
    "5f00::/16",  # segment routing
    "fc00::/7",  # unique local
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local, deprecated
    "ff00::/8",  # multicast
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # the only part of IPv6 from which public addresses are assigned
_SPECIAL_IPV4 = tuple(map(IPv4Network, SPECIAL_IPV4))
_SPECIAL_IPV6 = tuple(map(IPv6Network, SPECIAL_IPV6))
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)  # bits 64 to 95 of an address whose last 32 bits are an IPv4 address


def is_public(address: str) -> bool:
    """Whether an IPv4 or IPv6 address is public. Raises ValueError if the text is not an address."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return _is_public_ipv4(parsed)
    carried = _carried(parsed)
    if carried is not None and not _is_public_ipv4(carried):
        return False
    if parsed in _MAPPED or parsed in _NAT64:
        return True
    return parsed in _GLOBAL_UNICAST and not any(parsed in network for network in _SPECIAL_IPV6)


def _is_public_ipv4(address: IPv4Address) -> bool:
    return not any(address in network for network in _SPECIAL_IPV4)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Returns the IPv4 address embedded in an IPv6 address to which its packets are routed, or None."""
    number = int(address)
    if address in _MAPPED or address in _NAT64 or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return None
