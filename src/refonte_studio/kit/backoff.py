"""Pauses before something that failed is tried again."""

from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = 30  # further doublings would only make large numbers


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """A limited number of retries after fixed pauses, which chance can spread so that retries do not come at once."""

    pauses_s: Sequence[float]
    jitter: float = 0.0  # the largest share by which chance shortens or lengthens a pause

    @property
    def tries(self) -> int:
        """The number of tries in total."""
        return len(self.pauses_s) + 1

    def pause_s(self, failures: int, chance: float = 0.5) -> float | None:
        """Returns the pause after this many failures (at least 1), in seconds, or None to give up.

        `chance` is a random number from 0 to 1.
        """
        if failures >= self.tries:
            return None
        return self.pauses_s[failures - 1] * (1 + self.jitter * (2 * chance - 1))


def doubling(first: float, failures_before: int, longest: float) -> float:
    """Returns a pause that doubles with each failure before the latest, up to `longest`; in the unit of `first`."""
    return min(longest, first * 2 ** min(failures_before, _STEPS))
