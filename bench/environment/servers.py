"""Real servers: `refonte-studio serve` as processes of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.environment.processes import cpu_s, cpu_shares_s, family

START_S = 60.0
IDLE_S = 0.4  # a server that has used no processor for this long has started


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    pid: int

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def cpu_shares_s(self) -> list[float]:
        """The processor time used by each of its processes, the busiest first."""
        return cpu_shares_s(self.pid)


def server_environment() -> dict[str, str]:
    """The environment of a server, without the settings of whoever runs the benchmark."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}


@contextmanager
def running_server(database: str, workers: int = 1, python: str = sys.executable) -> Generator[Server]:
    """Starts `refonte-studio serve` on a free port and waits until it is idle; ends it with SIGTERM.

    `python` is the interpreter whose environment has the server: by default our own, else that of another revision. The
    server writes to our standard error. Raises SystemExit if it does not start.
    """
    command = [python, "-m", "refonte_studio.cli", "serve", "--port", "0", "--workers", str(workers)]
    command += ["--database", database]
    process = subprocess.Popen(command, env=server_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.fullmatch(r"Refonte Studio (http://\S+)\n", process.stdout.readline())
        if found is None:
            raise SystemExit("the server did not start")
        server = Server(found[1], process.pid)
        _wait_until_idle(server, workers)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


def _wait_until_idle(server: Server, workers: int) -> None:
    """Waits until every process of the server has started and finished its start-up work."""
    deadline = time.monotonic() + START_S
    used, since = -1.0, time.monotonic()
    while time.monotonic() < deadline:
        now = server.cpu_s()
        if now != used:
            used, since = now, time.monotonic()
        elif time.monotonic() - since > IDLE_S and len(family(server.pid)) >= (workers + 1 if workers > 1 else 1):
            return
        time.sleep(0.05)
    raise SystemExit("the server does not come to rest")
