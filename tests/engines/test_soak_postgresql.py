"""A minute of everything at once on PostgreSQL: two servers that are killed over and over, and connections cut."""

import pytest

from tests.engines.run_soak import TIMEOUT_S, event_count, run_soak


@pytest.mark.timeout(TIMEOUT_S + 10)
def test_nothing_is_ever_wrong_on_postgresql():
    report = run_soak("--postgresql", "--servers", "2")
    assert event_count(report, "kill -9") > 0
    assert event_count(report, "connections cut") > 0
    assert event_count(report, "acknowledged submissions") > 0
