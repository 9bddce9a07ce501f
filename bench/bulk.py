"""How fast tasks come in and go out in bulk, and what the server's memory does meanwhile.

    python bench/bulk.py --tasks 100000
    python bench/bulk.py --tasks 1000000 --database postgresql://…

Starts a server of its own on an empty database (PostgreSQL: an empty one that you name), imports the tasks through
`POST /v1/tasks/import` and takes them out through `GET /v1/tasks/export`, over HTTP on this machine.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

CHUNK = 2_000  # lines sent at once
PASSWORD = "correct horse battery"


def lines(count: int) -> Iterator[bytes]:
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        yield b"".join(
            b'{"attachment": "https://example.com/%d.jpg", "unique_id": "task-%d"}\n' % (n, n)
            for n in range(first, last)
        )


class Memory(threading.Thread):
    """The most resident memory that a process had, in MB, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self._done = threading.Event()
        self.start_mb = self.most_mb = self._now_mb()
        self.start()

    def _now_mb(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+)", self._status.read_text())
        return int(found[1]) / 1024 if found else 0.0

    def run(self) -> None:
        while not self._done.wait(0.1):
            self.most_mb = max(self.most_mb, self._now_mb())

    def grown_mb(self) -> float:
        self._done.set()
        return max(self.most_mb, self._now_mb()) - self.start_mb


def served(arguments: argparse.Namespace, folder: str) -> tuple[subprocess.Popen[str], str]:
    """A server process and its set-up link."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "refonte_studio.cli", "serve", "--port", str(port), "--data", folder]
    if arguments.database:
        command += ["--database", arguments.database]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http\S+/setup/\S+", line):
            return process, found[0]
    raise SystemExit("the server did not start, or its database is not empty")


def measure(http: httpx.Client, pid: int, count: int) -> None:
    for path, body in (
        ("/projects", {"name": "Bulk", "type": "categorization", "studio": True, "params": {"categories": ["a", "b"]}}),
        ("/batches", {"project": "Bulk", "name": "All"}),
    ):
        http.post(path, json=body).raise_for_status()
    memory, began = Memory(pid), time.perf_counter()
    answer = http.post("/tasks/import", params={"project": "Bulk", "batch": "All"}, content=lines(count))
    assert answer.json() == {"created": count}, answer.text
    report("in", count, time.perf_counter() - began, memory)
    memory, began, seen = Memory(pid), time.perf_counter(), 0
    with http.stream("GET", "/tasks/export", params={"project": "Bulk"}) as stream:
        for chunk in stream.iter_bytes():
            seen += chunk.count(b"\n")
    assert seen == count, f"{seen} of {count} came out"
    report("out", count, time.perf_counter() - began, memory)


def report(way: str, count: int, took_s: float, memory: Memory) -> None:
    print(f"{way:<4}{count:>10,} tasks {took_s:>8.1f} s {count / took_s:>9,.0f} tasks/s  +{memory.grown_mb():.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--database", default="", help="postgresql://… of an empty database; SQLite unless given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process, link = served(arguments, folder)
        try:
            base, token = link.rsplit("/setup/", 1)
            with httpx.Client(base_url=f"{base}/v1", timeout=3_600) as http:
                who = {"team": "Bench", "email": "ana@example.com", "first_name": "Ana", "last_name": "Ruiz"}
                session = http.post("/setup", json={"token": token, "password": PASSWORD, **who}).json()
                http.headers["X-CSRF-Token"] = session["csrf_token"]
                print(f"{os.cpu_count()} processors; {'PostgreSQL' if arguments.database else 'SQLite'}")
                measure(http, process.pid, arguments.tasks)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
