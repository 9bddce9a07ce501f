"""The soak of bench/soak/, shorter, as a process of its own, as anybody would run it for longer."""

import subprocess
import sys

from tests.house.sources import ROOT

SECONDS = 25
TIMEOUT_S = 240  # with the set-up and the proof, beside other tests


def run_soak(*options: str) -> str:
    """What a soak that must go well prints."""
    command = [sys.executable, "-m", "bench.soak", "--seconds", str(SECONDS), "--pause-ms", "20", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=TIMEOUT_S)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def event_count(report: str, event: str) -> int:
    """How often something happened, by the report."""
    (line,) = [line for line in report.splitlines() if line.startswith(f"{event}  ")]
    return int(line.removeprefix(event).split()[0].replace(",", ""))
