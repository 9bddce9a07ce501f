"""The outcome of several attempts, and the judge that weighs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# The methods that combine labels: the default (Dawid and Skene with shrinkage), equal votes, votes weighted by
# accuracy, one accuracy per person (one_coin), a confusion matrix per person (Dawid and Skene), ability and difficulty
# (GLAD), competence and guessing (MACE).
METHODS = ("shrunk_dawid_skene", "majority", "weighted", "one_coin", "dawid_skene", "glad", "mace")
DEFAULT_METHOD = METHODS[0]


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen label, and the probability (0 to 1) that it is right."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The combined outcome of the attempts of one task.

    `confidence` is the probability (0 to 1) that the response is right; `agreement` is the mean similarity of the
    attempts, from 0 (nothing in common) to 1 (all equal).
    """

    response: dict[str, Any]
    confidence: float
    agreement: float


class Judge(Protocol):
    """Weighs the attempts of one task by the reliability of their labelers; attempts are identified by their index."""

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:
        """Decides a question. `said[i]` is the label of attempt i as JSON text, or None if it gives none.

        At least one attempt gives a label. `choices` is the number of possible labels, if known. A tie goes to the
        label that comes first.
        """
        ...

    def weights(self) -> Sequence[float]:
        """Returns the weight (0 to 1) of each attempt for responses without labels; 1 for labelers without a model."""
        ...
