"""What the documentation names exists, and what exists is documented."""

import re

import pytest

import refonte_studio
from tests.house.sources import ROOT
from tests.reference.cli import commands

DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md")]
PAGES += sorted(DOCS.rglob("*.md"))


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


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page):
    """By their path in the repository, in the package, or beside the page's subject in `bench/`."""
    text = page.read_text()
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|json|toml|sql))`", text))
    made = set(re.findall(r"Create\s+`([^`]+)`", text)) if page.name == "recipes.md" else set()
    places = (ROOT, ROOT / "src/refonte_studio", page.parent)
    missing = [name for name in named - made if not any((place / name).exists() for place in places)]
    assert not missing, f"{page.name} names {missing}"


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
