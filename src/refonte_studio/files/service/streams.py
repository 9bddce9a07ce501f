"""Streams the content of files in and out, with one chunk in memory at a time."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from refonte_studio.db import Database, Tx
from refonte_studio.files import policy, store
from refonte_studio.files.model import CHUNK_BYTES, File


async def chunk(tx: Tx, team_id: str, file_id: str, number: int) -> bytes:
    """Returns the chunk with this number, starting at 0, of an existing file; empty after the last chunk."""
    return await store.chunk(tx, team_id, file_id, number) or b""


async def read_range(db: Database, file: File, start: int, end: int) -> AsyncIterator[bytes]:
    """Yields the bytes of a file from `start` inclusive to `end` exclusive."""
    for number in range(start // CHUNK_BYTES, -(-end // CHUNK_BYTES)):
        data = await db.read(chunk, file.team_id, file.id, number)
        offset = number * CHUNK_BYTES
        yield data[max(0, start - offset) : end - offset]


@dataclass(frozen=True, slots=True)
class Served:
    """A response with the content of a file."""

    content: AsyncIterator[bytes]
    status: int
    media_type: str
    headers: Mapping[str, str]


def served(db: Database, file: File, range_header: str | None = None) -> Served:
    """Returns a response with the whole file or the requested range, safe for browsers whatever it contains."""
    part = policy.span(range_header, file.size)
    start, end = (part.start, part.end) if part else (0, file.size)
    headers = policy.serving_headers(file.name, file.mime_type)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return Served(read_range(db, file, start, end), 206 if part else 200, file.mime_type, headers)


class Incoming:
    """A file that is arriving. `write` accepts any number of bytes; `size` is the number received."""

    def __init__(self, db: Database, file_id: str, limit_bytes: int, team_id: str) -> None:
        self._db = db
        self.file_id = file_id
        self._team_id = team_id
        self._limit_bytes = limit_bytes
        self._waiting = bytearray()
        self._chunks = 0
        self.size = 0
        self.finished = False

    async def write(self, data: bytes | bytearray) -> None:
        """Writes bytes. Raises TooLarge above the limit."""
        self.size += len(data)
        policy.check_size(self.size, self._limit_bytes)
        self._waiting += data
        while len(self._waiting) >= CHUNK_BYTES:
            await self._keep(bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]

    async def flush(self) -> None:
        """Stores the remaining bytes at the end."""
        if self._waiting:
            await self._keep(bytes(self._waiting))
            self._waiting.clear()

    async def _keep(self, data: bytes) -> None:
        await self._db.write(store.insert_chunk, self._team_id, self.file_id, self._chunks, data)
        self._chunks += 1


@asynccontextmanager
async def incoming(db: Database, file_id: str, limit_bytes: int, team_id: str) -> AsyncGenerator[Incoming]:
    """Yields a file to write to. If it is not `finished` when the context ends, everything written is removed."""
    arriving = Incoming(db, file_id, limit_bytes, team_id)
    try:
        yield arriving
    finally:
        if not arriving.finished:
            await db.write(store.remove, team_id, file_id)
