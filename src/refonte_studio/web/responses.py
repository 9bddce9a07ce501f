"""What the server answers with: responses of operations, and every error in the one form of the API."""

import errno
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from refonte_studio.kit.errors import StudioError, Unavailable

JSON = "application/json"
WITHOUT_BODY = (204, 304)  # statuses of responses that have no body, and so no media type
LACKS = {
    errno.ENOSPC: "its disk is full",
    errno.EDQUOT: "its disk is full",
    errno.EMFILE: "it has too many files open",
    errno.ENFILE: "it has too many files open",
    errno.ENOMEM: "it has no memory left",
}
log = logging.getLogger(__name__)
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response of an operation that is not simply 200 with JSON: raw bytes, a stream, another status, headers."""

    content: bytes | AsyncIterator[bytes] = b""
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_starlette(self) -> Response:
        """The response that Starlette sends."""
        media_type = None if self.status in WITHOUT_BODY else self.media_type
        if isinstance(self.content, bytes):
            return Response(self.content, self.status, self.headers, media_type)
        return StreamingResponse(self.content, self.status, self.headers, media_type)


def response_of(result: Any) -> Response:
    """The response for what a handler returns: None becomes 204, an HttpResponse itself, any other object JSON."""
    if result is None:
        return Response(status_code=204)
    return result.to_starlette() if isinstance(result, HttpResponse) else Response(encode(result), media_type=JSON)


def error_response(error: Exception, method: str, path: str) -> Response:
    """The response to a request that failed. What is not the caller's fault is logged."""
    if isinstance(error, StudioError):
        return _error(error.status, error.message, error.headers, **error.details)
    if isinstance(error, HTTPException):  # Starlette's: nothing has this path, or what has it does not take this method
        message = f"there is no {method} {path}" if error.status_code in (404, 405) else error.detail
        return _error(error.status_code, message, error.headers)
    lack = _lack(error)
    if lack is not None:
        log.error("%s %s failed: %r", method, path, error)
        return error_response(Unavailable(f"the server cannot serve this now: {lack}"), method, path)
    log.error("%s %s failed", method, path, exc_info=error)
    return _error(500, "the server failed at this call; its log says why")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None, **details: Any) -> Response:
    """An error in the form of the API."""
    return Response(encode({"status_code": status, "error": message, **details}), status, headers, JSON)


def _lack(error: Exception) -> str | None:
    """What the machine has run out of, if that is the cause."""
    if isinstance(error, MemoryError):
        return LACKS[errno.ENOMEM]
    return LACKS.get(error.errno or 0) if isinstance(error, OSError) else None
