"""Job processes respond, can be stopped, and end with the server."""

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest

from refonte_studio.kit.job_processes import MEMORY_LIMIT_BYTES, JobProcesses, JobTimedOut, ProcessEnded


@pytest.fixture
async def processes() -> AsyncIterator[JobProcesses]:
    made = JobProcesses("tests.kit.misbehaving_process", processes=2, cpu_limit_s=0.2)
    yield made
    await made.close()


async def test_an_answer_comes_back_whole_with_what_it_cost(processes: JobProcesses):
    large = b"x" * 3_000_000
    reply = await processes(b"echo " + large)
    assert reply.content == large
    assert 0 <= reply.cost_s < 0.2
    assert (await processes(b"print then this")).content == b"then this"


async def test_one_process_serves_one_message_after_another_and_two_serve_two(processes: JobProcesses):
    first = (await processes(b"pid")).content
    assert (await processes(b"pid")).content == first
    both = await asyncio.gather(*(processes(b"pid") for _ in range(2)))
    assert len({reply.content for reply in both}) == 2


async def test_a_process_is_judged_by_its_own_memory_and_not_by_that_of_its_starter(processes: JobProcesses):
    """Linux hands the largest size of a process down to those that it starts, in one of its figures."""
    ballast = b"x" * (MEMORY_LIMIT_BYTES + 50_000_000)
    first = (await processes(b"pid")).content
    assert (await processes(b"pid")).content == first
    assert len(ballast) > MEMORY_LIMIT_BYTES


async def test_what_takes_too_long_is_stopped_and_the_loop_goes_on_meanwhile(processes: JobProcesses):
    began, turns = time.monotonic(), 0
    task = asyncio.create_task(processes(b"loop"))
    while not task.done():
        await asyncio.sleep(0.005)
        turns += 1
    with pytest.raises(JobTimedOut):
        await task
    assert time.monotonic() - began < 10
    assert turns > 10
    assert (await processes(b"echo again")).content == b"again"


@pytest.mark.parametrize("message", [b"die", b"fail"])
async def test_a_process_that_ends_fails_its_message_alone(processes: JobProcesses, message: bytes):
    with pytest.raises(ProcessEnded):
        await processes(message)
    assert (await processes(b"echo again")).content == b"again"


async def test_closing_ends_the_processes(processes: JobProcesses):
    pid = int((await processes(b"pid")).content)
    await processes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_who_gives_up_waiting_leaves_no_process_behind(processes: JobProcesses):
    task = asyncio.create_task(processes(b"loop"))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await processes(b"echo again")).content == b"again"
