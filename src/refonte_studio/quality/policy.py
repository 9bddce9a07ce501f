"""What follows from scores."""

import math
from collections.abc import Mapping
from typing import Any

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.projects.model import QualitySettings
from refonte_studio.quality.model import Tally

Z = 1.96  # of an interval that holds the truth in 95 of 100 cases
REASON_LENGTH = 1_000
DECLINED = "declined a training task"


def wilson(successes: int, n: int, z: float = Z) -> tuple[float, float]:
    """The interval in which a share lies of which `n` drawings showed so many (Wilson 1927): all of 0 to 1 for none."""
    if n == 0:
        return 0.0, 1.0
    share, square = successes / n, z * z / n
    middle = share + square / 2
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n))
    low = 0.0 if successes == 0 else (middle - half) / (1 + square)
    high = 1.0 if successes == n else (middle + half) / (1 + square)
    return low, high


def pass_mark(params: Mapping[str, Any], settings: QualitySettings) -> float:
    """The score at which a task of these parameters is passed: its own, which it may have from its project, or else
    that of the project's settings. Raises BadInput for one that is no share."""
    mark = params.get("pass_mark", settings.pass_mark)
    if isinstance(mark, bool) or not isinstance(mark, int | float) or not 0 <= mark <= 1:
        raise BadInput(f"pass_mark must be a number from 0 to 1, not {shown(mark)}")
    return float(mark)


def why_to_pause(settings: QualitySettings, tally: Tally) -> str | None:
    """Why somebody is to be paused who did so in the evaluation tasks that count; None if they are not."""
    least = settings.pause_below
    if least is None or tally.evaluated < max(1, settings.pause_after) or tally.accuracy >= least:
        return None
    return f"accuracy {tally.accuracy:.2f} in {tally.evaluated} evaluation tasks is below {least:.2f}"


def why_training_ends(attempts: int) -> str:
    """Why somebody is paused who has used up the attempts at a training task."""
    times = "once" if attempts == 1 else f"{attempts} times"
    return f"tried a training task {times} without passing it"


def checked_reason(reason: str | None, email: str) -> str:
    """Why a manager pauses somebody, in their words, or at least whose decision it is."""
    if reason is None or not reason.strip():
        return f"paused by {email}"
    if len(reason) > REASON_LENGTH:
        raise BadInput(f"reason has {len(reason):,} characters; at most {REASON_LENGTH:,} are taken")
    if "\x00" in reason:
        raise BadInput("reason contains a NUL character")
    return reason.strip()
