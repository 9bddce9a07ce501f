"""What a run measured: how long each kind of call took, and what did not go well."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Calls:
    """The calls of one kind, in milliseconds."""

    count: int = 0
    per_second: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0

    @classmethod
    def of(cls, took_s: Sequence[float], seconds: float) -> "Calls":
        if not took_s:
            return cls()
        ordered = sorted(took_s)
        return cls(
            len(ordered),
            len(ordered) / seconds,
            quantile(ordered, 0.5) * 1_000,
            quantile(ordered, 0.99) * 1_000,
            ordered[-1] * 1_000,
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


@dataclass(slots=True)
class Figures:
    """A whole run. `refused` and `lost` are never part of `calls`."""

    seconds: float = 0.0
    calls: dict[str, Calls] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)  # "claim 503" -> how often
    lost: int = 0  # connections that broke
    unanswered: int = 0  # calls without an answer when the run ended
    cpu_s: float = 0.0  # of the process that made the calls
    others_cpu_s: dict[str, float] = field(default_factory=dict)  # of the processes that answered them

    def of(self, kind: str) -> Calls:
        return self.calls.get(kind, Calls())

    @property
    def tasks_per_second(self) -> float:
        """A task is a claim and its submit."""
        return self.of("submit").per_second

    @property
    def faults(self) -> str:
        """What did not go well, in words; empty if all went well."""
        told = [f"{count:,} x {what}" for what, count in self.refused.items()]
        told += [f"{self.lost:,} connections lost"] if self.lost else []
        told += [f"{self.unanswered:,} calls unanswered"] if self.unanswered else []
        return ", ".join(told)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Figures":
        return cls(**{**data, "calls": {kind: Calls(**calls) for kind, calls in data["calls"].items()}})


class Recorder:
    """Notes calls while it is open; what happens before (the warm-up) and after does not count."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.is_open = False
        self.took_s = {kind: array("d") for kind in kinds}
        self.refused: Counter[str] = Counter()
        self.lost = 0

    def refuse(self, kind: str, status: str) -> None:
        if self.is_open:
            self.refused[f"{kind} {status}"] += 1

    def figures(self, seconds: float, cpu_s: float, unanswered: int = 0) -> Figures:
        calls = {kind: Calls.of(took_s, seconds) for kind, took_s in self.took_s.items() if took_s}
        return Figures(seconds, calls, dict(self.refused), self.lost, unanswered, cpu_s)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, the first one to the left, the others to the right."""
    first, *rest = zip(*rows, strict=True)
    columns = [_aligned(first, str.ljust), *(_aligned(column, str.rjust) for column in rest)]
    return "\n".join("  ".join(cells) for cells in zip(*columns, strict=True))


def _aligned(cells: Sequence[str], align: Callable[[str, int], str]) -> list[str]:
    width = max(map(len, cells))
    return [align(cell, width) for cell in cells]
