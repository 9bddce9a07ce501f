"""Many connections that offer a fixed number of calls per second, whatever the server answers.

    python -m bench.load.flood http://127.0.0.1:8000 --connections 2000 --rate 20000 --seconds 10 < keys.txt

Most connections are labelers, who claim and submit; every tenth is a manager, who lists batches. The first key on
standard input is the manager's. A connection has at most one call in flight and repeats a call that was refused: at
once, or with `--heed` after the seconds in `Retry-After`. Without `--rate`, each connection makes its next call as soon
as the previous one is answered.
"""

import argparse
import asyncio
import json
import resource
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.load.figures import Calls
from bench.load.generator import BEGIN, END, RESPONSE, read_keys

TICK_S = 0.002
CONNECT_INTERVAL_S = 0.001
MANAGERS_EVERY = 10
REFUSALS = (b"503", b"429")
BODY = json.dumps(RESPONSE).encode()


class Caller(asyncio.Protocol):
    """One connection; `Labeler` and `Manager` choose the calls that it makes."""

    kinds: Sequence[str] = ()

    def __init__(self, flood: "Flood", key: str) -> None:
        self.flood = flood
        credential = b64encode(f"{key}:".encode())
        self.head = b" HTTP/1.1\r\nHost: studio\r\nAuthorization: Basic " + credential + b"\r\nContent-Length: "
        self.transport: asyncio.Transport | None = None
        self.sent_at: float | None = None
        self.left = b""
        self.kind = ""
        self.request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.flood.free.append(self)

    def call(self) -> None:
        assert self.transport is not None
        self.sent_at = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        data = self.left + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _number(data, end, b"content-length: "):
            self.left = data
            return
        self.left = b""
        status = data[9:12]
        self.flood.note(self, status)
        if status in (b"200", b"204"):
            self.succeeded(data, end)
        elif status not in REFUSALS:
            self.start_over()
        self.sent_at = None
        if status in REFUSALS and self.flood.heeds:
            asyncio.get_running_loop().call_later(_number(data, end, b"retry-after: "), self.flood.free.append, self)
        else:
            self.flood.free.append(self)

    def succeeded(self, data: bytes, end: int) -> None:
        """Chooses the next call after a successful one, whose head ends at `end`."""

    def start_over(self) -> None:
        """Chooses the next call after one that failed for another reason than overload."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.transport, self.sent_at, self.left = None, None, b""
        self.flood.lost(self)


class Labeler(Caller):
    """Claims and submits over and over."""

    def __init__(self, flood: "Flood", key: str) -> None:
        super().__init__(flood, key)
        self.start_over()

    def start_over(self) -> None:
        self.kind, self.request = "claim", b"POST /v1/work/claim" + self.head + b"0\r\n\r\n"

    def succeeded(self, data: bytes, end: int) -> None:
        at = data.find(b'"claim_id":"', end) + 12
        if self.kind == "submit" or at < 12:
            self.start_over()
            return
        tail = b"/submit" + self.head + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
        self.kind, self.request = "submit", b"POST /v1/work/" + data[at : at + 24] + tail


class Manager(Caller):
    """Lists batches over and over."""

    def __init__(self, flood: "Flood", key: str) -> None:
        super().__init__(flood, key)
        self.kind, self.request = "list", b"GET /v1/studio/batches" + self.head + b"0\r\n\r\n"


def _number(data: bytes, end: int, header: bytes) -> int:
    at = data.find(header, 0, end)
    return int(data[at + len(header) : data.index(b"\r", at)]) if at >= 0 else 0


class Flood:
    """All connections, and what became of their calls."""

    def __init__(self, options: argparse.Namespace, keys: Sequence[str]) -> None:
        url = urlsplit(options.url)
        self._address = url.hostname or "127.0.0.1", url.port or 80
        self._options = options
        self._counts = False
        self.heeds: bool = options.heed
        self.free: deque[Caller] = deque()
        self._served: dict[str, list[float]] = {}
        self._refused: list[float] = []
        self._faults: Counter[str] = Counter()
        self._offered = 0
        manager, *labelers = keys
        count = options.connections
        self._callers: list[Caller] = [
            Manager(self, manager) if n % MANAGERS_EVERY == 0 else Labeler(self, labelers[n % len(labelers)])
            for n in range(count)
        ]

    def note(self, caller: Caller, status: bytes) -> None:
        if not self._counts or caller.sent_at is None:
            return
        took_s = time.perf_counter() - caller.sent_at
        if status in REFUSALS:
            self._refused.append(took_s)
        elif status in (b"200", b"204"):
            self._served.setdefault(caller.kind, []).append(took_s)
        else:
            self._faults[f"{caller.kind} {status.decode()}"] += 1

    def lost(self, caller: Caller) -> None:
        if self._counts:
            self._faults["connections lost"] += 1
            asyncio.get_running_loop().create_task(self._connect(caller))

    async def _connect(self, caller: Caller) -> None:
        await asyncio.get_running_loop().create_connection(lambda: caller, *self._address)

    async def run(self) -> dict[str, Any]:
        for caller in self._callers:
            await self._connect(caller)
            await asyncio.sleep(CONNECT_INTERVAL_S)
        await self._offer(self._options.warm_up)
        self._counts, self._offered = True, 0
        print(BEGIN, flush=True)
        began, cpu = time.perf_counter(), time.process_time()
        await self._offer(self._options.seconds)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        print(END, flush=True)
        self._counts = False
        everything = [took for kind in self._served.values() for took in kind]
        return {
            "seconds": seconds,
            "offered_per_second": self._offered / seconds,
            "served": asdict(Calls.of(everything, seconds)),
            "kinds": {kind: asdict(Calls.of(took, seconds)) for kind, took in self._served.items()},
            "refused": asdict(Calls.of(self._refused, seconds)),
            "faults": dict(self._faults),
            "oldest_unanswered_s": max(
                (time.perf_counter() - c.sent_at for c in self._callers if c.sent_at), default=0
            ),
            "cpu_s": cpu,
        }

    async def _offer(self, seconds: float) -> None:
        """Makes calls on free connections, at the rate asked for."""
        began = last = time.perf_counter()
        due = 0.0
        while (now := time.perf_counter()) - began < seconds:
            due += (now - last) * self._options.rate if self._options.rate else len(self.free)
            last = now
            due = min(due, float(len(self._callers)))  # calls that could not be offered in time are not made up for
            while due >= 1 and self.free:
                caller = self.free.popleft()
                if caller.transport is None or caller.sent_at is not None:
                    continue
                caller.call()
                self._offered += 1
                due -= 1
            await asyncio.sleep(TICK_S if self._options.rate else 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=0.0, help="calls per second, over all connections")
    parser.add_argument("--heed", action="store_true", help="wait for as long as Retry-After says")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm-up", type=float, default=1.0)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.connections + 200), hard))
    keys = read_keys("-")

    async def whole() -> dict[str, Any]:
        return await Flood(options, keys).run()

    print(json.dumps(asyncio.Runner(loop_factory=uvloop.new_event_loop).run(whole())))


if __name__ == "__main__":
    main()
