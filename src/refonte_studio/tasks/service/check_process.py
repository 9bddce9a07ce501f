"""The process that checks large responses; see `response_checks`."""

import time
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.aggregation import service as aggregation
from refonte_studio.aggregation.model import AnnotatorModels, Result
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.job_processes import Reply, answer_messages
from refonte_studio.tasks.service.response_checks import CheckContext, DoesNotFit, Fits, Message, as_read

_messages = msgspec.msgpack.Decoder(Message)
_encode = msgspec.msgpack.Encoder().encode


def answer(message: bytes) -> bytes:
    """Checks a response against its task; returns the encoded `Fits` or `DoesNotFit`."""
    try:
        return _encode(_checked(_messages.decode(message)))
    except BadInput as error:
        return _encode(DoesNotFit(error.message))


async def here(message: bytes) -> Reply:
    """Does the same in this process, which blocks until it is done."""
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
    to_check: CheckContext, task_type: task_types.TaskType, params: dict[str, Any], checked: dict[str, Any]
) -> float | None:
    """Returns the score of the response, if the task has an expected response.

    For a decoy it takes the same time and returns None, so that the duration of the check does not reveal the kind of
    the task.
    """
    if to_check.expected is None:
        return None
    expected = msgspec.json.decode(to_check.expected)
    try:
        expected = task_type.check_response(params, expected)
    except BadInput:
        expected = checked  # the decoy is of a task with other parameters
    score = task_type.score(params, expected, checked)
    return None if to_check.is_decoy else score


def _alone(to_check: CheckContext, checked: dict[str, Any], text: str) -> Result | None:
    if to_check.alone is None:
        return None
    params = msgspec.json.decode(to_check.params)
    known = AnnotatorModels.stored(to_check.alone)
    if not known.questions:
        return aggregation.aggregate_one(to_check.type, params, checked, text)
    return aggregation.aggregate(to_check.type, params, [checked], known.judge([to_check.person]))


if __name__ == "__main__":
    answer_messages(answer)
