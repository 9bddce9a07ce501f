"""Judges of the attempts of one task."""

from collections.abc import Sequence

from refonte_studio.consensus.model import Decision


class Plain:
    """Nothing is known of the people: votes are equal."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts

    def decide(self, question: str, said: Sequence[str | None], choices: int | None) -> Decision:
        given = [label for label in said if label is not None]
        winner = max(dict.fromkeys(given), key=given.count)
        return Decision(winner, (given.count(winner) + 1) / (len(given) + (choices or 2)))

    def weights(self) -> Sequence[float]:
        return [1.0] * self._attempts
