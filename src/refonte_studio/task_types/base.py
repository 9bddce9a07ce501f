"""The interface of a task type: its parameters, its responses, and how several responses become one."""

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

# Stand-ins for required parameters that are still missing, if the type's example has none.
_STAND_INS = {"attachment": "https://example.com/", "text": "Sample", "objects_to_annotate": ["Sample"]}
# Parameters that do not affect the response.
_SAY_NOTHING = frozenset({"attachment"})


class TaskType(ABC):
    """One type of task. Instances have no state; every method works on the parameters it is given.

    `params` are always the task's effective parameters: the project's, overridden by the task's own. For any JSON, a
    method returns or raises BadInput, and nothing else.
    """

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, Parameter]]
    example_params: ClassVar[dict[str, Any]]
    example_response: ClassVar[dict[str, Any]]
    conceals: ClassVar[bool] = False  # whether labelers see some parameters in altered form

    only_media: ClassVar[bool] = False  # whether attachments are never text
    either: ClassVar[Sequence[tuple[str, ...]]] = ()  # groups of parameters of which a task has at most one

    def check_params(self, params: dict[str, Any]) -> None:
        """Raises BadInput, naming the parameter and value, unless tasks of this type can have these parameters."""
        self._check_shaping(params)
        self._check_first(canonical_params(params))

    def check_given(self, params: dict[str, Any]) -> None:
        """Checks parameters that are not yet complete, such as a project's: required ones may be missing, and the
        others are checked together with stand-ins for them."""
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
        """Returns a stand-in for a missing parameter, suitable for these; None if none is needed."""
        return self.example_params.get(name, _STAND_INS.get(name))

    def _filled(self, names: Sequence[str], params: dict[str, Any]) -> dict[str, Any] | None:
        for name in names:
            value = None if params.get(name) else self.stand_in(name, params)
            if value is not None:
                return {name: value}
        return None

    def _check_shaping(self, params: dict[str, Any]) -> None:
        """Checks the parameters that determine the form of a response, separately and together."""
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
        """Checks that the initial response of labelers could be submitted unchanged."""
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
        """Checks this type's rules for its parameters, beyond presence and JSON type."""

    def check_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        """Returns the response in canonical form. Raises BadInput naming the path and value that are invalid.

        The total size of a response is limited, and the time of a check is proportional to it, so that no check takes
        longer than a second.
        """
        check_totals(response)
        return self.check_own_response(params, response)

    @abstractmethod
    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        """Checks this type's rules for a response. Returns its canonical form."""

    @abstractmethod
    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        """Returns a valid response to checked parameters, always the same one; it passes check_response."""

    def params_for_labeler(self, params: dict[str, Any], _seed: str) -> dict[str, Any]:
        """Returns the parameters as a labeler may see them. The seed identifies the person and the task; the result
        depends only on the arguments."""
        return params

    def consensus(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], judge: Judge) -> Outcome:
        """Combines one or more checked responses, in order of submission, into one result, which passes check_response.

        A single response is the result itself. The same responses in the same order give the same result; the order
        matters only for ties, where the first one wins. The confidence is the expected share of the result that is
        correct; another attempt that agrees never lowers it.
        """
        if not responses:
            raise ValueError("nothing to combine")
        found = self.settle(params, responses, Panel.of(judge))
        return Outcome(responses[0], found.confidence, 1.0) if len(responses) == 1 else found

    def confidence_alone(self, params: dict[str, Any], response: dict[str, Any]) -> float:
        """The confidence of `consensus` in the only response, of a person of whom nothing is known."""
        return self.settle(params, [response], Panel.of(Plain(1))).confidence

    def consensus_cost(self, _params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> int:
        """Estimates the elementary steps, of about a microsecond each, that `consensus` takes for these checked
        responses.

        The estimate itself takes time proportional to the size of the responses. Types that compare every part of a
        response with every part of another one override this.
        """
        return size_of(responses) * len(responses)

    @abstractmethod
    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        """Computes `consensus` for a panel; of a single response, only the confidence is used."""

    def combine(self, params: dict[str, Any], responses: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Computes the result of `consensus` if all attempts have equal weight."""
        return self.consensus(params, responses, Plain(len(responses))).response

    def reader(self, _params: dict[str, Any], /) -> Reader:
        """Returns a function that extracts `votes` from checked responses to these parameters; create it once for
        many."""
        return lambda _: {}

    def votes(self, params: dict[str, Any], response: dict[str, Any]) -> dict[str, str]:
        """Returns the categorical answers of a checked response: labels as JSON texts, by the question names that
        `consensus` passes to judges. Empty for types whose responses are drawn or typed."""
        return self.reader(params)(response)

    def choices(self, _params: dict[str, Any], /) -> Mapping[str, int]:
        """Returns the number of possible labels by question of `votes`."""
        return {}

    @abstractmethod
    def similarity(self, params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        """Returns the similarity of two checked responses, 0 to 1. It is symmetric, and 1 for the same content,
        whatever its order and ids."""

    def score(self, params: dict[str, Any], expected: dict[str, Any], response: dict[str, Any]) -> float:
        """Returns how correct a checked response is compared with a known correct one, 0 to 1."""
        return self.similarity(params, expected, response)

    @abstractmethod
    def response_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema (2020-12) of responses, independent of parameters."""
