"""The published clients do on a live server what the page about them says."""

import pytest

from tests.clients import compatibility_page
from tests.clients.columns import COLUMNS
from tests.clients.compatibility_page import read
from tests.live import LiveServer

PAGE = compatibility_page.PAGE.read_text()
RENEW = "renew it by `python -m tests.reference --clients`, and look at the diff"


@pytest.mark.timeout(600)  # whoever is first installs the client
@pytest.mark.parametrize("client", COLUMNS)
def test_a_client_does_what_the_page_says(live: LiveServer, client: str):
    assert COLUMNS[client](live) == read(PAGE)[client], RENEW


def test_the_page_tells_of_no_failure():
    """A call works, or the server says that it does not have it, or the client cannot do it anywhere."""
    assert {came for column in read(PAGE).values() for came in column.values()} == {"works", "404", "broken"}
