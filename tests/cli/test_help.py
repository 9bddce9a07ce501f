"""What the command says of itself."""

import json

from refonte_studio import __version__
from tests.cli.running import done, refused


def test_the_version_is_that_of_the_package():
    assert done("--version") == f"refonte-studio {__version__}\n"


def test_the_api_document_is_printed_as_json():
    assert json.loads(done("openapi"))["openapi"].startswith("3.1")


def test_a_command_that_is_not_there_is_refused():
    assert "'labels'" in refused(2, "labels")
