"""Processes of a benchmark: how to start another one of this package, and what processes use of the machine."""

import os
import re
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MEMORY_INTERVAL_S = 0.1


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of `bench` as a process of its own; it needs `module_environment`."""
    return [sys.executable, "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """The environment in which a new process finds the package `bench`, whatever its working directory is."""
    path = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, starting with the third; empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def family(pid: int) -> list[int]:
    """The process itself and all its descendants."""
    parents = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = [pid]
    for member in found:
        found += [child for child, stat in parents.items() if stat and int(stat[1]) == member]
    return found


def cpu_s(pid: int) -> float:
    """The processor time used by a process and its descendants, including those that have ended."""
    ticks = 0
    for member in family(pid):
        stat = _stat(member)
        ticks += sum(map(int, stat[11:15] if stat else ()))
    return ticks / TICKS_PER_S


def cpu_shares_s(pid: int) -> list[float]:
    """The processor time used by each process of a family, the busiest first."""
    return sorted((sum(map(int, _stat(member)[11:13])) / TICKS_PER_S for member in family(pid)), reverse=True)


def resident_mb(pid: int) -> float:
    """The resident memory of one process; 0 if it has ended."""
    return _status_mb(pid, "VmRSS")


def peak_resident_mb(pid: int) -> float:
    """The most resident memory that one process ever had; 0 if it has ended."""
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int, name: str) -> float:
    try:
        found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1_024 if found else 0.0


class PeakMemory(threading.Thread):
    """The most resident memory of a process since this object was made, sampled every `MEMORY_INTERVAL_S`."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._done = threading.Event()
        self.start_mb = self.most_mb = resident_mb(pid)
        self.start()

    def run(self) -> None:
        while not self._done.wait(MEMORY_INTERVAL_S):
            self.most_mb = max(self.most_mb, resident_mb(self._pid))

    def growth_mb(self) -> float:
        """Ends the sampling and returns by how much the memory grew."""
        self._done.set()
        return max(self.most_mb, resident_mb(self._pid)) - self.start_mb
