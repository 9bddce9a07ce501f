"""Limits password guessing: budgets of failed attempts, and the pause after each failure beyond them.

docs/decisions/0021-slowed-down-not-locked-out.md explains why there are several budgets.
"""

from dataclasses import dataclass

from refonte_studio.kit.backoff import doubling
from refonte_studio.kit.clock import MINUTE_MS, SECOND_MS

WINDOW_MS = 15 * MINUTE_MS  # how long a failure counts
COUNTED = 100  # failures that one budget considers


@dataclass(frozen=True, slots=True)
class Budget:
    """The number of failures without a pause, and the pause after the next one, which doubles with each further
    failure."""

    free: int
    first_pause_ms: int
    longest_pause_ms: int

    def ready_at(self, failures: int, latest: int) -> int:
        """Returns when the next attempt may be made, in milliseconds, given the number of failures and the time of the
        latest."""
        beyond = failures - self.free
        if beyond < 0:
            return latest
        return latest + int(doubling(self.first_pause_ms, beyond, self.longest_pause_ms))


PAIR = Budget(free=10, first_pause_ms=30 * SECOND_MS, longest_pause_ms=WINDOW_MS)  # one client at one address
CLIENT = Budget(free=30, first_pause_ms=10 * SECOND_MS, longest_pause_ms=WINDOW_MS)  # one client, all addresses
# One address, all clients together. Its owner also waits, but never longer than this for one attempt.
ADDRESS = Budget(free=50, first_pause_ms=SECOND_MS, longest_pause_ms=5 * SECOND_MS)
OWN = Budget(free=10, first_pause_ms=30 * SECOND_MS, longest_pause_ms=WINDOW_MS)  # a password change in one session
