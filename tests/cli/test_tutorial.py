"""The examples of the documentation, done as they are written, by whoever types along."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.run_commands import COMMAND, TIMEOUT_S, environment, running_server
from tests.house.sources import ROOT

DOCS = ROOT / "docs"
# In this order, in one shell: later pages use the team of the tutorial.
TYPED = ("tutorial/first-steps.md", "reference/requests.md", "how-to/import-answers.md")
# Blocks that are not typed by this test: they start servers, or need a data set, PostgreSQL or another checkout. That
# the commands exist is checked in tests/house/test_docs.py; the tests named here run what they start.
ELSEWHERE = {
    "how-to/replay-a-data-set.md": "tests/examples/test_crowd_replay.py",
    "how-to/run-a-server.md": "tests/cli/test_serve.py",
    "how-to/archive-finished-tasks.md": "tests/engines/test_finished_tasks.py",
    "development/recipes.md": "tests/house/test_recipes.py",
}
BIRDS = "question,worker,answer\n1,ann,duck\n1,bob,duck\n2,ann,grebe\n"


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code that can be run."""
    return re.findall(r"^```(bash|python|sql)\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def program(path: Path, *command: str) -> None:
    """A program that runs a command."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
    path.chmod(0o755)


def script(folder: Path) -> str:
    """All blocks of all pages as one script of the shell; the server runs already."""
    steps = ["set -euo pipefail"]
    for page in TYPED:
        for number, (language, block) in enumerate(blocks(page)):
            if language == "python":
                name = f"{Path(page).stem}_{number}.py"
                (folder / name).write_text(block)
                steps.append(f"echo; {sys.executable} {name}")
            elif block != "script/serve\n":
                steps.append(block)
    return "\n".join(steps)


def test_the_examples_do_what_the_pages_say(tmp_path: Path):
    program(tmp_path / ".venv/bin/refonte-studio", *COMMAND)
    program(tmp_path / "bin/curl", sys.executable, str(ROOT / "tests" / "cli" / "curl.py"))
    (tmp_path / "birds.csv").write_text(BIRDS)
    steps = script(tmp_path)
    with running_server("--data", str(tmp_path / "data"), empty=True) as server:
        assert server.setup is not None
        given = environment() | {"STUDIO_URL": server.url, "TOKEN": server.setup.rpartition("/")[2]}
        given |= {"PATH": f"{tmp_path / 'bin'}:{given['PATH']}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", steps], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"labeler":"ben@example.com","response":{"category":"badly"}' in done.stdout
    assert "completed {'category': 'badly'}" in done.stdout, "by the SDK"
    assert "2 tasks" in done.stdout, "imported from the file of answers"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_every_example_is_run_by_some_test(page: Path):
    name = str(page.relative_to(DOCS))
    if blocks(name):
        assert name in TYPED or (ROOT / ELSEWHERE[name]).exists()
