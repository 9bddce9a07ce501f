"""What the documents say is there, and what is there they say."""

import re
from collections.abc import Iterator

import pytest

import refonte_studio.main
import refonte_studio.server.background
from refonte_studio.callbacks.model import About
from refonte_studio.config import Settings
from refonte_studio.kit.errors import StudioError
from tests.house.sources import ROOT
from tests.reference.cli import commands

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def test_every_setting_is_told_with_its_default():
    told = (DOCS / "how-to/run-a-server.md").read_text()
    rows = dict(re.findall(r"^\| `(STUDIO_\w+)` \| (?:`(.+?)` )?\|", told, re.MULTILINE))
    real = {f"STUDIO_{name.upper()}": str(getattr(Settings(), name)) for name in Settings.__struct_fields__}
    assert rows == real


def _errors(base: type[StudioError] = StudioError) -> Iterator[type[StudioError]]:
    for error in base.__subclasses__():
        yield error
        yield from _errors(error)


def test_every_error_is_told_with_its_status():
    told = set(re.findall(r"^\| (\d+) \| `(\w+)` \|", (DOCS / "reference/errors.md").read_text(), re.MULTILINE))
    real = {(str(e.status), e.__name__) for e in _errors() if e.__module__.startswith("refonte_studio.")}
    assert told == real


def test_every_event_is_told():
    told = re.findall(r"^\| `([\w.]+)` \|", (DOCS / "how-to/receive-callbacks.md").read_text(), re.MULTILINE)
    assert told == list(About)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_on_a_page_exist(page):
    known = set(commands())
    shell = "\n".join(re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL))
    for script in re.findall(r"\bscript/[\w-]+", shell):
        assert (ROOT / script).stat().st_mode & 0o100, f"{script} cannot be run"
    for first, second in re.findall(r"refonte-studio ([a-z]+)(?: ([a-z]+))?", shell):
        assert {(first, second), (first,)} & known, f"there is no refonte-studio {first} {second}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=lambda page: page.name)
def test_a_decision_is_short_and_names_the_check_that_keeps_it(page):
    text = page.read_text()
    assert text.count("\n") <= 60
    kept = text.partition("**What keeps it.**")[2]
    checks = re.findall(r"`(tests/[\w/.]*)`", kept)
    assert checks
    for check in checks:
        assert (ROOT / check).exists(), f"{page.name} names {check}"


def test_the_changelog_has_the_present_version():
    assert f"## [{refonte_studio.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
