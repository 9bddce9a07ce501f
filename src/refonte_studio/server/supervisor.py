"""Runs several server processes on one socket: starts them together, restarts those that end, stops them together."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from refonte_studio import config
from refonte_studio.config import Settings
from refonte_studio.kit.backoff import RetrySchedule
from refonte_studio.kit.errors import Unavailable
from refonte_studio.server import process

log = logging.getLogger(__name__)


CHECK_S = 0.25
LIVED_S = 10  # a process that ended sooner never served
# pauses before the next attempt, by the number of consecutive processes that never served
SCHEDULE = RetrySchedule((0, 0, 1, 2, 4, 8, 15, 15, 15))
AWAY = 75  # exit code of a process whose database is unreachable (EX_TEMPFAIL)
AWAY_PAUSE_S = 5  # pause before it is started again, without limit
END_S = 40  # more than a process gives requests in flight


def run(settings: Settings, listener: socket.socket) -> int:
    """Runs `settings.workers` processes until SIGTERM or SIGINT. Returns the exit code: 1 if the processes keep
    failing.

    Closes the listener when the processes are to end.
    """
    process.log_to_stderr()
    ending = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ending.set())
    lifeline, held = os.pipe()  # when it closes, the processes know that this one is gone, for any reason
    workers = [_Worker(settings, listener.fileno(), lifeline) for _ in range(settings.workers)]
    failures = 0
    try:
        while not ending.wait(CHECK_S):
            dead = next((worker for worker in workers if worker.ended()), None)
            if dead is None:
                continue
            failures = failures_after(failures, dead.process.returncode, dead.lived_s())
            pause_s = pause_before_next(failures, dead.process.returncode)
            if pause_s is None or ending.wait(pause_s):
                break
            log.warning("a server process ended with %d; starting another", dead.process.returncode)
            dead.start()
    finally:
        listener.close()  # new connections are refused, not kept waiting, while the last requests are answered
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + END_S
        for worker in workers:
            worker.end(deadline)
        os.close(held)
    return 0 if ending.is_set() else 1


def failures_after(failures: int, code: int, lived_s: float) -> int:
    """Returns the number of consecutive processes that never served, after one has ended with this code."""
    if code == AWAY:
        return failures  # an unreachable database says nothing about the process
    return failures + 1 if lived_s < LIVED_S else 0


def pause_before_next(failures: int, code: int) -> float | None:
    """Returns how long to wait before starting another process, in seconds; None to give up."""
    if code == AWAY:
        return AWAY_PAUSE_S
    return SCHEDULE.pause_s(failures + 1)


class _Worker:
    def __init__(self, settings: Settings, listener: int, lifeline: int) -> None:
        self._command = [sys.executable, "-m", "refonte_studio.server.supervisor", str(listener), str(lifeline)]
        self._passed = (listener, lifeline)
        self._environment: Mapping[str, str] = os.environ | config.environment_of(settings)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command, env=self._environment, pass_fds=self._passed, start_new_session=True
        )
        self._started = time.monotonic()

    def ended(self) -> bool:
        return self.process.poll() is not None

    def lived_s(self) -> float:
        return time.monotonic() - self._started

    def end(self, deadline: float) -> None:
        try:
            self.process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def _ready(_db: object) -> None:
    """The parent process has already reported where the server is."""


def main(listener: int, lifeline: int) -> None:
    """The main function of each server process."""
    try:
        process.run(config.load(), socket.socket(fileno=listener), _ready, lifeline)
    except Unavailable as error:
        print(f"refonte-studio: {error}", file=sys.stderr)
        sys.exit(AWAY)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
