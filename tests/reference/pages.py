"""Every generated page, by its path in the repository, with the function that makes its text."""

import json
from collections.abc import Callable, Mapping

from refonte_studio.main import openapi_document
from tests.clients import compatibility_page
from tests.reference import api, architecture, cli, data_model, errors, events, settings, states, tables, task_types


def _openapi() -> str:
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/development/architecture.md": architecture.document,
    "docs/development/data-model.md": data_model.document,
    "docs/development/tables.md": tables.document,
    "docs/reference/api.md": api.document,
    "docs/reference/cli.md": cli.document,
    "docs/reference/compatibility.md": compatibility_page.rewritten,
    "docs/reference/errors.md": errors.document,
    "docs/reference/events.md": events.document,
    "docs/reference/settings.md": settings.document,
    "docs/reference/states.md": states.document,
    "docs/reference/task-types.md": task_types.document,
    "openapi.json": _openapi,
}
