"""A minute of everything at once on PostgreSQL: two servers that are killed over and over, and connections cut."""

import pytest

from tests.engines.soaking import TIMEOUT_S, counted, soak


@pytest.mark.timeout(TIMEOUT_S + 10)
def test_nothing_is_ever_wrong_on_postgresql():
    report = soak("--postgresql", "--servers", "2")
    assert counted(report, "kill -9") > 0
    assert counted(report, "connections cut") > 0
    assert counted(report, "acknowledged submissions") > 0
