"""Pass marks, and the pauses that follow from scores."""

import math
from collections.abc import Mapping
from typing import Any

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.projects.model import QualitySettings
from refonte_studio.quality.model import Tally

Z = 1.96  # the z-score of a 95 % interval
REASON_LENGTH = 1_000
DECLINED = "declined a training task"


def wilson(successes: int, n: int, z: float = Z) -> tuple[float, float]:
    """Returns the Wilson (1927) interval of a share with `successes` of `n`; (0, 1) if n is 0."""
    if n == 0:
        return 0.0, 1.0
    share, square = successes / n, z * z / n
    middle = share + square / 2
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n))
    low = 0.0 if successes == 0 else (middle - half) / (1 + square)
    high = 1.0 if successes == n else (middle + half) / (1 + square)
    return low, high


def pass_mark(params: Mapping[str, Any], settings: QualitySettings) -> float:
    """Returns the score at which a task is passed: the parameter `pass_mark`, else the project's setting.

    Raises BadInput unless it is a number from 0 to 1.
    """
    mark = params.get("pass_mark", settings.pass_mark)
    if isinstance(mark, bool) or not isinstance(mark, int | float) or not 0 <= mark <= 1:
        raise BadInput(f"pass_mark must be a number from 0 to 1, not {shown(mark)}")
    return float(mark)


def why_to_pause(settings: QualitySettings, tally: Tally) -> str | None:
    """Returns the reason to pause a person with this tally; None if there is none."""
    least = settings.pause_below
    if least is None or tally.evaluated < max(1, settings.pause_after) or tally.accuracy >= least:
        return None
    return f"accuracy {tally.accuracy:.2f} in {tally.evaluated} evaluation tasks is below {least:.2f}"


def why_training_ends(attempts: int) -> str:
    """Returns the reason to pause a person who has used up the attempts at a training task."""
    times = "once" if attempts == 1 else f"{attempts} times"
    return f"tried a training task {times} without passing it"


def checked_reason(reason: str | None, email: str) -> str:
    """Returns the manager's reason for a pause, or by default who paused. Raises BadInput for an invalid reason."""
    if reason is None or not reason.strip():
        return f"paused by {email}"
    if len(reason) > REASON_LENGTH:
        raise BadInput(f"reason has {len(reason):,} characters; at most {REASON_LENGTH:,} are taken")
    if "\x00" in reason:
        raise BadInput("reason contains a NUL character")
    return reason.strip()
