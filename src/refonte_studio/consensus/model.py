"""What several people say, and what is held of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# How labels become one: by equal votes, votes weighted by accuracy, one accuracy a person (one_coin), a confusion
# matrix a person (Dawid and Skene), accuracy and difficulty (GLAD), competence and spamming (MACE), or what we hold to
# be best.
METHODS = ("shrunk_dawid_skene", "majority", "weighted", "one_coin", "dawid_skene", "glad", "mace")
DEFAULT_METHOD = METHODS[0]


@dataclass(frozen=True, slots=True)
class Decision:
    """The label that is held to be right, and the probability (0 to 1) that it is."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the attempts of one task give together.

    `confidence` is the probability (0 to 1) that the response is right; `agreement` is how much the attempts say the
    same, from 0 (nothing in common) to 1 (all alike).
    """

    response: dict[str, Any]
    confidence: float
    agreement: float


class Judge(Protocol):
    """Who knows how far each of the attempts of one task is to be believed; the attempts are known by their places."""

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:
        """What the attempts' labels give. `said[i]` is the i-th attempt's label, a JSON text; None where it is silent.

        At least one attempt says something. `choices` is how many labels there are to choose from, where that is
        known. A tie goes to the label that comes first.
        """
        ...

    def weights(self) -> Sequence[float]:
        """How much each attempt counts where no labels are given, from 0 to 1; 1 for those of whom nothing is known."""
        ...
