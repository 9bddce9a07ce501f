"""The address of a client behind proxies."""

import pytest

from refonte_studio.kit.clients import TrustedProxies, client_network

PROXIES = TrustedProxies.of("10.0.0.0/8, ::1 ,fd00::/8,")


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", [("x-forwarded-for", "198.51.100.1")], "203.0.113.9"),
        ("10.0.0.5", [], "10.0.0.5"),
        ("10.0.0.5", [("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
        ("10.0.0.5", [("x-forwarded-for", "6.6.6.6, 198.51.100.1, 10.0.0.7")], "198.51.100.1"),
        ("10.0.0.5", [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
        ("10.0.0.5", [("x-forwarded-for", "6.6.6.6, unknown")], "10.0.0.5"),
        ("10.0.0.5", [("x-forwarded-for", "10.0.0.8, 10.0.0.7")], "10.0.0.8"),
        ("10.0.0.5", [("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1"),
        ("::ffff:10.0.0.5", [("x-forwarded-for", "2001:db8::7")], "2001:db8::7"),
        ("::1", [("forwarded", 'proto=http;for="[2001:db8::7]:80", For=10.0.0.9;by=10.0.0.5')], "2001:db8::7"),
        ("::1", [("forwarded", "for=6.6.6.6, for=_hidden")], "::1"),
        ("::1", [("forwarded", "for=198.51.100.1"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
        ("::1", [("forwarded", "for=198.51.100.1"), ("x-forwarded-for", "6.6.6.6")], "::1"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_proxy(peer: str, headers: list[tuple[str, str]], client: str):
    assert PROXIES.client(peer, [(name.encode(), value.encode()) for name, value in headers]) == client


def test_a_setting_that_names_no_network_is_refused():
    with pytest.raises(ValueError, match=r"'proxy.internal' does not appear"):
        TrustedProxies.of("10.0.0.1, proxy.internal")


def test_a_network_of_ipv6_counts_as_one_client():
    assert client_network("2001:db8::7") == client_network("2001:db8::8") != client_network("2001:db8:0:1::7")
    assert client_network("::ffff:192.0.2.1") == client_network("192.0.2.1") == "192.0.2.1"
