"""One person's calls over one persistent connection, to whichever server is chosen when it is opened.

HTTP is written by hand on a stream, so that a call can be cut off in the middle and uses little processor time.
"""

import asyncio
import json
import random
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RESPONSE_S = 90.0  # more than any limit of the server


class ResponseLost(Exception):
    """The connection ended before the response arrived; it is unknown whether the call was served."""


class NoResponse(Exception):
    """The connection is open, and no response arrives."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """A connection that is opened when it is needed, each time to a server chosen at random from `ports`."""

    def __init__(self, ports: Sequence[int], chance: random.Random) -> None:
        self._ports = ports
        self._chance = chance
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, key: str, method: str, path: str, body: Any = None) -> HttpResponse:
        """Makes a call. Raises ResponseLost or NoResponse."""
        try:
            async with asyncio.timeout(RESPONSE_S):
                reader = await self._send(key, method, path, body)
                return await self._read_response(reader)
        except TimeoutError as error:
            self.close()
            raise NoResponse(f"{method} {path} had no response in {RESPONSE_S:g} s") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise ResponseLost from error

    async def cut(self, key: str, method: str, path: str, body: Any, after_s: float) -> None:
        """Sends a call and closes the connection without waiting for the response. Raises ResponseLost."""
        try:
            async with asyncio.timeout(RESPONSE_S):
                await self._send(key, method, path, body)
                await asyncio.sleep(after_s)
        except OSError as error:
            raise ResponseLost from error
        finally:
            self.close()

    async def cut_in_the_middle(self, key: str, method: str, path: str, body: Any) -> None:
        """Sends the first part of a call and closes the connection. Raises ResponseLost."""
        try:
            _, writer = await self._open()
            message = _message(key, method, path, body)
            writer.write(message[: self._chance.randrange(1, len(message))])
            await writer.drain()
        except OSError as error:
            raise ResponseLost from error
        finally:
            self.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._chance.choice(self._ports))
        return self._streams

    async def _send(self, key: str, method: str, path: str, body: Any) -> asyncio.StreamReader:
        reader, writer = await self._open()
        writer.write(_message(key, method, path, body))
        await writer.drain()
        return reader

    async def _read_response(self, reader: asyncio.StreamReader) -> HttpResponse:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = _header(head, b"content-length")
        body = await reader.readexactly(int(length)) if length else b""
        if _header(head, b"transfer-encoding") == b"chunked":
            body = await _chunks(reader)
        if _header(head, b"connection") == b"close":
            self.close()
        return HttpResponse(int(head[9:12]), body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


def _message(key: str, method: str, path: str, body: Any) -> bytes:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    credential = b64encode(f"{key}:".encode()).decode()
    head = f"{method} /v1{path} HTTP/1.1\r\nHost: studio\r\nAuthorization: Basic {credential}\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def _header(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)
