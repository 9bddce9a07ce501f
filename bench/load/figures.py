"""The figures of a run: how long each kind of call took, and what went wrong."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(slots=True)
class Calls:
    """Statistics of the calls of one kind."""

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
    """The smallest value that at least this share of the values does not exceed; `ordered` ascends."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


@dataclass(slots=True)
class Figures:
    """A whole run. `calls` holds successful calls only."""

    seconds: float = 0.0
    calls: dict[str, Calls] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)  # count by kind and status, such as "claim 503"
    lost: int = 0  # connections that broke
    unanswered: int = 0  # calls that had no response when the run ended
    cpu_s: float = 0.0  # used by the load generator
    others_cpu_s: dict[str, float] = field(default_factory=dict)  # used by the processes that served the calls

    def of(self, kind: str) -> Calls:
        return self.calls.get(kind, Calls())

    @property
    def tasks_per_second(self) -> float:
        """Tasks that were claimed and submitted."""
        return self.of("submit").per_second

    @property
    def faults(self) -> str:
        """What went wrong, in words; empty if nothing did."""
        words = [f"{count:,} x {what}" for what, count in self.refused.items()]
        words += [f"{self.lost:,} connections lost"] if self.lost else []
        words += [f"{self.unanswered:,} calls unanswered"] if self.unanswered else []
        return ", ".join(words)

    @classmethod
    def from_json(cls, data: Any) -> "Figures":
        return msgspec.convert(data, cls)


class Recorder:
    """Records calls while it is open: not during the warm-up, and not after the end of the run."""

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
    """Aligns columns: the first to the left, the others to the right."""
    first, *rest = zip(*rows, strict=True)
    columns = [_aligned(first, str.ljust), *(_aligned(column, str.rjust) for column in rest)]
    return "\n".join("  ".join(cells) for cells in zip(*columns, strict=True))


def _aligned(cells: Sequence[str], align: Callable[[str, int], str]) -> list[str]:
    width = max(map(len, cells))
    return [align(cell, width) for cell in cells]
