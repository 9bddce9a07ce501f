"""A closed loop of labelers: each makes its next call as soon as the previous one is answered.

    python -m bench.load.closed_loop http://127.0.0.1:8000 --keys keys.txt --seconds 10

One labeler is one key on one persistent connection, which claims and submits over and over. HTTP is written and read by
hand on bare sockets, so that the load generator uses little of the machine that it shares with the server. A response
that is not a success is counted by its status, and the labeler claims again after a pause. The loop runs as a process
of its own; benchmarks start it with `drive`.
"""

import argparse
import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.environment.processes import module_command
from bench.load.figures import Figures, Recorder
from bench.load.generator import BEGIN, END, RESPONSE, read_keys, run_generator

PAUSE_S = 0.1  # after a response that is not a success, or a lost connection
CONNECT_INTERVAL_S = 0.004  # connections that come at once are not spread over several server processes
DRAIN_S = 15.0  # for calls in flight at the end
KINDS = ("claim", "empty", "submit", "release", "skip")


class Labeler(asyncio.Protocol):
    """One labeler: claims, does with the claim what the run says, and claims again."""

    def __init__(self, run: "Run", key: str) -> None:
        self.run = run
        credential = b64encode(f"{key}:".encode()).decode()
        head = f" HTTP/1.1\r\nHost: {run.host}\r\nAuthorization: Basic {credential}\r\n"
        body = json.dumps(RESPONSE) if run.then == "submit" else ""
        content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        self._claim = f"POST /v1/work/claim{head}Content-Length: 0\r\n\r\n".encode()
        self._rest = f"/{run.then}{head}{content}".encode()
        self._transport: asyncio.Transport | None = None
        self._claiming = True
        self._left = b""  # an incomplete response
        self._sent = 0.0
        self.waits = False  # for a response

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def claim(self) -> None:
        if self.run.ending:
            self.run.end(self)
            return
        if self._transport is None or self.waits:
            return  # the connection was lost; the labeler claims when it has reconnected
        self._claiming = self.waits = True
        self._sent = time.perf_counter()
        self._transport.write(self._claim)

    def data_received(self, data: bytes) -> None:
        if self._left:
            data = self._left + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _length(data, end):
            self._left = data
            return
        took_s = time.perf_counter() - self._sent
        self._left, self.waits = b"", False
        status = data[9:12]
        if status == b"200":
            self._succeeded(data, end, took_s)
        elif status == b"204" and self._claiming:
            self.run.note("empty", took_s)
            self.claim() if self.run.again else self.run.end(self)
        else:
            self.run.recorder.refuse("claim" if self._claiming else self.run.then, status.decode())
            self.run.loop.call_later(PAUSE_S, self.claim)

    def _succeeded(self, data: bytes, end: int, took_s: float) -> None:
        if not self._claiming:
            self.run.note(self.run.then, took_s)
            self.claim()
            return
        self.run.note("claim", took_s)
        at = data.index(b'"claim_id":"', end) + 12
        assert self._transport is not None
        self._claiming, self.waits = False, True
        self._sent = time.perf_counter()
        self._transport.write(b"POST /v1/work/" + data[at : at + 24] + self._rest)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._transport, self._left = None, b""
        if not self.run.ending:
            self.waits = False
            self.run.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(data: bytes, end: int) -> int:
    """The length of the body that follows this head."""
    at = data.find(b"content-length: ", 0, end)
    if at < 0:
        at = data[:end].lower().find(b"content-length: ")
    if at < 0:
        if data[9:12] != b"204":
            raise SystemExit(f"a response without a length: {data[:end]!r}")
        return 0
    return int(data[at + 16 : data.index(b"\r", at)])


