"""When the supervisor replaces a server process that has ended, and when it gives up."""

from refonte_studio.server.supervisor import AWAY, AWAY_PAUSE_S, LIVED_S, SCHEDULE, failures_after, pause_before_next


def fate(*ends: tuple[int, float]) -> list[float | None]:
    """The pauses after processes that ended with such codes after so many seconds."""
    failures, pauses = 0, []
    for code, lived_s in ends:
        failures = failures_after(failures, code, lived_s)
        pauses.append(pause_before_next(failures, code))
    return pauses


def test_processes_that_never_serve_are_given_up():
    ends = [(1, 0.0)] * len(SCHEDULE.pauses_s)
    assert fate(*ends) == [*SCHEDULE.pauses_s[1:], None]


def test_one_that_served_is_replaced_at_once():
    assert fate((1, 0.0), (1, 0.0), (1, 0.0), (-9, LIVED_S)) == [*SCHEDULE.pauses_s[1:4], SCHEDULE.pauses_s[0]]


def test_a_database_that_is_away_is_waited_for_as_long_as_it_takes():
    assert fate(*[(AWAY, 0.0)] * 1_000) == [AWAY_PAUSE_S] * 1_000
