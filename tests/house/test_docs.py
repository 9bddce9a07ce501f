"""What the documents say is there, and what is there they say."""

import re

import pytest

import refonte_studio
from tests.house.sources import ROOT
from tests.reference.cli import commands

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


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
