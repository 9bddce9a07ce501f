"""Many tasks in and out on the command line, also beside a running server."""

import json
from pathlib import Path

import httpx
import pytest

from refonte_studio.cli.crowd import params_of, read
from refonte_studio.kit.caller import Caller, Role
from refonte_studio.kit.errors import BadInput
from tests import makers
from tests.cli.running import done, refused, serving
from tests.world import World


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


def answered(data: str, *at: str) -> list[tuple[str, str, dict[str, str], dict[str, str]]]:
    """Imports a CSV file of answers; what became of each question."""
    done("import", "--answers", "-", *at, given=data)
    tasks = [json.loads(line) for line in done("export", "--out", "-", "--attempts", *at).splitlines()]
    return [
        (
            task["unique_id"],
            task["status"],
            task["response"],
            {each["labeler"]: each["response"]["category"] for each in task["attempts"]},
        )
        for task in tasks
    ]


def test_an_export_with_attempts_goes_into_another_database(at: tuple[str, str], tmp_path: Path):
    out, other = tmp_path / "out.ndjson", ("--data", str(tmp_path / "other"))
    done("import", "--answers", "-", *at, given="question,worker,answer\nis it?,ann,yes\nis it not?,bob,no\n")
    done("export", "--out", str(out), "--attempts", *at)
    done("team", "create", "Refonte", *other)
    assert done("import", str(out), *other) == "Imported 2 tasks.\n"
    said = ("unique_id", "status", "response", "attempts", "params")
    first, second = (
        [json.loads(line) for line in done("export", "--out", "-", "--attempts", *which).splitlines()]
        for which in (at, other)
    )
    assert [[task[name] for name in said] for task in first] == [[task[name] for name in said] for task in second]


def test_a_crowds_answers_become_tasks_with_attempts(at: tuple[str, str]):
    data = '﻿worker,answer,question\r\n896,cat,"Is 1, 2 a pet?"\r\nann,dog,2\r\n\r\nann,cat,"Is 1, 2 a pet?"\r\n'
    assert answered(data, *at) == [
        ("Is 1, 2 a pet?", "completed", {"category": "cat"}, {"896": "cat", "ann": "cat"}),
        ("2", "completed", {"category": "dog"}, {"ann": "dog"}),
    ]
    task = json.loads(done("export", "--out", "-", *at).splitlines()[0])
    assert (task["params"]["categories"], task["params"]["text"]) == (["cat", "dog"], "Is 1, 2 a pet?")


def test_a_bad_row_of_answers_is_told_with_its_line_and_nothing_goes_in(at: tuple[str, str]):
    head = "question,worker,answer\n"
    for data, line, named in (
        ("question,worker\n1,a\n", 0, "'question,worker'"),
        ("", 0, "question, worker, answer"),
        (head + "1,a,x\n1,a,y\n2,b,x\n", 3, "worker 'a' has answered question '1'"),
        (head + "1,A@x.org,x\n1,a@X.org,y\n", 3, "'a@X.org'"),
        (head + "1,a\n", 2, "'1,a'"),
        (head + "1,,x\n", 2, "worker"),
        (head + "1,a, \n", 2, "' '"),
        (head + '1,a,"x\n', 0, "line 2 is not CSV"),
        (head + "".join(f"1,{number},x\n" for number in range(101)), 102, "more than 100"),
    ):
        said = refused(1, "import", "--answers", "-", *at, given=data)
        assert said.startswith(f"  line {line}: " if line else "refonte-studio: "), said
        assert named in said
    assert done("export", "--out", "-", *at) == ""
    assert "either" in refused(2, "import", "x", "--answers", "y", *at)


async def test_answers_fit_the_categories_of_their_project(world: World):
    await world.ana.post("/projects", {"name": "Words", "type": "transcription"})
    await makers.project(world, params={"categories": ["cat", "dog"], "allow_multiple": True})
    caller = Caller(world.ana.team_id, "", "", Role.ADMIN, "live")
    with pytest.raises(BadInput, match="'Words' is for transcription"):
        await world.db.read(params_of, caller, "Words", None)
    params = await world.db.read(params_of, caller, "Pets", None)
    good, bad = [b"question,worker,answer\n", b"1,a,dog\n"], b"2,a,zebra\n"
    with pytest.raises(BadInput, match=r"line 3: response.categories\[0\]: 'zebra'"):
        read([*good, bad], params)
    [task] = [json.loads(line) for line in read(good, params).tasks()]
    assert task["attempts"] == [{"labeler": "a", "response": {"categories": ["dog"]}}]
    assert "categories" not in task
