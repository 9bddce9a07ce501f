"""The process that checks large responses; see `checking`."""

import time
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import AnnotatorModels, Result
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.job_processes import Reply, answer_messages
from refonte_studio.tasks.service.response_checks import DoesNotFit, Fits, Message, ToCheck, as_read

_messages = msgspec.msgpack.Decoder(Message)
_encode = msgspec.msgpack.Encoder().encode


def answer(message: bytes) -> bytes:
    """Whether a response fits its task, and what follows from it."""
    try:
        return _encode(_checked(_messages.decode(message)))
    except BadInput as error:
        return _encode(DoesNotFit(error.message))


async def here(message: bytes) -> Reply:
    """The same in this process, which stands still meanwhile."""
    began = time.process_time()
    content = answer(message)
    return Reply(content, time.process_time() - began)


def _checked(message: Message) -> Fits:
    to_check = message.to_check
    task_type = task_types.TYPES[to_check.type]
    params = msgspec.json.decode(to_check.params)
    given = as_read(msgspec.Raw(message.response))
    try:
        checked = task_type.check_response(params, given)
    except BadInput as error:
        if message.name == "response":
            raise
        raise BadInput(f"{message.name} does not fit the task: {error.message}") from error
    text = msgspec.json.encode(checked).decode()
    score = _score(to_check, task_type, params, checked)
    return Fits(text, score, _alone(to_check, checked, text))


def _score(
    to_check: ToCheck, task_type: task_types.TaskType, params: dict[str, Any], checked: dict[str, Any]
) -> float | None:
    """How well the response does, if its task's answer is known. Where another task's answer stands in for it, as much
    is done, so that the time that the check takes does not tell the kind of the task."""
    if to_check.expected is None:
        return None
    expected = msgspec.json.decode(to_check.expected)
    try:
        expected = task_type.check_response(params, expected)
    except BadInput:
        expected = checked  # it is of a task that asks something else
    score = task_type.score(params, expected, checked)
    return None if to_check.is_decoy else score


def _alone(to_check: ToCheck, checked: dict[str, Any], text: str) -> Result | None:
    if to_check.alone is None:
        return None
    params = msgspec.json.decode(to_check.params)
    known = AnnotatorModels.stored(to_check.alone)
    if not known.questions:
        return aggregation.aggregate_one(to_check.type, params, checked, text)
    return aggregation.aggregate(to_check.type, params, [checked], known.judge([to_check.person]))


if __name__ == "__main__":
    answer_messages(answer)
