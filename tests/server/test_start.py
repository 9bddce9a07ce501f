"""What a server needs to start, and what it says if that is missing."""

import logging
import resource
from pathlib import Path

import pytest

from refonte_studio.config import Settings
from refonte_studio.db import postgres, sqlite_file
from refonte_studio.server import process
from refonte_studio.server.process import OTHER_FILES
from refonte_studio.server.protocol import SURPLUS
from tests.cli.run_commands import run_cli, run_failing_cli
from tests.engines.test_failures import locked
from tests.house.sources import ROOT

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_whose_postgresql_is_away_does_not_start_and_says_so(workers: str):
    said = run_failing_cli(1, "serve", "--port", "0", "--database", AWAY, "--workers", workers)
    assert said.startswith("refonte-studio: the database cannot be reached: ")


def test_a_server_whose_file_is_damaged_does_not_start_and_says_which(tmp_path: Path):
    (tmp_path / "studio.db").write_bytes(b"rubbish" * 1_000)
    said = run_failing_cli(1, "serve", "--port", "0", "--data", str(tmp_path))
    assert said == f"refonte-studio: the database {tmp_path / 'studio.db'} cannot be read: file is not a database"


def test_a_server_whose_file_is_locked_does_not_start_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run_cli("migrate", "--data", str(tmp_path))
    monkeypatch.setattr("refonte_studio.db.sqlite.BUSY_MS", 10)
    with locked(tmp_path / "studio.db"):
        said = run_failing_cli(1, "serve", "--port", "0", "--data", str(tmp_path))
    assert said == "refonte-studio: the database cannot serve this now: another program keeps it locked"


def limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    """A system that lets a process open so many files; what it is asked for instead."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    return asked


def test_the_limit_on_open_files_is_raised_to_what_the_connections_take(monkeypatch: pytest.MonkeyPatch):
    wanted = 5_000 + SURPLUS + OTHER_FILES
    asked = limited(monkeypatch, 1_024, resource.RLIM_INFINITY)
    assert process._connection_limit(Settings(connection_limit=5_000)) == 5_000
    assert asked == [(wanted, resource.RLIM_INFINITY)]
    asked = limited(monkeypatch, wanted, wanted)
    assert process._connection_limit(Settings(connection_limit=5_000)) == 5_000
    assert asked == []


def test_where_it_cannot_be_raised_there_are_fewer_connections(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    limited(monkeypatch, 1_024, 2_048)
    with caplog.at_level(logging.WARNING):
        limit = process._connection_limit(Settings(connection_limit=5_000))
    assert limit + SURPLUS + OTHER_FILES == 2_048
    assert f"at most {limit} connections" in caplog.text


def test_every_reason_that_an_operator_may_read_is_explained():
    told = (ROOT / "docs" / "how-to" / "run-a-server.md").read_text()
    reasons = {*sqlite_file._TROUBLES.values(), *(words for _, words in postgres._TROUBLES)}
    reasons |= {sqlite_file._REPLACED, "its file is gone", "its file cannot be reached", "it cannot be reached"}
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in told] == []
