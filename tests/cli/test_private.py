"""What the command keeps private: passwords in URLs, and files."""

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from refonte_studio.cli import app
from tests.cli.run_commands import run_cli, run_failing_cli, running_server

PASSWORD = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://u:{PASSWORD}@127.0.0.1:port/db",
        f"postgres//u:{PASSWORD}@h/db",
        f"postgresql:/u:{PASSWORD}@h/db",
        f"postgresq://u:{PASSWORD}@h/db",
        f"mysql://u:{PASSWORD}@h/db",
        f"u:{PASSWORD}@h/db",
        f"{PASSWORD}@h",
        f"postgresql://u:{PASSWORD}/x@127.0.0.1:1/db",
        f"postgresql://u:x/{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://u:{PASSWORD}#x@127.0.0.1:1/db",
        f"postgresql://u:x?{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://u:[{PASSWORD}@127.0.0.1:1/db",
        f"sqlite://u:{PASSWORD}@h/db",
    ],
)
def test_a_mistyped_database_does_not_print_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    result = CliRunner().invoke(app, ["migrate", "--database", url])
    assert result.exit_code in (1, 2)
    assert PASSWORD not in result.output
    monkeypatch.setenv("STUDIO_REPLICA", url)
    monkeypatch.setenv("STUDIO_DATABASE", "postgresql://nobody@127.0.0.1:1/nothing")
    if not url.startswith("postgresql://"):
        assert PASSWORD not in run_failing_cli(2, "serve")


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate", f"postgresql://u:{PASSWORD}@h/db"),
        (f"postgresql://u:{PASSWORD}@h/db",),
        ("migrate", f"--databse=postgresql://u:{PASSWORD}@h/db"),
        ("key", "create", "ana@example.com", "--mode", f"postgresql://u:{PASSWORD}@h/db"),
        ("serve", "--port", f"postgresql://u:{PASSWORD}@h/db"),
    ],
)
def test_a_url_in_the_wrong_place_does_not_print_its_password(arguments: tuple[str, ...]) -> None:
    assert PASSWORD not in run_failing_cli(2, *arguments)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_for_its_own_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o022)
    try:
        data = tmp_path / "deep" / "data"
        with running_server("--data", str(data), empty=True):
            found = [data, *data.iterdir()]
            assert {path.name for path in found} == {"data", "studio.db", "studio.db-wal", "studio.db-shm"}
            assert {mode(path) & 0o077 for path in found} == {0}
        run_cli("team", "create", "Refonte", "--data", str(data))
        run_cli("export", "--out", str(tmp_path / "tasks.ndjson"), "--data", str(data))
        assert mode(tmp_path / "tasks.ndjson") == 0o600
    finally:
        os.umask(before)


def test_what_an_earlier_version_left_open_is_closed_to_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run_cli("migrate", "--data", str(data))
    data.chmod(0o755)
    (data / "studio.db").chmod(0o644)
    run_cli("migrate", "--data", str(data))
    assert (mode(data), mode(data / "studio.db")) == (0o750, 0o640)


def test_a_folder_that_others_use_too_is_left_to_them(tmp_path: Path) -> None:
    run_cli("migrate", "--data", str(tmp_path))
    (tmp_path / "other.txt").write_text("")
    tmp_path.chmod(0o755)
    (tmp_path / "studio.db").chmod(0o644)
    run_cli("migrate", "--data", str(tmp_path))
    assert (mode(tmp_path), mode(tmp_path / "studio.db")) == (0o755, 0o640)
