"""Runs a short soak test (`bench/soak/`) as a process of its own."""

import subprocess
import sys

from tests.house.sources import ROOT

SECONDS = 25
TIMEOUT_S = 240  # including the set-up and the proof, while other tests run


def run_soak(*options: str) -> str:
    """The report of a soak test, which must succeed."""
    command = [sys.executable, "-m", "bench.soak", "--seconds", str(SECONDS), "--pause-ms", "20", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=TIMEOUT_S)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def event_count(report: str, event: str) -> int:
    """How often an event happened, according to the report."""
    (line,) = [line for line in report.splitlines() if line.startswith(f"{event}  ")]
    return int(line.removeprefix(event).split()[0].replace(",", ""))
