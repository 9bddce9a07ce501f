"""Runs the command as a user does. `serve` and commands beside it are processes of their own."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from typer.testing import CliRunner

from refonte_studio.cli import app

TIMEOUT_S = 60
COMMAND = (sys.executable, "-m", "refonte_studio.cli")


def run_cli(*arguments: str, given: str = "") -> str:
    """Runs a command that must succeed; its output."""
    result = CliRunner().invoke(app, arguments, input=given)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def run_failing_cli(code: int, *arguments: str, given: str = "") -> str:
    """Runs a command that must fail with this exit code; the last line of its error output."""
    result = CliRunner().invoke(app, arguments, input=given)
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (code, "")
    return result.stderr.strip().splitlines()[-1]


def environment() -> dict[str, str]:
    """Our environment without settings of the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    url: str
    setup: str | None  # the path of the set-up link

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(how)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def running_server(*arguments: str, empty: bool = False, **variables: str) -> Iterator[Server]:
    """A server on a free port; killed at the end if it still runs. `empty`: it has no team, so it shows a link."""
    command = [*COMMAND, "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, env=environment() | variables, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(TIMEOUT_S, process.kill)
    timer.start()
    try:
        url = _line(process, r"Refonte Studio (http://127\.0\.0\.1:\d+)")
        setup = None
        if empty:
            _line(process, r"Nobody has an account yet\. (.*)")
            setup = _line(process, re.escape(url) + r"(/setup/\S+)")
        yield Server(process, url, setup)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _line(process: "subprocess.Popen[str]", pattern: str) -> str:
    """What stands in the brackets of the next line."""
    assert process.stdout is not None
    line = process.stdout.readline().rstrip("\n")
    found = re.fullmatch(pattern, line)
    assert found, line
    return found[1]
