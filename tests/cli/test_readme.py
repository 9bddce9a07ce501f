"""The README's first steps, done as they are written."""

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.run_commands import COMMAND, TIMEOUT_S, environment, running_server
from tests.house.sources import ROOT


def block(heading: str, language: str) -> str:
    """The first block of code under a heading."""
    section = (ROOT / "README.md").read_text().partition(f"\n## {heading}\n")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found, f"README.md has no {language} under {heading}"
    return found[1]


def program(path: Path, *command: str) -> None:
    """A program that runs a command."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
    path.chmod(0o755)


def test_the_first_steps_lead_to_a_finished_label(tmp_path: Path):
    program(tmp_path / ".venv/bin/refonte-studio", *COMMAND)
    program(tmp_path / "bin/curl", sys.executable, str(ROOT / "tests" / "cli" / "curl.py"))
    (tmp_path / "sdk.py").write_text(block("With the SDK", "python"))
    steps = f"set -euo pipefail\n{block('First steps', 'bash')}\necho; {sys.executable} sdk.py\n"
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
