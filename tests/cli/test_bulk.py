"""Many tasks in and out on the command line, also beside a running server."""

import json
from pathlib import Path

import httpx
import pytest

from tests.cli.running import done, refused, serving


@pytest.fixture
def at(database_url: str) -> tuple[str, str]:
    """The database of the test, with one team in it, as flags."""
    flags = "--database", database_url
    done("team", "create", "Refonte", *flags)
    return flags


def lines(count: int, **more: str) -> str:
    """So many tasks of comparing, as NDJSON."""
    task = {"type": "categorization", "attachment_type": "text", "categories": ["cat", "dog"], **more}
    return "".join(json.dumps(task | {"attachment": f"Animal {number} barks."}) + "\n" for number in range(count))


def test_what_goes_in_comes_out_in_its_order(at: tuple[str, str], tmp_path: Path):
    file, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    file.write_text(lines(1_200))
    assert done("import", str(file), *at) == "Imported 1,200 tasks.\n"
    assert done("export", "--out", str(out), *at) == f"Exported 1,200 tasks to {out}.\n"
    tasks = [json.loads(line) for line in out.read_text().splitlines()]
    assert [task["params"]["attachment"] for task in tasks] == [f"Animal {n} barks." for n in range(1_200)]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_standard_input_and_output_are_files_too(at: tuple[str, str]):
    assert done("import", "-", "--mode", "test", *at, given=lines(3)) == "Imported 3 tasks.\n"
    out = done("export", "--out", "-", "--mode", "test", "--status", "completed", "--attempts", *at)
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["completed"] * 3
    assert done("export", "--out", "-", *at) == "", "the live world has none"


def test_a_bad_line_is_told_with_its_number_and_nothing_goes_in(at: tuple[str, str]):
    said = refused(1, "import", "-", *at, given=lines(2) + '{"type": "categorization"}\n')
    assert said.startswith("  line 3: ")
    assert done("export", "--out", "-", *at) == ""


def test_what_is_not_there_is_named_and_leaves_no_file(at: tuple[str, str], tmp_path: Path):
    out = tmp_path / "out.ndjson"
    assert "'Nothing'" in refused(1, "export", "--project", "Nothing", "--out", str(out), *at)
    assert "'Nothing'" in refused(1, "import", "-", "--project", "Nothing", *at, given=lines(1))
    assert "No such file" in refused(1, "import", str(tmp_path / "absent"), *at)
    assert list(tmp_path.glob("*out*")) == []


def test_with_several_teams_one_is_named(at: tuple[str, str]):
    done("team", "create", "Other", *at)
    assert "'Other'" in refused(1, "import", "-", *at, given=lines(1))
    done("import", "-", "--team", "Other", *at, given=lines(1))
    assert done("export", "--out", "-", "--team", "Refonte", *at) == ""


def test_an_import_beside_a_running_server_is_seen_there_at_once(tmp_path: Path):
    at = "--data", str(tmp_path)
    done("team", "create", "Refonte", *at)
    done("user", "create", "ana@example.com", "--team", "Refonte", "--role", "admin", *at)
    key = done("key", "create", "ana@example.com", "--mode", "live", *at).strip()
    with serving(*at) as server:
        done("import", "-", *at, given=lines(20))
        answer = httpx.get(f"{server.url}/v1/tasks", headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["total"] == 20
        assert server.end() == 0
