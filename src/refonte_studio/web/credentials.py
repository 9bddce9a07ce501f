"""What a request shows of who sent it, in all the forms in which clients send it."""

import base64
import binascii

from refonte_studio.kit.errors import Unauthorized
from refonte_studio.kit.ids import digest
from refonte_studio.web.inbound import Inbound
from refonte_studio.web.operation import Credential

KEY_STARTS = ("live_", "test_")
REALM = 'realm="Refonte Studio"'


def session_cookie(secure: bool) -> str:
    """The name of the cookie that holds a browser's session.

    Over TLS it has the prefix with which browsers let neither another host of the domain nor a plain page set it.
    """
    return "__Host-studio_session" if secure else "studio_session"


def csrf_token(session_token: str) -> str:
    """The token that a page of the same origin can read and another site cannot know."""
    return digest(f"csrf:{session_token}")[:40]


def credential_of(inbound: Inbound, secure: bool) -> Credential | None:
    """What the request shows. Raises Unauthorized for a malformed header; a header wins over a cookie."""
    header = inbound.header(b"authorization")
    if header is not None:
        return Credential("key", _key_in(header))
    token = _cookie(inbound.header(b"cookie") or "", session_cookie(secure))
    return Credential("session", token) if token else None


def _key_in(header: str) -> str:
    """The API key of an Authorization header: as user name without a password, or bare. Printed samples misspell the
    scheme, so the key alone decides. Raises Unauthorized."""
    words = header.split()
    value = words[-1] if 0 < len(words) <= 2 else ""
    if value.startswith(KEY_STARTS):
        return value.removesuffix(":")
    user, colon, password = _decoded(value).partition(":")
    if colon and user and not password:
        return user
    if value and words[0].lower() == "bearer":
        return value
    raise Unauthorized("the Authorization header must be Basic with the API key as user name, or Bearer")


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _cookie(header: str, name: str) -> str | None:
    """The value of one cookie. What else stands in the header, by whomever, does not matter."""
    for part in header.split(";"):
        key, equals, value = part.partition("=")
        if equals and key.strip() == name:
            return value.strip().strip('"')
    return None


def challenge(inbound: Inbound) -> str:
    """How a client may show who it is. A browser's own requests are not offered Basic, for which it would open a dialog
    that asks for a password."""
    if inbound.header(b"sec-fetch-mode") is not None:
        return f"Bearer {REALM}"
    return f"Basic {REALM}, Bearer {REALM}"
