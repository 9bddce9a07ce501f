"""The people who answered a task: the weight of each, and their joint decisions."""

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from refonte_studio.consensus.medians import believed, support
from refonte_studio.consensus.model import Decision, Judge

Reader = Callable[[dict[str, Any]], dict[str, str]]


@lru_cache(maxsize=16_384)
def _written(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def label(value: Any) -> str:
    """Returns a value as a judge sees it: a JSON text, equal for equal values; 1.0 equals 1, and true does not."""
    if isinstance(value, str):
        return _written(value)
    return json.dumps(_whole(value), sort_keys=True, ensure_ascii=False)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    return value


def identity(value: Any) -> Hashable:
    """Returns a key that is equal for equal JSON values; true does not equal 1."""
    return value if isinstance(value, str) else (label(value),)


@dataclass(frozen=True, slots=True)
class Panel:
    """A judge, and the weights of the attempts by index."""

    judge: Judge
    weights: Sequence[float]

    @staticmethod
    def of(judge: Judge) -> "Panel":
        return Panel(judge, believed(judge.weights()))

    def decide(self, question: str, values: Sequence[Any], choices: int | None) -> tuple[Any, Decision]:
        """Returns the value considered correct; None among the values means no answer."""
        said = [None if value is None else label(value) for value in values]
        decision = self.judge.decide(question, said, choices)
        known = (value for value, text in zip(values, said, strict=True) if text == decision.label)
        found = next(known, None)
        return (json.loads(decision.label) if found is None else found), decision

    def part(self, places: Sequence[int]) -> list[float]:
        """Returns the panel of some of the attempts, with equal weights if all of theirs are 0."""
        return believed([self.weights[place] for place in places])

    def share(self, holds: Sequence[bool]) -> float:
        """Returns the share of the weight of the attempts for which `holds` is true."""
        held = sum(weight for weight, each in zip(self.weights, holds, strict=True) if each)
        return held / sum(self.weights)

    def most(self, holds: Sequence[bool]) -> bool:
        """Whether it is true for more than half of the weight; a tie goes to the first attempt."""
        share = self.share(holds)
        return holds[0] if abs(share - 0.5) < 1e-9 else share > 0.5

    def support(self, likeness: Sequence[float]) -> float:
        """Returns the confidence of a result with these similarities to the attempts."""
        return support(self.weights, likeness)
