"""The recipes for contributors work: they are followed on a copy of the source tree, as they are written.

The paragraph before a block says what to do with it: create a file, append to it, or add or replace lines at a place
that is named by how its line begins. Blocks of shell commands are run. PostgreSQL is left out, because it takes most of
the time and a stale recipe fails without it.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.sources import ROOT

PAGE = (ROOT / "docs/development/recipes.md").read_text()
RECIPES = dict(re.findall(r"^## (.+)\n([\s\S]*?)(?=^## |\Z)", PAGE, re.MULTILINE))
STEP = re.compile(r"((?:.+\n)+)\n```(\w+)\n([\s\S]*?)```")
PLACE = re.compile(
    r"(?P<verb>In|Create|Append to) `(?P<path>[^`]+)`(?:, (?P<how>after|before|replace) `(?P<line>[^`]+)`)?"
)
COPIED = ("src", "tests", "docs", "script", "examples", "pyproject.toml", "openapi.json", "README.md", "CHANGELOG.md")
ON_POSTGRESQL = "tests/house/test_schema.py::test_the_migrations_give_exactly_the_schema_on_postgresql"
TIMEOUT_S = 200


@dataclass
class Tree:
    """A copy of the source tree, and how its programs find it."""

    root: Path

    def apply(self, sentence: str, block: str) -> None:
        """Makes the edit that the sentence asks for."""
        found = PLACE.search(" ".join(sentence.split("\n")))
        assert found, f"{sentence!r} names no file and place"
        path = self.root / found["path"]
        if found["verb"] == "Create":
            assert not path.exists(), f"{path} is there already"
            path.write_text(block)
        elif found["verb"] == "Append to":
            path.write_text(path.read_text() + block)
        else:
            lines = path.read_text().splitlines(keepends=True)
            places = [number for number, line in enumerate(lines) if line.startswith(found["line"])]
            exact = [number for number in places if lines[number].rstrip("\n") == found["line"]]
            assert len(exact or places) == 1, (
                f"{found['path']} has {len(places)} lines that begin with {found['line']!r}"
            )
            (place,) = exact or places
            first, last = {"after": (place + 1,) * 2, "before": (place,) * 2, "replace": (place, place + 1)}[
                found["how"]
            ]
            path.write_text("".join([*lines[:first], block, *lines[last:]]))

    def run(self, commands: str) -> None:
        """Runs commands of the shell, which must succeed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.root,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": f"{self.root / 'src'}:{self.root}",
                "PYTEST_ADDOPTS": f"-p no:cacheprovider --deselect {ON_POSTGRESQL}",
                "STUDIO_TEST_PROCESSES": "0",
            },
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


@pytest.fixture
def copy(tmp_path: Path) -> Tree:
    for name in COPIED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, tmp_path / name)
    (tmp_path / "script/setup").write_text("# The environment is that of the test.\n")
    conftest = tmp_path / "tests/conftest.py"
    engines = conftest.read_text()
    assert 'ENGINES = ("sqlite", "postgresql")' in engines
    conftest.write_text(engines.replace('ENGINES = ("sqlite", "postgresql")', 'ENGINES = ("sqlite",)'))
    return Tree(tmp_path)


@pytest.mark.timeout(400)  # commands of the shell, on a machine that other tests share
def test_the_recipes_can_be_followed(copy: Tree):
    """One after the other, in one copy. What all of them end with is run once, for all of them."""
    last: list[str] = []
    for name, recipe in RECIPES.items():
        commands = ""
        for sentence, language, block in STEP.findall(recipe):
            if language != "bash":
                copy.apply(sentence, block)
            elif "script/test" in block:
                commands = block
            else:
                copy.run(block)
        assert commands, f"{name!r} ends with no test that proves it"
        last += commands.splitlines()
    whole = [line for line in last if line.startswith("script/test") and " -k " not in line]
    for line in dict.fromkeys(line for line in last if line not in whole):
        copy.run(line)
    files = dict.fromkeys(" ".join(whole).replace("script/test", "").split())
    copy.run(f"script/test {' '.join(files)}")


def test_every_block_of_a_recipe_is_followed():
    blocks = sum(len(STEP.findall(recipe)) for recipe in RECIPES.values())
    assert blocks == PAGE.count("```") / 2
