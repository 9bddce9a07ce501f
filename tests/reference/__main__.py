"""Writes every generated page: `python -m tests.reference`. With `--clients`, the page about published clients too.

That page is made by running the clients, which takes minutes and installs them first.
"""

import sys

from tests.clients import compatibility_page
from tests.house.sources import ROOT
from tests.reference.pages import PAGES


def main(arguments: list[str]) -> None:
    for path, make in PAGES.items():
        (ROOT / path).write_text(make())
    if "--clients" in arguments:
        compatibility_page.PAGE.write_text(compatibility_page.made())


if __name__ == "__main__":
    main(sys.argv[1:])
