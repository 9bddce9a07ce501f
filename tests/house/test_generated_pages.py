"""Generated pages are those of the code as it is."""

import pytest

from tests.house.sources import ROOT
from tests.reference.pages import PAGES


@pytest.mark.parametrize("path", PAGES)
def test_a_generated_page_is_up_to_date(path: str):
    written = (ROOT / path).read_text()
    assert written == PAGES[path](), f"{path} is stale: renew it by `python -m tests.reference`, and read the diff"
