"""The version and the OpenAPI document that the command prints."""

import json

from refonte_studio import __version__
from tests.cli.run_commands import run_cli, run_failing_cli


def test_the_version_is_that_of_the_package():
    assert run_cli("--version") == f"refonte-studio {__version__}\n"


def test_the_api_document_is_printed_as_json():
    assert json.loads(run_cli("openapi"))["openapi"].startswith("3.1")


def test_a_command_that_is_not_there_is_refused():
    assert "'labels'" in run_failing_cli(2, "labels")
