"""A minute of everything at once on SQLite, with a server that is killed over and over."""

import pytest

from tests.engines.soaking import TIMEOUT_S, counted, soak


@pytest.mark.timeout(TIMEOUT_S + 10)
def test_nothing_is_ever_wrong_on_sqlite():
    report = soak()
    assert counted(report, "kill -9") > 0
    assert counted(report, "acknowledged submissions") > 0
