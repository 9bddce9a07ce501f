"""The command as a user runs it: `refonte-studio`, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TIMEOUT_S = 60
COMMAND = (sys.executable, "-m", "refonte_studio.cli")


def environment() -> dict[str, str]:
    """This one, without settings that would leak in, and with help as wide as everywhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    return kept | {"COLUMNS": "100", "PYTHONWARNINGS": "default"}


def command(*arguments: str, given: str | bytes = "") -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end, with `given` on its standard input."""
    text = given.decode() if isinstance(given, bytes) else given
    return subprocess.run(
        [*COMMAND, *arguments], input=text, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_S
    )


def done(*arguments: str, given: str = "") -> str:
    """What a command that must succeed prints."""
    result = command(*arguments, given=given)
    assert result.returncode == 0, (result.returncode, result.stdout, result.stderr)
    return result.stdout


def refused(code: int, *arguments: str, given: str = "") -> str:
    """The one line that a command which must fail prints."""
    result = command(*arguments, given=given)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    return result.stderr.strip().splitlines()[-1]


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    url: str
    lines: list[str]  # what it has printed

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(how)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def serving(*arguments: str, expect: str = r"Refonte Studio (http\S+)") -> Iterator[Server]:
    """A server that answers, on a free port; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *arguments], env=environment(), stdout=subprocess.PIPE, text=True
    )
    timer = threading.Timer(TIMEOUT_S, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if found := re.fullmatch(expect, lines[-1]):
                yield Server(process, found[1], lines)
                break
        else:
            raise AssertionError(f"the server ended with {process.wait()} and said {lines}")
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
