"""Runs jobs in separate processes.

Python runs one thread at a time, so a long computation in a thread still delays the event loop. A process does not, and
it can be stopped. Each process handles one message at a time, within a limit of processor time.
"""

import asyncio
import os
import re
import signal
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

PROCESSES = 2
CPU_LIMIT_S = 10.0  # of processor time per message
WALL_FACTOR = 6  # on a busy machine, a message may take this multiple of the limit in elapsed time
IDLE_S = 60.0  # a process without work ends after this time
NICENESS = 10  # the serving process takes precedence
MEMORY_LIMIT_BYTES = 500_000_000  # a process that has ever used more ends after its message, to release it

_LENGTH = struct.Struct(">I")
_REPLY = struct.Struct(">Id?")  # length of the content, processor time in seconds, whether the process now ends


class JobTimedOut(Exception):
    """The job exceeded its time limit and was stopped."""


class ProcessEnded(Exception):
    """The process ended without a reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The content of a reply, and the processor time it took in seconds."""

    content: bytes
    cost_s: float


class RunJob(Protocol):
    """Runs the job described by a message. Raises JobTimedOut."""

    async def __call__(self, message: bytes) -> Reply: ...


class JobProcesses:
    """A few processes that run one module, started on demand. Call it with a message to get the reply."""

    def __init__(self, module: str, processes: int = PROCESSES, cpu_limit_s: float = CPU_LIMIT_S) -> None:
        self._module = module
        self._cpu_limit_s = cpu_limit_s
        self._places = asyncio.Semaphore(processes)
        self._idle: list[_Process] = []
        self._closed = False

    async def __call__(self, message: bytes) -> Reply:
        """Returns the reply to a message. Raises JobTimedOut, and ProcessEnded if the process ends by itself."""
        async with self._places:
            process = self._rested() or await self._start()
            ends = True
            try:
                async with asyncio.timeout(WALL_FACTOR * self._cpu_limit_s):
                    reply, ends = await process.ask(message)
            except TimeoutError as error:
                raise JobTimedOut from error
            finally:
                if ends or self._closed:
                    await process.stop()
                else:
                    self._rest(process)
            return reply

    async def close(self) -> None:
        """Ends idle processes now, and busy ones after their current message."""
        self._closed = True
        while self._idle:
            await self._idle.pop().stop()

    async def _start(self) -> "_Process":
        command = (sys.executable, "-m", self._module, str(self._cpu_limit_s))
        pipe = asyncio.subprocess.PIPE
        return _Process(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))

    def _rested(self) -> "_Process | None":
        while self._idle:
            process = self._idle.pop()
            process.rest.cancel()
            if process.lives:
                return process
        return None

    def _rest(self, process: "_Process") -> None:
        self._idle.append(process)
        process.rest = asyncio.get_running_loop().call_later(IDLE_S, self._retire, process)

    def _retire(self, process: "_Process") -> None:
        if process in self._idle:
            self._idle.remove(process)
            process.let_go()


class _Process:
    """One process, as its parent sees it."""

    rest: asyncio.TimerHandle

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout

    @property
    def lives(self) -> bool:
        return self._process.returncode is None

    async def ask(self, message: bytes) -> tuple[Reply, bool]:
        """Returns the reply, and whether the process ends after it."""
        try:
            self._stdin.write(_LENGTH.pack(len(message)))
            self._stdin.write(message)
            await self._stdin.drain()
            length, cost_s, ends = _REPLY.unpack(await self._stdout.readexactly(_REPLY.size))
            return Reply(await self._stdout.readexactly(length), cost_s), ends
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if await self._process.wait() == -_OVERTIME:
                raise JobTimedOut from error
            raise ProcessEnded(f"the process ended with status {self._process.returncode}") from error

    def let_go(self) -> None:
        """Lets an idle process end."""
        self._stdin.close()

    async def stop(self) -> None:
        """Ends the process at once, even if it is busy."""
        self._stdin.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


_OVERTIME = int(getattr(signal, "SIGPROF", 0))


def answer_messages(answer: Callable[[bytes], bytes]) -> None:
    """The main loop of such a process: answers messages from standard input until it closes."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the server, which then closes the pipe
    cpu_limit_s = float(sys.argv[1])
    source, target = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # printed output must not mix with replies
    while len(head := source.read(_LENGTH.size)) == _LENGTH.size:
        message = source.read(_LENGTH.unpack(head)[0])
        began = time.process_time()
        _limit(cpu_limit_s)
        content = answer(message)
        _limit(0)
        if not _sent(target, content, time.process_time() - began):
            return


def _limit(seconds: float) -> None:
    """Limits the processor time that this process may use from now on, in seconds; 0 removes the limit."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)  # the signal has no handler, so it ends the process


def _sent(target: BinaryIO, content: bytes, cost_s: float) -> bool:
    """Sends a reply. Returns whether further messages may follow."""
    ends = _most_memory_bytes() > MEMORY_LIMIT_BYTES
    try:
        target.write(_REPLY.pack(len(content), cost_s, ends))
        target.write(content)
        target.flush()
    except BrokenPipeError:  # the parent is gone
        return False
    return not ends


def _most_memory_bytes() -> int:
    """Returns the peak memory of this process. On Linux, `getrusage` also counts memory of the parent before the
    fork."""
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found is not None:
            return int(found[1]) * 1_024
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
