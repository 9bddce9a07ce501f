"""Which addresses the server may send requests to, address by address."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from refonte_studio.kit.networks import SPECIAL_IPV4, SPECIAL_IPV6, is_public

EDGES = [(str(network[0]), str(network[-1])) for network in map(ip_network, (*SPECIAL_IPV4, *SPECIAL_IPV6))]
INTERNAL = [
    # IPv4: what the registry lists, and addresses in it that matter
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
    *("168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1"),
    *("192.0.0.8", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.171", "192.0.0.192", "192.0.2.1"),
    *("192.31.196.1", "192.52.193.1", "192.88.99.1", "192.88.99.2", "192.168.1.1", "192.175.48.1", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    "255.255.255.255",
    # IPv6: likewise
    *("::", "::1", "64:ff9b:1::1", "64:ff9b:1:ffff::1", "100::1", "100:0:0:1::1", "2001::1", "2001:1::1"),
    *("2001:1::2", "2001:1::3", "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1"),
    *("2001:1ff:ffff::1", "2001:db8::1", "2620:4f:8000::1", "3fff::1", "3fff:fff:ffff::1", "5f00::1", "fc00::1"),
    *("fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1"),
    # IPv6 that no registry has given out
    *("1::1", "200::1", "4000::1", "5eff::1", "5f01::1", "6000::1", "8000::1", "e000::1", "f000::1"),
    # IPv4 inside of IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP
    *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:192.0.0.192", "::ffff:0.0.0.0"),
    *("::10.0.0.1", "::127.0.0.1", "::93.184.216.34", "::ffff:0:10.0.0.1", "::ffff:0:93.184.216.34"),
    *("64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::192.0.0.192", "64:ff9b:1::93.184.216.34"),
    *("2002:7f00:1::", "2002:a00:1::1", "2002:5db8:d822::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    *("2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1"),
]
PUBLIC = [
    *("1.0.0.1", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0"),
    *("126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0"),
    *("172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255"),
    *("198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"),
    *("2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::1", "2001:db9::1", "2003::1"),
    *("2606:2800:220:1::1", "2620:4f:7fff::1", "2620:4f:8001::1", "2a00:1450::1", "3ffe::1", "3fff:1000::1"),
    *("::ffff:93.184.216.34", "64:ff9b::93.184.216.34", "2606:4700::5efe:93.184.216.34"),
]


@pytest.mark.parametrize("address", INTERNAL)
def test_an_internal_address(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(("first", "last"), EDGES)
def test_a_special_network_is_internal_from_its_first_address_to_its_last(first: str, last: str) -> None:
    assert not is_public(first)
    assert not is_public(last)


@pytest.mark.parametrize("address", [*INTERNAL, *PUBLIC])
def test_an_ipv4_address_is_no_more_public_inside_of_an_ipv6_address(address: str) -> None:
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        for carrier in ("::ffff:0:0", "64:ff9b::", "2606:4700::5efe:0:0"):
            assert is_public(str(IPv6Address(int(IPv6Address(carrier)) + int(ip)))) is is_public(address)
