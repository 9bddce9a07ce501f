"""Runs a command and starts it anew whenever a file under src/ changes: reload.py COMMAND ARGUMENTS…"""

import signal
import subprocess
import sys
import time
from pathlib import Path

SOURCES = Path(__file__).parent.parent / "src"


def newest() -> float:
    return max(path.stat().st_mtime for path in SOURCES.rglob("*.py"))


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    process = subprocess.Popen(command)
    seen = newest()
    try:
        while True:
            time.sleep(0.5)
            if newest() == seen:
                continue
            seen = newest()
            print("The sources changed: starting anew", file=sys.stderr)
            process.terminate()
            process.wait()
            process = subprocess.Popen(command)
    except KeyboardInterrupt:
        return 0
    finally:
        process.terminate()
        process.wait()


sys.exit(main(sys.argv[1:]))
