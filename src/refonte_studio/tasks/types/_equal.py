"""A judge for whom everybody counts the same."""

from collections.abc import Sequence

from refonte_studio.consensus.medians import support
from refonte_studio.consensus.model import Decision


class Plain:
    """The label that most attempts gave, ties to the first; each attempt weighs 1."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:  # noqa: ARG002
        votes: dict[str, int] = {}
        for label in said:
            if label is not None:
                votes[label] = votes.get(label, 0) + 1
        winner = max(votes, key=lambda label: votes[label])  # max keeps the first of equals
        voices = sum(votes.values())
        return Decision(winner, support([1.0] * voices, [1.0] * votes[winner] + [0.0] * (voices - votes[winner])))

    def weights(self) -> Sequence[float]:
        return [1.0] * self._attempts
