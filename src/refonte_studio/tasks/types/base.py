"""What a task type is: the parameters it takes, the responses it admits, and how several become one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.model import Judge, Outcome
from refonte_studio.tasks.types._checks import an_object
from refonte_studio.tasks.types._parameters import COMMON_PARAMETERS, Parameter, check_declared

__all__ = ["Parameter", "TaskType"]


class TaskType(ABC):
    """One type of task. Instances hold no state; every question is answered from the parameters alone.

    `params` are always the task's effective parameters: the project's, overridden by the task's own.
    Whatever JSON comes in, a method answers or raises BadInput; nothing else.
    """

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, Parameter]]
    example_params: ClassVar[dict[str, Any]]
    example_response: ClassVar[dict[str, Any]]

    def check_params(self, params: dict[str, Any]) -> None:
        """Raises BadInput, naming the parameter and value, unless a task of this type can be done with them."""
        an_object(params, "params")
        check_declared(COMMON_PARAMETERS, params)
        check_declared(self.parameters, params)
        self.check_own_params(params)

    @abstractmethod
    def check_own_params(self, params: dict[str, Any]) -> None:
        """What this type asks of its parameters beyond presence and JSON type."""

    @abstractmethod
    def check_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        """The response in canonical form. Raises BadInput naming the path and value that do not fit."""

    @abstractmethod
    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        """A well-formed response to checked parameters: always the same one, and it passes check_response."""

    def combine(self, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """One result from one or more checked responses, in their order of submission; it passes check_response.

        One response is the result itself. The same responses in the same order give the same result; where
        votes tie, what appears first among the responses wins.
        """
        if not responses:
            raise ValueError("nothing to combine")
        return responses[0] if len(responses) == 1 else self.merge(params, responses)

    def consensus(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], judge: Judge) -> Outcome:
        """One result from one or more checked responses, in their order of submission."""
        result = self.combine(params, responses)
        share = sum(response == result for response in responses)
        return Outcome(result, (share + 1) / (len(responses) + 2), share / len(responses))

    @abstractmethod
    def merge(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> dict[str, Any]:
        """`combine` for two responses or more."""

    @abstractmethod
    def response_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of responses in general, whatever the parameters."""
