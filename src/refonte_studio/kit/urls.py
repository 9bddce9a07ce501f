"""Validates URLs given to the server."""

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit

import idna

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.redaction import HIDDEN_USER

URL_LENGTH = 4_000
HOST_LENGTH = 253
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")


def checked_url(name: str, url: str) -> str:
    """Returns a full http or https URL unchanged. Raises BadInput naming the parameter for anything else."""
    if len(url) > URL_LENGTH:
        raise BadInput(f"{name} has {len(url):,} characters; a URL has at most {URL_LENGTH:,}")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise BadInput(f"{name} {shown(url)} contains a space or a control character")
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme.lower() in ("http", "https") and parts.port != 0
        host, user = parts.hostname or "", parts.username
    except ValueError:  # an invalid port or IPv6 address
        well_formed, host, user = False, "", None
    if not well_formed or not host or "\\" in url:
        raise BadInput(f"{name} must be a full http or https URL, not {shown(url)}")
    if ascii_host(host) is None:
        raise BadInput(f"{name} {shown(url)} has the host {shown(host)}, which no server can have")
    if user == HIDDEN_USER:
        raise BadInput(f"{name} {shown(url)} has its user and password hidden; give the URL with the real ones")
    return url


def ascii_host(host: str) -> str | None:
    """Returns a host name or address as it is sent: in ASCII and lower case, an IPv6 address in short form without
    brackets. None if no server can have it."""
    if ":" in host:
        if "%" in host:  # a network interface of this machine
            return None
        try:
            return str(IPv6Address(host.removeprefix("[").removesuffix("]")))
        except ValueError:
            return None
    name = host.lower().removesuffix(".")
    try:
        name = name if name.isascii() else idna.encode(name).decode()
        for label in name.split("."):
            if label.startswith("xn--"):
                idna.decode(label)
    except UnicodeError:  # includes IDNA errors
        return None
    if len(name) > HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return name
