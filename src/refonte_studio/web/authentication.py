"""Who sends a request: its credential, in every form in which clients send it, and whose that is."""

import base64
import binascii
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import Unauthorized
from refonte_studio.kit.ids import digest
from refonte_studio.web.request import StudioRequest

KEY_STARTS = ("live_", "test_")
REALM = 'realm="Refonte Studio"'


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request shows of who sent it: an API key or the token of a cookie session."""

    kind: Literal["key", "session"]
    secret: str


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Finds out whose a credential is. The composition root makes it of two use-cases.

    `identify` returns the holder, and whether the use of the credential is due to be recorded; None if it is nobody's.
    `record_use` records it.
    """

    identify: Callable[[Tx, Credential, int], Coroutine[Any, Any, tuple[Caller, bool] | None]]
    record_use: Callable[[Tx, Caller, int], Coroutine[Any, Any, None]]


def session_cookie(secure: bool) -> str:
    """The name of the cookie that holds a browser's session.

    Over TLS it has a prefix that makes browsers refuse it from other hosts of the domain and from plain HTTP.
    """
    return "__Host-studio_session" if secure else "studio_session"


def csrf_token(session_token: str) -> str:
    """The token that pages of the same origin can read, and that other sites cannot know."""
    return digest(f"csrf:{session_token}")[:40]


def credential_of(request: StudioRequest, secure: bool) -> Credential | None:
    """The credential that a request shows; None if there is none. An Authorization header wins over a cookie.

    Raises Unauthorized for a malformed Authorization header.
    """
    header = request.header(b"authorization")
    if header is not None:
        return Credential("key", _key_in(header))
    token = _cookie(request.header(b"cookie") or "", session_cookie(secure))
    return Credential("session", token) if token else None


def _key_in(header: str) -> str:
    """The API key in an Authorization header: a user name without a password, or bare. The key alone decides, whatever
    the scheme, because published samples misspell it. Raises Unauthorized."""
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
    """The value of one cookie. Whatever else is in the header, even if malformed, is ignored."""
    for part in header.split(";"):
        key, equals, value = part.partition("=")
        if equals and key.strip() == name:
            return value.strip().strip('"')
    return None


def challenge(request: StudioRequest) -> str:
    """The WWW-Authenticate header of a 401. Scripts in a browser are not offered Basic, because the browser would open
    a dialog that asks for a password."""
    if request.header(b"sec-fetch-mode") is not None:
        return f"Bearer {REALM}"
    return f"Basic {REALM}, Bearer {REALM}"
