"""The annotators of a data set are replayed concurrently, and every response arrives."""

import csv
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveTeam
from tests.world import unique

PROGRAM = Path(__file__).parents[2] / "examples" / "crowd_replay.py"
TRUTH = {f"picture {number}": "dog" if number % 2 else "cat" for number in range(8)}
Row = tuple[str, str, str]


def six_workers() -> list[Row]:
    """Each picture was seen by four of six people; worker 0 is wrong every time."""
    return [
        (question, f"{worker}", ("cat" if truth == "dog" else "dog") if worker == 0 else truth)
        for number, (question, truth) in enumerate(TRUTH.items())
        for worker in ((number + step) % 6 for step in range(4))
    ]


def write(folder: Path, answers: Sequence[Row], truth: dict[str, str] | None = TRUTH) -> Path:
    folder.mkdir()
    with (folder / "answers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("question", "worker", "answer"), *answers])
    if truth is not None:
        with (folder / "truth.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("question", "truth"), *truth.items()])
    return folder


def replay(team: LiveTeam, *arguments: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"STUDIO_URL": team.server.url, "STUDIO_API_KEY": key or team.ana.keys["live"]}
    return subprocess.run(
        [sys.executable, "-W", "error", PROGRAM, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@cache
def program() -> Any:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("crowd_replay", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def figures(run: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What it printed, by the first word of each line."""
    return {line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1] for line in run.stdout.splitlines()}


def test_every_answer_of_the_crowd_arrives(live_team: LiveTeam, tmp_path: Path) -> None:
    folder = write(tmp_path / "pets", six_workers())
    for _ in range(2):  # a second run does not collide with the first
        run = replay(live_team, "--data", str(folder))
        assert run.returncode == 0, run.stderr
        printed = figures(run)
        assert printed["tasks"] == "8"
        assert printed["people"] == "6"
        assert printed["attempts"] == "32 of 32"
        assert printed["accuracy"] == "1.0000 (8 of 8)"
        assert re.match(r"\d+\.\d s, ", printed["time"])


def test_people_are_invited_by_address_and_work_as_labelers(live_team: LiveTeam, tmp_path: Path) -> None:
    run = replay(live_team, "--data", str(write(tmp_path / "pets", six_workers())), "--name", "Pets 1")
    assert run.returncode == 0, run.stderr
    team = live_team.server.run(live_team.ana.get("/teams"))
    mine = {mate["email"]: mate["role"] for mate in team if "worker" in mate["email"]}
    assert mine == {f"pets-worker-{number}.pets-1@example.com": "labeler" for number in range(6)}
    batch = live_team.server.run(live_team.ana.get("/batches/Pets%201/status"))
    assert (batch["status"], batch["completed"]) == ("completed", 8)


def test_people_who_answered_unequally_often(live_team: LiveTeam, tmp_path: Path) -> None:
    """Tasks that fewer people answered are completed with what they have, a single answer too."""
    answers = [row for row in six_workers() if row[0] != "picture 3" or row[1] == "4"]
    run = replay(live_team, "--data", str(write(tmp_path / "pets", answers)))
    assert run.returncode == 0, run.stderr
    assert figures(run)["attempts"] == "29 of 29"
    assert figures(run)["accuracy"] == "1.0000 (8 of 8)"


def test_more_people_than_a_task_has_places(live_team: LiveTeam, tmp_path: Path) -> None:
    answers = [(question, str(worker), truth) for question, truth in TRUTH.items() for worker in range(17)]
    run = replay(live_team, "--data", str(write(tmp_path / "pets", answers, truth=None)))
    assert run.returncode == 0, run.stderr
    assert figures(run)["attempts"] == "120 of 120"
    assert "accuracy" not in figures(run)


def test_an_answer_that_did_not_arrive_is_missed(
    live_team: LiveTeam, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = program().DataSet.read(write(tmp_path / "pets", six_workers()))
    run = program().Replay(live_team.server.url, live_team.ana.keys["live"], data, unique("Pets"))
    with closing(run.ana.connection):
        run.people[0].left.popitem()
        assert run.run() is False
    assert "attempts  31 of 32" in capsys.readouterr().out


def test_a_run_of_a_name_that_is_taken_says_so(live_team: LiveTeam, tmp_path: Path) -> None:
    live_team.server.run(live_team.ana.post("/projects", {"name": "Pets", "type": "categorization"}))
    run = replay(live_team, "--data", str(write(tmp_path / "pets", six_workers())), "--name", "Pets")
    assert run.returncode == 1
    assert "409" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("content", [None, "picture,person\n1,2\n", ""], ids=["missing", "other columns", "empty"])
def test_a_folder_without_a_data_set_is_refused(live_team: LiveTeam, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "answers.csv").write_text(content)
    run = replay(live_team, "--data", str(tmp_path))
    assert run.returncode == 1
    assert "answers.csv" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_wrong_key_is_reported(live_team: LiveTeam, tmp_path: Path) -> None:
    run = replay(live_team, "--data", str(write(tmp_path / "pets", six_workers())), key="live_nobody")
    assert run.returncode == 1
    assert "401" in run.stderr
    assert "Traceback" not in run.stderr
