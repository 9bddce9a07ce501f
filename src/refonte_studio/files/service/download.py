"""Downloads a file from a URL given by a client."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from refonte_studio.files.service.outbound import redirect_of
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.redaction import redacted
from refonte_studio.kit.urls import checked_url

REDIRECTS = 3
WHOLE_TIMEOUT_S = 600.0
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "refonte-studio"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """The properties of a file according to the remote server."""

    name: str
    mime_type: str


async def fetch(client: httpx.AsyncClient, url: str, write: Callable[[bytes], Awaitable[None]]) -> Fetched:
    """Passes a file's bytes to `write` as they arrive, following a few redirects.

    Raises BadInput if the file cannot be downloaded; exceptions of `write` pass through.
    """
    try:
        async with asyncio.timeout(WHOLE_TIMEOUT_S):
            for _ in range(REDIRECTS + 1):
                async with client.stream("GET", checked_url("file_url", url), headers=HEADERS) as response:
                    location = redirect_of(response)
                    if location is None:
                        return await _received(response, url, write)
                    url = _joined(url, location)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        why = redacted(str(error)) or type(error).__name__
        raise BadInput(f"file_url {shown(url)} cannot be fetched: {why}") from error
    raise BadInput(f"file_url redirects more than {REDIRECTS} times, at last to {shown(url)}")


def _joined(url: str, location: str) -> str:
    """Returns the target of a redirect."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise BadInput(f"file_url {shown(url)} redirects to {shown(location)}, which is no URL") from error


async def _received(response: httpx.Response, url: str, write: Callable[[bytes], Awaitable[None]]) -> Fetched:
    if response.status_code != 200:
        raise BadInput(f"file_url {shown(url)} cannot be fetched: it answers {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise BadInput(f"file_url {shown(url)} cannot be fetched: it is sent compressed, though that was not asked for")
    async for data in response.aiter_raw():
        await write(data)
    return Fetched(unquote(urlsplit(url).path), response.headers.get("content-type", ""))
