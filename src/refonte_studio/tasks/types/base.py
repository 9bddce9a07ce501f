"""What a task type is: the parameters it takes, the responses it admits, and how several become one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.model import Judge, Outcome
from refonte_studio.tasks.types._checks import an_object, size_of
from refonte_studio.tasks.types._panel import Panel, Reader
from refonte_studio.tasks.types._parameters import COMMON_PARAMETERS, Parameter, check_declared
from refonte_studio.tasks.types._totals import check_totals

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
    conceals: ClassVar[bool] = False  # whether there are parameters that labelers do not see as they are

    def check_params(self, params: dict[str, Any]) -> None:
        """Raises BadInput, naming the parameter and value, unless a task of this type can be done with them."""
        an_object(params, "params")
        check_declared(COMMON_PARAMETERS, params)
        check_declared(self.parameters, params)
        self.check_own_params(params)

    @abstractmethod
    def check_own_params(self, params: dict[str, Any]) -> None:
        """What this type asks of its parameters beyond presence and JSON type."""

    def check_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        """The response in canonical form. Raises BadInput naming the path and value that do not fit.

        The size of the response as a whole is bounded, and a check takes time in proportion to it, so that no response
        takes a second to check.
        """
        check_totals(response)
        return self.check_own_response(params, response)

    @abstractmethod
    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        """What this type asks of a response, and its canonical form."""

    @abstractmethod
    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        """A well-formed response to checked parameters: always the same one, and it passes check_response."""

    def seen(self, params: dict[str, Any], _seed: str) -> dict[str, Any]:
        """The parameters as a labeler may see them; the seed stands for the person and the task, and always gives the
        same."""
        return params

    def consensus(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], judge: Judge) -> Outcome:
        """One result from one or more checked responses, in their order of submission; it passes check_response.

        One response is the result itself. The same responses in the same order give the same result; their order
        matters only where votes tie, and then what appears first wins. The confidence is the share of the result
        that is expected to be right, and one more attempt that says the same never lowers it.
        """
        if not responses:
            raise ValueError("nothing to combine")
        found = self.settle(params, responses, Panel.of(judge))
        return Outcome(responses[0], found.confidence, 1.0) if len(responses) == 1 else found

    def consensus_cost(self, _params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> int:
        """About how many elementary steps, of a microsecond each, `consensus` takes for these checked responses.

        The estimate itself takes time in proportion to the size of the responses. Types that compare every part of a
        response with every part of another one say so here.
        """
        return size_of(responses) * len(responses)

    @abstractmethod
    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        """`consensus` for a panel; of one response, only the confidence counts."""

    def combine(self, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The result of `consensus` where everybody counts the same."""
        return self.consensus(params, responses, Plain(len(responses))).response

    def reader(self, _params: dict[str, Any], /) -> Reader:
        """What reads `votes` off checked responses to these parameters; made once, it reads many."""
        return lambda _: {}

    def votes(self, params: dict[str, Any], response: dict[str, Any]) -> dict[str, str]:
        """The questions with labels that a checked response answers: by the names that `consensus` asks judges about,
        the labels as JSON texts. Empty for the types whose responses are drawn or typed."""
        return self.reader(params)(response)

    def choices(self, _params: dict[str, Any], /) -> Mapping[str, int]:
        """How many labels there are to choose from, by question of `votes`."""
        return {}

    @abstractmethod
    def similarity(self, params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        """How much two checked responses say the same, 0 to 1. The same either way round; 1 for the same content, in
        whatever order it comes and by whatever ids its parts go."""

    def score(self, params: dict[str, Any], expected: dict[str, Any], response: dict[str, Any]) -> float:
        """How right a checked response is where another one is known to be right, 0 to 1."""
        return self.similarity(params, expected, response)

    @abstractmethod
    def response_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of responses in general, whatever the parameters."""
