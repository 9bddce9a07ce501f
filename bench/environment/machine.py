"""Describes the machine of a run, without names of hosts, people or folders."""

import os
import platform
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.environment.postgres import wheel_programs

SYNCS = 200  # measurements


def describe() -> dict[str, str]:
    """Properties and their values, in the order in which they are shown."""
    model, memory_kb = _search("/proc/cpuinfo", r"model name\s*: (.+)"), _search("/proc/meminfo", r"MemTotal:\s+(\d+)")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processors": f"{os.cpu_count()} x {model}",
        "memory": f"{int(memory_kb) / 2**20:.1f} GiB",
        "fdatasync of 4 KiB": _sync_times(),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": _postgres_version(),
    }


def _search(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text())
    except OSError:
        found = None
    return found[1].strip() if found else "0"


def _sync_times() -> str:
    """How long it takes to append 4 KiB durably to a file in the folder of temporary files."""
    took_ms: list[float] = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            os.write(file.fileno(), b"x" * 4_096)
            os.fdatasync(file.fileno())
            took_ms.append((time.perf_counter() - began) * 1_000)
    return f"p50 {statistics.median(took_ms):.2f} ms, p99 {sorted(took_ms)[SYNCS * 99 // 100]:.2f} ms"


def _postgres_version() -> str:
    program = wheel_programs() / "postgres"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
