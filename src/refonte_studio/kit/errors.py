"""Errors meant for the caller. Any other exception is a bug and results in status 500."""

from typing import Any, ClassVar

from refonte_studio.kit.redaction import redacted

SHOWN_FROM = 5_000  # characters of a value that are inspected to show its beginning


class StudioError(Exception):
    """Base of all errors meant for the caller. The message names the offending value."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details  # further top-level fields of the error body, such as `lines` of an import
        self.headers: dict[str, str] = {}


class BadInput(StudioError):
    """The input is malformed, or names something that does not exist. Nothing was changed."""

    status = 400


class Unauthorized(StudioError):
    """The request has no valid key or session."""

    status = 401


class Forbidden(StudioError):
    """The caller's role may not do this."""

    status = 403


class NotFound(StudioError):
    """The object does not exist for this caller. It may belong to another team or mode."""

    status = 404


class Conflict(StudioError):
    """The object already exists, or another request got there first."""

    status = 409


class TooLarge(StudioError):
    """The body, or one line of it, is larger than the server accepts."""

    status = 413


class TooSlow(StudioError):
    """The body arrives too slowly for the server to wait for the rest."""

    status = 408


class TooMany(StudioError):
    """The caller has exceeded what the server currently allows them; try again later."""

    status = 429


class Unavailable(StudioError):
    """The server cannot process the request now (database unreachable, busy or full); try again later."""

    status = 503

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(retry_after_s)}


class Overloaded(Unavailable):
    """The server has more requests than it can complete in time; this one was not processed."""

    def __init__(self, what: str, retry_after_s: int = 1) -> None:
        super().__init__(f"the server has more {what} than it can serve in good time", max(1, retry_after_s))


def shown(value: object, limit: int = 80) -> str:
    """Formats a value for an error message: quoted, with control characters escaped, user information in URLs hidden,
    and its length limited."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or a number with thousands of digits
        text = f"a {type(value).__name__}"
    text = redacted(text[:SHOWN_FROM])
    return text if len(text) <= limit else text[: limit - 1] + "…"
