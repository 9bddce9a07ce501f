"""Every generated page, by its path in the repository, with the function that makes its text."""

import json
from collections.abc import Callable, Mapping

from refonte_studio.main import openapi_document
from tests.clients import table
from tests.reference import cli, states, tables


def _openapi() -> str:
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/development/tables.md": tables.document,
    "docs/reference/cli.md": cli.document,
    "docs/reference/compatibility.md": table.rewritten,
    "docs/reference/states.md": states.document,
    "openapi.json": _openapi,
}
