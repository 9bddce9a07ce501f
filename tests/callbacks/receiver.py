"""A team's own program: a small HTTP server that keeps the callbacks that it receives and responds as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Letter:
    """What one callback brought."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    letters: list[Letter] = field(default_factory=list)
    status: int = 200
    port: int = 0
    more_headers: str = ""
    waiting: asyncio.Event | None = None  # if there is one, answers wait for it
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def has(self, count: int) -> None:
        """Waits until so many letters have come."""
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(lambda: len(self.letters) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.letters.append(Letter(head[0].split(" ")[1], headers, body))
            async with self.came:
                self.came.notify_all()
            if self.waiting is not None:
                await self.waiting.wait()
            answer = f"HTTP/1.1 {self.status} As told\r\n{self.more_headers}"
            writer.write(f"{answer}content-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the sender went away
        finally:
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
