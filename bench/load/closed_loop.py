"""Labelers who do nothing but claim and submit, as many calls as the server takes.

    python -m bench.load.closed_loop http://127.0.0.1:8000 --keys keys.txt --seconds 10

One labeler is one key on one persistent connection. The calls are made and read by hand on bare sockets, so that the
load costs the machine little beside the server. An answer that is not a success is counted by its status; whoever got
it claims again after a moment. Runs as a process of its own: `drive` is for those who start it.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.environment.processes import module_command, module_environment
from bench.load.figures import Figures, Recorder

RESPONSE = {"response": {"category": "a"}}
PAUSE_S = 0.1  # after an answer that is not a success, or a lost connection
APART_S = 0.004  # between new connections: several server processes share them only if they do not come at once
DRAIN_S = 15.0  # what calls under way get to end
KINDS = ("claim", "empty", "submit", "release", "skip")


class Labeler(asyncio.Protocol):
    """Claims, does with the claim what the run says, claims again."""

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
        self._left = b""  # the beginning of an answer that is not all there
        self._sent = 0.0
        self.waits = False  # for an answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def claim(self) -> None:
        if self.run.ending:
            self.run.end(self)
            return
        if self._transport is None or self.waits:
            return  # the connection was lost, and whoever connects it anew claims
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

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport, self._left = None, b""
        if not self.run.ending:
            self.waits = False
            self.run.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(data: bytes, end: int) -> int:
    """How long the body is that belongs to this head."""
    at = data.find(b"content-length: ", 0, end)
    if at < 0:
        at = data[:end].lower().find(b"content-length: ")
    if at < 0:
        if data[9:12] != b"204":
            raise SystemExit(f"an answer without a length: {data[:end]!r}")
        return 0
    return int(data[at + 16 : data.index(b"\r", at)])


class Run:
    """All labelers, from the first connection to the last answer."""

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
        self._tries: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None
        self.loop.set_exception_handler(self._failed)

    def _failed(self, _loop: object, context: dict[str, Any]) -> None:
        """A mistake in a callback ends the run: its figures would be of fewer labelers."""
        self._bug = context.get("exception") or RuntimeError(context["message"])
        self._all_ended.set()

    def note(self, kind: str, took_s: float) -> None:
        if self.recorder.is_open:
            self.recorder.took_s[kind].append(took_s)

    def end(self, labeler: Labeler) -> None:
        """The labeler has nothing under way, and makes no more calls."""
        self._working.discard(labeler)
        if not self._working:
            self._all_ended.set()

    def lost(self, labeler: Labeler) -> None:
        self.recorder.lost += 1
        task = self.loop.create_task(self._again(labeler))
        self._tries.add(task)
        task.add_done_callback(self._tries.discard)

    async def _again(self, labeler: Labeler) -> None:
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
            await asyncio.sleep(APART_S)
        for labeler in self._labelers:
            labeler.claim()
        await self._wait(self._options.warm_up)
        cpu_s, began = time.process_time(), time.perf_counter()
        self.recorder.is_open = True
        print("begin", flush=True)
        await self._wait(self._options.seconds)
        self.recorder.is_open = False
        print("end", flush=True)
        cpu_s, seconds = time.process_time() - cpu_s, time.perf_counter() - began
        self.ending = True
        await self._wait(DRAIN_S)
        if self._bug is not None:
            raise self._bug
        for labeler in self._labelers:
            labeler.close()
        return self.recorder.figures(seconds, cpu_s, sum(labeler.waits for labeler in self._labelers))

    async def _wait(self, seconds: float) -> None:
        """So long, or until there is nothing left for anybody to do."""
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
    """A run in a process of its own. `cpu` answers what other processes have used so far; the run's part is kept."""
    command = module_command("bench.load.closed_loop", url, "--keys", "-", "--json", "--then", then)
    command += ["--seconds", str(seconds), "--warm-up", str(warm_up), *(["--again"] if again else [])]
    process = subprocess.Popen(
        command, env=module_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write("\n".join(keys))
        process.stdin.close()
        used: list[dict[str, float]] = []
        result = ""
        for line in process.stdout:
            if line.strip() in ("begin", "end"):
                used.append(cpu())
            else:
                result = line
    if process.returncode or len(used) != 2:
        raise SystemExit("the load generator failed")
    figures = Figures.from_json(json.loads(result))
    before, after = used
    figures.others_cpu_s = {name: after[name] - before.get(name, 0.0) for name in after}
    return figures


def report(figures: Figures) -> str:
    """Every kind of call in a line, and what did not go well."""
    lines = [
        f"{kind:<8}{calls.count:>9,} {calls.per_second:>9,.0f}/s"
        f"   p50 {calls.p50_ms:.2f} ms   p99 {calls.p99_ms:.2f} ms   max {calls.max_ms:.2f} ms"
        for kind, calls in figures.calls.items()
    ]
    made = sum(calls.count for calls in figures.calls.values())
    lines.append(f"made with {figures.cpu_s:.2f} s of processor, {figures.cpu_s / max(made, 1) * 1e6:.0f} us a call")
    return "\n".join([*lines, *([f"NOT WELL: {figures.faults}"] if figures.faults else [])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of the server")
    parser.add_argument("--keys", required=True, help="file with one API key a line; - for standard input")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before that do not count")
    parser.add_argument("--then", choices=("submit", "release", "skip"), default="submit", help="done with a claim")
    parser.add_argument("--again", action="store_true", help="claim on when there is nothing left")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    keys = (sys.stdin.read() if options.keys == "-" else Path(options.keys).read_text()).split()

    async def whole() -> Figures:
        return await Run(options, keys).figures()

    figures = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(whole())
    print(json.dumps(asdict(figures)) if options.json else report(figures))


if __name__ == "__main__":
    main()