class Run:
    """All labelers, from the first connection to the last response."""

    def __init__(self, options: argparse.Namespace, keys: Sequence[str]) -> None:
        url = urlsplit(options.url)
        self.host, self._port = url.hostname or "127.0.0.1", url.port or 80
        self.then, self.again = options.then, options.again
        self.recorder = Recorder(KINDS)
        self.ending = False
        self.loop = asyncio.get_running_loop()
        self._options = options
        self._labelers = [Labeler(self, key) for key in keys]
        self._working = set(self._labelers)
        self._all_ended = asyncio.Event()
        self._reconnections: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None
        self.loop.set_exception_handler(self._failed)

    def _failed(self, _loop: object, context: dict[str, Any]) -> None:
        """An error in a callback ends the run, because its figures would be those of fewer labelers."""
        self._bug = context.get("exception") or RuntimeError(context["message"])
        self._all_ended.set()

    def note(self, kind: str, took_s: float) -> None:
        if self.recorder.is_open:
            self.recorder.took_s[kind].append(took_s)

    def end(self, labeler: Labeler) -> None:
        """The labeler has no call in flight and makes no more calls."""
        self._working.discard(labeler)
        if not self._working:
            self._all_ended.set()

    def lost(self, labeler: Labeler) -> None:
        self.recorder.lost += 1
        task = self.loop.create_task(self._reconnect(labeler))
        self._reconnections.add(task)
        task.add_done_callback(self._reconnections.discard)

    async def _reconnect(self, labeler: Labeler) -> None:
        await asyncio.sleep(PAUSE_S)
        try:
            await self._connect(labeler)
        except OSError:
            self.lost(labeler)
        else:
            labeler.claim()

    async def _connect(self, labeler: Labeler) -> None:
        await self.loop.create_connection(lambda: labeler, self.host, self._port)

    async def figures(self) -> Figures:
        for labeler in self._labelers:
            await self._connect(labeler)
            await asyncio.sleep(CONNECT_INTERVAL_S)
        for labeler in self._labelers:
            labeler.claim()
        await self._wait(self._options.warm_up)
        cpu_s, began = time.process_time(), time.perf_counter()
        self.recorder.is_open = True
        print(BEGIN, flush=True)
        await self._wait(self._options.seconds)
        self.recorder.is_open = False
        print(END, flush=True)
        cpu_s, seconds = time.process_time() - cpu_s, time.perf_counter() - began
        self.ending = True
        await self._wait(DRAIN_S)
        if self._bug is not None:
            raise self._bug
        for labeler in self._labelers:
            labeler.close()
        return self.recorder.figures(seconds, cpu_s, sum(labeler.waits for labeler in self._labelers))

    async def _wait(self, seconds: float) -> None:
        """Waits this long, or until all labelers have ended."""
        try:
            await asyncio.wait_for(self._all_ended.wait(), seconds)
        except TimeoutError:
            return


def drive(
    url: str,
    keys: Sequence[str],
    seconds: float,
    *,
    warm_up: float = 1.0,
    then: str = "submit",
    again: bool = False,
    cpu: Callable[[], dict[str, float]] = dict,
) -> Figures:
    """Runs the loop in a process of its own and returns its figures.

    `cpu` returns the processor time that other processes have used so far; the figures have what they used in the run.
    """
    command = module_command("bench.load.closed_loop", url, "--keys", "-", "--json", "--then", then)
    command += ["--seconds", str(seconds), "--warm-up", str(warm_up), *(["--again"] if again else [])]
    used: list[dict[str, float]] = []
    result = run_generator(command, keys, on_begin=lambda: used.append(cpu()), on_end=lambda: used.append(cpu()))
    figures = Figures.from_json(result)
    before, after = used
    figures.others_cpu_s = {name: after[name] - before.get(name, 0.0) for name in after}
    return figures


def report(figures: Figures) -> str:
    """One line for each kind of call, and what went wrong."""
    lines = [
        f"{kind:<8}{calls.count:>9,} {calls.per_second:>9,.0f}/s"
        f"   p50 {calls.p50_ms:.2f} ms   p99 {calls.p99_ms:.2f} ms   max {calls.max_ms:.2f} ms"
        for kind, calls in figures.calls.items()
    ]
    made = sum(calls.count for calls in figures.calls.values())
    lines.append(f"made with {figures.cpu_s:.2f} s of processor, {figures.cpu_s / max(made, 1) * 1e6:.0f} us a call")
    return "\n".join([*lines, *([f"NOT WELL: {figures.faults}"] if figures.faults else [])])


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of a generator whose labelers claim and submit."""
    parser.add_argument("--keys", required=True, help="file with one API key per line; - for standard input")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before the measurement starts")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of the server")
    add_run_options(parser)
    parser.add_argument("--then", choices=("submit", "release", "skip"), default="submit", help="what ends each claim")
    parser.add_argument("--again", action="store_true", help="claim again when there is nothing left")
    options = parser.parse_args()
    keys = read_keys(options.keys)

    async def whole() -> Figures:
        return await Run(options, keys).figures()

    figures = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(whole())
    print(json.dumps(asdict(figures)) if options.json else report(figures))


if __name__ == "__main__":
    main()
