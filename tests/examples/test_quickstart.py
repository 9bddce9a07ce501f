"""The quick start does what README says."""

import os
import subprocess
import sys
from pathlib import Path

from tests.live import LiveTeam

PROGRAM = Path(__file__).parents[2] / "examples" / "quickstart.py"


def test_a_small_job_from_the_project_to_the_labels(live_team: LiveTeam) -> None:
    environment = {"STUDIO_URL": live_team.server.url, "STUDIO_API_KEY": live_team.ana.keys["live"]}
    for _ in range(2):  # a second run does not collide with the first
        run = subprocess.run(
            [sys.executable, PROGRAM],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        lines = run.stdout.splitlines()
        submitted = [line for line in lines if line.startswith("submitted")]
        assert len(submitted) == 5
        assert {"broken" in line or "kettle" in line for line in submitted[:2]} == {True}  # the urgent batch first
        assert "result     'Too loud.': negative" in lines
        assert sum(line.startswith("result") for line in lines) == 5
        assert sum(line.endswith(": completed") for line in lines) == 2
