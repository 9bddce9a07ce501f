"""What a task type is: the parameters it takes, the responses it admits, and how several become one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.judges import Plain
from refonte_studio.consensus.model import Judge, Outcome
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types.parts.attachments import check_attachments
from refonte_studio.task_types.parts.canonical_names import canonical_params, check_names
from refonte_studio.task_types.parts.checks import MissingValue, an_object, size_of
from refonte_studio.task_types.parts.measures import check_measures
from refonte_studio.task_types.parts.panel import Panel, Reader
from refonte_studio.task_types.parts.parameters import COMMON_PARAMETERS, Parameter, check_declared, check_either
from refonte_studio.task_types.parts.size_limits import check_totals

__all__ = ["Parameter", "TaskType"]

# For required parameters that are still to come, where a type's example has none.
_STAND_INS = {"attachment": "https://example.com/", "text": "Sample", "objects_to_annotate": ["Sample"]}
# What a response does not depend on.
_SAY_NOTHING = frozenset({"attachment"})


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

    only_media: ClassVar[bool] = False  # whether attachments are never text
    either: ClassVar[Sequence[tuple[str, ...]]] = ()  # parameters of which a task has at most one

    def check_params(self, params: dict[str, Any]) -> None:
        """Raises BadInput, naming the parameter and value, unless a task of this type can be done with them."""
        self._check_shaping(params)
        self._check_first(canonical_params(params))

    def check_given(self, params: dict[str, Any]) -> None:
        """The same for parameters to which others are still to come, such as a project's: required ones may be missing,
        and what is there is checked with stand-ins for them."""
        an_object(params, "params")
        filled = dict(params)
        while True:
            try:
                self._check_shaping(filled)
                break
            except MissingValue as error:
                stand_in = self._filled(error.names, filled)
                if stand_in is None:
                    raise
                filled |= stand_in
        if (filled.keys() - params.keys()) <= _SAY_NOTHING:
            self._check_first(canonical_params(filled))

    def stand_in(self, name: str, _params: dict[str, Any], /) -> Any:
        """A value for a parameter that is still to come, to check these with; None if there is no need for one."""
        return self.example_params.get(name, _STAND_INS.get(name))

    def _filled(self, names: Sequence[str], params: dict[str, Any]) -> dict[str, Any] | None:
        for name in names:
            value = None if params.get(name) else self.stand_in(name, params)
            if value is not None:
                return {name: value}
        return None

    def _check_shaping(self, params: dict[str, Any]) -> None:
        """The parameters that shape a response, alone and together."""
        an_object(params, "params")
        check_declared(COMMON_PARAMETERS, params)
        check_declared(self.parameters, params)
        for names in self.either:
            check_either(params, names)
        self.check_own_params(params)
        check_measures(params)
        check_attachments(params, self.only_media)
        check_names(params)

    def _check_first(self, params: dict[str, Any]) -> None:
        """What labelers start from is a response that they could submit as it is."""
        for name in ("hypothesis", "base_annotations"):
            value = params.get(name)
            if value is None:
                continue
            listed = isinstance(value, list)
            try:
                self.check_response(params, {"annotations": value} if listed else value)
            except BadInput as error:
                inner = "response.annotations" if listed else "response"
                raise BadInput(name + error.message.removeprefix(inner).removeprefix("response")) from error

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

    def params_for_labeler(self, params: dict[str, Any], _seed: str) -> dict[str, Any]:
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

    def confidence_alone(self, params: dict[str, Any], response: dict[str, Any]) -> float:
        """The confidence of `consensus` in the only response, of a person of whom nothing is known."""
        return self.settle(params, [response], Panel.of(Plain(1))).confidence

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
