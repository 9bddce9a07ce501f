"""The servers of a soak, and what kills them and cuts their connections."""

import asyncio
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx

from bench.environment.processes import peak_resident_mb
from bench.environment.servers import server_environment

READY_S = 60.0
LIFETIME_S = (2.0, 12.0)  # of a server between two kills
STOP_S = 45.0  # more than a server takes to finish its requests in flight
CUT_INTERVAL_S = (0.5, 3.0)  # between two cuts of PostgreSQL's connections
SIGTERM_SHARE = 0.2  # of the kills


class Server:
    """A `refonte-studio serve` process on a port of its own."""

    def __init__(self, database_url: str, folder: Path, lease_s: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.log = folder / f"server-{self.port}.log"
        self._command = [sys.executable, "-m", "refonte_studio.cli", "serve", "--port", str(self.port)]
        self._command += ["--database", database_url, "--data", str(folder)]
        self._environment = {**server_environment(), "STUDIO_LEASE_S": str(lease_s)}
        self.most_mb = 0.0

    async def start(self) -> None:
        """Starts it and waits until it serves."""
        self._spawn()
        await self.serves()

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    async def serves(self) -> None:
        """Waits until it serves; starts it first if it has ended."""
        if self._process.poll() is not None:
            self._spawn()
        deadline = time.monotonic() + READY_S
        async with httpx.AsyncClient() as http:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise SystemExit(f"a server ended at its start:\n{self.log.read_text()[-2_000:]}")
                try:
                    if (await http.get(f"http://127.0.0.1:{self.port}/healthz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        raise SystemExit(f"a server did not serve within {READY_S:g} s")

    async def set_up_link(self) -> str:
        """The token of the set-up link, which a server prints while it has no team."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            said = self.log.read_text()
            if found := re.search(r"/setup/(\S+)\n", said):
                return found[1]
            await asyncio.sleep(0.05)
        raise SystemExit("the server prints no set-up link: its database is not empty")

    def kill(self) -> None:
        self.sample_memory()
        self._process.kill()
        self._process.wait()

    async def stop(self) -> int:
        """Sends SIGTERM and returns the exit code."""
        self.sample_memory()
        self._process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self._process.wait, STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def sample_memory(self) -> None:
        """Updates the most memory that it ever had."""
        self.most_mb = max(self.most_mb, peak_resident_mb(self._process.pid))

    def close(self) -> None:
        if hasattr(self, "_process") and self._process.poll() is None:
            self.kill()

    def traces(self) -> list[str]:
        """The last line of each traceback in its log."""
        found = re.findall(r"^Traceback .*\n(?:[ \n].*\n)*(.+)$", self.log.read_text(), re.MULTILINE)
        return [f"a traceback in a server's log: {line}" for line in found]


async def keep_killing(
    server: Server, chance: random.Random, events: Counter[str], fault: Callable[[str], None]
) -> None:
    """Kills a server again and again, and starts it each time."""
    while True:
        await asyncio.sleep(chance.uniform(*LIFETIME_S))
        if chance.random() < SIGTERM_SHARE:
            if code := await server.stop():
                fault(f"a server ended with {code} after SIGTERM")
            events["SIGTERM"] += 1
        else:
            server.kill()
            events["kill -9"] += 1
        await server.start()


async def keep_cutting(database_url: str, chance: random.Random, events: Counter[str]) -> None:
    """Cuts some or all of PostgreSQL's other connections again and again."""
    connection = await asyncpg.connect(database_url)
    try:
        while True:
            await asyncio.sleep(chance.uniform(*CUT_INTERVAL_S))
            events["connections cut"] += await connection.fetchval(
                """SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                     AND application_name <> 'auditor' AND random() < $1""",
                chance.choice((0.2, 0.5, 1.0)),
            )
    finally:
        await connection.close()
