"""Errors that a caller is meant to see. Anything else that is raised is a bug and stays a 500."""

from typing import Any, ClassVar

from refonte_studio.kit.redaction import redacted

SHOWN_FROM = 5_000  # characters of a value that are looked at to show the beginning of it


class StudioError(Exception):
    """Base of all errors with a meaning to the caller; the message names the offending value."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details  # more top-level fields of the error body, e.g. `lines` of an import
        self.headers: dict[str, str] = {}


class BadInput(StudioError):
    """The input is malformed or names something that does not exist; nothing was changed."""

    status = 400


class Unauthorized(StudioError):
    """There is no valid key or session."""

    status = 401


class Forbidden(StudioError):
    """The caller's role may not do this."""

    status = 403


class NotFound(StudioError):
    """There is no such thing for this caller (also: it belongs to another team or mode)."""

    status = 404


class Conflict(StudioError):
    """It exists already, or somebody got there first."""

    status = 409


class TooLarge(StudioError):
    """The body, or a line of it, is larger than the server takes."""

    status = 413


class TooSlow(StudioError):
    """The body comes in so slowly that the server does not wait for the rest of it."""

    status = 408


class TooMany(StudioError):
    """More than the server serves this caller just now; try again later."""

    status = 429


class Unavailable(StudioError):
    """The server cannot do this now (database gone, busy or full); try again after a while."""

    status = 503

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(retry_after_s)}


class Overloaded(Unavailable):
    """There is more to do than the server can do in good time; what was asked has not been done."""

    def __init__(self, what: str, retry_after_s: int = 1) -> None:
        super().__init__(f"the server has more {what} than it can serve in good time", max(1, retry_after_s))


def shown(value: object, limit: int = 80) -> str:
    """A value as it stands in an error message: quoted, control characters escaped, the user information of URLs
    hidden, bounded in length."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        text = f"a {type(value).__name__}"
    text = redacted(text[:SHOWN_FROM])
    return text if len(text) <= limit else text[: limit - 1] + "…"
