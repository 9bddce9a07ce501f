"""Checks large responses before the transaction that records them, in a separate process.

A small response is checked where it is recorded, because sending it to another process would cost more than the check.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from refonte_studio.aggregation.model import Result
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.fair_queue import FairQueue
from refonte_studio.kit.job_processes import CPU_LIMIT_S, JobProcesses, JobTimedOut, Reply, RunJob
from refonte_studio.kit.json_text import decode_json
from refonte_studio.tasks.model import CheckContext, CheckedResponse, has_large

SentResponse = dict[str, Any] | msgspec.Raw  # a response as submitted; Raw if it is large and not decoded yet


class Message(msgspec.Struct, frozen=True):
    """A request to the checking process."""

    name: str  # the name of the parameter that holds the response
    to_check: CheckContext
    response: bytes  # JSON, not yet known to be valid


class Fits(msgspec.Struct, frozen=True, tag=True):
    """The response is valid; `response` is its canonical JSON."""

    response: str
    score: float | None
    result: Result | None


class DoesNotFit(msgspec.Struct, frozen=True, tag=True):
    """The response is invalid; `error` says why."""

    error: str


_replies = msgspec.msgpack.Decoder(Fits | DoesNotFit)
_encode = msgspec.msgpack.Encoder().encode


def is_large(response: SentResponse, params: str) -> bool:
    """Returns whether a response to these parameters is checked in a separate process."""
    return isinstance(response, msgspec.Raw) or has_large(params)


def as_read(response: SentResponse) -> dict[str, Any]:
    """Returns the response, decoded. Raises BadInput unless it is a JSON object."""
    if not isinstance(response, msgspec.Raw):
        return response
    return decode_json(bytes(response), "the body", dict[str, Any])


class Checks:
    """Checks large responses: one at a time for each person, with a limit on each person's CPU time per minute."""

    def __init__(self, run: RunJob | None = None, queue: FairQueue | None = None) -> None:
        self.run = run
        self._queue = queue or FairQueue()

    async def check(self, to_check: CheckContext, response: SentResponse, name: str = "response") -> CheckedResponse:
        """Checks a response and returns it. Raises BadInput if it does not fit or takes too long, and TooMany if the
        person has used up their CPU time."""
        content = bytes(response) if isinstance(response, msgspec.Raw) else _json(response)
        async with self._queue.turn(to_check.person):
            reply = await self._reply(to_check.person, name, _encode(Message(name, to_check, content)), len(content))
        found: Fits | DoesNotFit = _replies.decode(reply.content)
        match found:
            case Fits(text, score, result):
                return CheckedResponse(to_check.task_id, text, score, result)
            case DoesNotFit(error):
                raise BadInput(error)

    async def _reply(self, person: str, name: str, message: bytes, size: int) -> Reply:
        if self.run is None:  # created late because it needs a running event loop
            self.run = JobProcesses("refonte_studio.tasks.service.check_process")
        try:
            reply = await self.run(message)
        except JobTimedOut as error:
            self._queue.charge(person, CPU_LIMIT_S)
            raise BadInput(
                f"{name}: its {size:,} bytes take more than {CPU_LIMIT_S:g} s to check, so they are refused; simplify"
                " its shapes, or give fewer of them"
            ) from error
        self._queue.charge(person, reply.cost_s)
        return reply

    async def close(self) -> None:
        """Stops the processes that were started."""
        if isinstance(self.run, JobProcesses):
            await self.run.close()


def _json(response: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(response)
    except RecursionError as error:
        raise BadInput("the response is nested too deeply") from error
