"""Work that is done in processes of its own.

Python runs one thread at a time, so long computations in a thread still delay the event loop. A process does not, and
it can be stopped. Each process takes one message at a time, which may cost a bounded amount of processor time.
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
CPU_LIMIT_S = 10.0  # of processor time, for one message
WALL_FACTOR = 6  # on a busy machine, a message may take this many times as long by the clock
IDLE_S = 60.0  # after which a process that has nothing to do ends
NICENESS = 10  # the process that serves goes first
MEMORY_LIMIT_BYTES = 500_000_000  # a process that has ever held more ends after the message, to give it back

_LENGTH = struct.Struct(">I")
_REPLY = struct.Struct(">Id?")  # how long the answer is, the processor time it took, and whether the process now ends


class JobTimedOut(Exception):
    """The work was stopped because it took more than its time."""


class ProcessEnded(Exception):
    """The process ended without an answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and the seconds of processor time that it took."""

    content: bytes
    cost_s: float


class RunJob(Protocol):
    """Does the work of a message. Raises JobTimedOut."""

    async def __call__(self, message: bytes) -> Reply: ...


class JobProcesses:
    """A few processes that run one module, started when they are needed. Call it with a message to get its reply."""

    def __init__(self, module: str, processes: int = PROCESSES, cpu_limit_s: float = CPU_LIMIT_S) -> None:
        self._module = module
        self._cpu_limit_s = cpu_limit_s
        self._places = asyncio.Semaphore(processes)
        self._idle: list[_Process] = []
        self._closed = False

    async def __call__(self, message: bytes) -> Reply:
        """The reply to a message. Raises JobTimedOut, and ProcessEnded if the process ends by itself."""
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
        """Ends the processes that are idle now; those at work end when their message is done."""
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
    """One process, seen from outside."""

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
        """The reply, and whether the process ends after it."""
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
        """Ends the process, whatever it is doing."""
        self._stdin.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


_OVERTIME = int(getattr(signal, "SIGPROF", 0))


def answer_messages(answer: Callable[[bytes], bytes]) -> None:
    """What such a process does: it answers the messages of its standard input until that ends."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes the pipe
    cpu_limit_s = float(sys.argv[1])
    source, target = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing that prints gets between the answers
    while len(head := source.read(_LENGTH.size)) == _LENGTH.size:
        message = source.read(_LENGTH.unpack(head)[0])
        began = time.process_time()
        _limit(cpu_limit_s)
        content = answer(message)
        _limit(0)
        if not _sent(target, content, time.process_time() - began):
            return


def _limit(seconds: float) -> None:
    """Has the system end this process when it has used so much processor time from now on; 0 lifts that."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)  # nothing handles its signal, which therefore kills


def _sent(target: BinaryIO, content: bytes, cost_s: float) -> bool:
    """Sends an answer; whether more messages may come."""
    ends = _most_memory_bytes() > MEMORY_LIMIT_BYTES
    try:
        target.write(_REPLY.pack(len(content), cost_s, ends))
        target.write(content)
        target.flush()
    except BrokenPipeError:  # whoever asked is gone
        return False
    return not ends


def _most_memory_bytes() -> int:
    """The most that this process has held. On Linux, `getrusage` also counts what its starter held before."""
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found is not None:
            return int(found[1]) * 1_024
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
