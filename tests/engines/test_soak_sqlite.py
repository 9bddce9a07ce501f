"""A minute of everything at once on SQLite, with a server that is killed over and over."""

import pytest

from tests.engines.run_soak import TIMEOUT_S, event_count, run_soak


@pytest.mark.timeout(TIMEOUT_S + 10)
def test_nothing_is_ever_wrong_on_sqlite():
    report = run_soak()
    assert event_count(report, "kill -9") > 0
    assert event_count(report, "acknowledged submissions") > 0
