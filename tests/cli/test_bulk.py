"""Import and export of many tasks on the command line, also beside a running server."""

import json
from pathlib import Path

import httpx
import pytest

from refonte_studio.cli.base import settings_of, with_database
from refonte_studio.cli.crowd import data_set, read
from refonte_studio.db import Database
from refonte_studio.kit.caller import Caller, Role
from refonte_studio.kit.errors import BadInput
from refonte_studio.projects import service as projects
from refonte_studio.teams import service as teams
from tests import makers
from tests.cli.run_commands import run_cli, run_failing_cli, running_server
from tests.world import START_MS, World


@pytest.fixture
def at(database_url: str) -> tuple[str, str]:
    """The database of the test, with one team in it, as flags."""
    flags = "--database", database_url
    run_cli("team", "create", "Refonte", *flags)
    return flags


def lines(count: int, **more: str) -> str:
    """So many tasks of comparing, as NDJSON."""
    task = {"type": "categorization", "attachment_type": "text", "categories": ["cat", "dog"], **more}
    return "".join(json.dumps(task | {"attachment": f"Animal {number} barks."}) + "\n" for number in range(count))


def test_what_goes_in_comes_out_in_its_order(at: tuple[str, str], tmp_path: Path):
    file, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    file.write_text(lines(1_200))
    assert run_cli("import", str(file), *at) == "Imported 1,200 tasks.\n"
    assert run_cli("export", "--out", str(out), *at) == f"Exported 1,200 tasks to {out}.\n"
    tasks = [json.loads(line) for line in out.read_text().splitlines()]
    assert [task["params"]["attachment"] for task in tasks] == [f"Animal {n} barks." for n in range(1_200)]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_standard_input_and_output_are_files_too(at: tuple[str, str]):
    assert run_cli("import", "-", "--mode", "test", *at, given=lines(3)) == "Imported 3 tasks.\n"
    out = run_cli("export", "--out", "-", "--mode", "test", "--status", "completed", "--attempts", *at)
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["completed"] * 3
    assert run_cli("export", "--out", "-", *at) == "", "the live world has none"


def test_a_bad_line_is_told_with_its_number_and_nothing_goes_in(at: tuple[str, str]):
    said = run_failing_cli(1, "import", "-", *at, given=lines(2) + '{"type": "categorization"}\n')
    assert said.startswith("  line 3: ")
    assert run_cli("export", "--out", "-", *at) == ""


def test_what_is_not_there_is_named_and_leaves_no_file(at: tuple[str, str], tmp_path: Path):
    out = tmp_path / "out.ndjson"
    assert "'Nothing'" in run_failing_cli(1, "export", "--project", "Nothing", "--out", str(out), *at)
    assert "'Nothing'" in run_failing_cli(1, "import", "-", "--project", "Nothing", *at, given=lines(1))
    absent = tmp_path / "absent"
    assert run_failing_cli(1, "import", str(absent), *at) == f"refonte-studio: {absent}: No such file or directory"
    assert list(tmp_path.glob("*out*")) == []


def test_with_several_teams_one_is_named(at: tuple[str, str]):
    run_cli("team", "create", "Other", *at)
    assert "'Other'" in run_failing_cli(1, "import", "-", *at, given=lines(1))
    run_cli("import", "-", "--team", "Other", *at, given=lines(1))
    assert run_cli("export", "--out", "-", "--team", "Refonte", *at) == ""


def test_an_import_beside_a_running_server_is_seen_there_at_once(tmp_path: Path):
    at = "--data", str(tmp_path)
    run_cli("team", "create", "Refonte", *at)
    run_cli("user", "create", "ana@example.com", "--team", "Refonte", "--role", "admin", *at)
    key = run_cli("key", "create", "ana@example.com", "--mode", "live", *at).strip()
    with running_server(*at) as server:
        run_cli("import", "-", *at, given=lines(20))
        answer = httpx.get(f"{server.url}/v1/tasks", headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["total"] == 20
        assert server.end() == 0


def make_project(at: tuple[str, str], name: str) -> None:
    """A categorization project of the team's."""

    async def work(db: Database) -> None:
        team = await db.read(teams.only_team)
        await db.write(projects.create_project, team.id, "live", name, "categorization", START_MS)

    with_database(settings_of(database=at[1]), work)


def answered(data: str, *at: str) -> list[tuple[str, str, dict[str, str], dict[str, str]]]:
    """Imports a CSV file of answers; what became of each question."""
    run_cli("import", "--answers", "-", *at, given=data)
    tasks = [json.loads(line) for line in run_cli("export", "--out", "-", "--attempts", *at).splitlines()]
    return [
        (
            task["metadata"]["question"],
            task["status"],
            task["response"],
            {each["labeler"]: each["response"]["category"] for each in task["attempts"]},
        )
        for task in tasks
    ]


def test_an_export_with_attempts_goes_into_another_database(at: tuple[str, str], tmp_path: Path):
    out, other = tmp_path / "out.ndjson", ("--data", str(tmp_path / "other"))
    run_cli("import", "--answers", "-", *at, given="question,worker,answer\nis it?,ann,yes\nis it not?,bob,no\n")
    run_cli("export", "--out", str(out), "--attempts", *at)
    run_cli("team", "create", "Refonte", *other)
    assert run_cli("import", str(out), *other) == "Imported 2 tasks.\n"
    said = ("unique_id", "status", "response", "attempts", "params")
    first, second = (
        [json.loads(line) for line in run_cli("export", "--out", "-", "--attempts", *which).splitlines()]
        for which in (at, other)
    )
    assert [[task[name] for name in said] for task in first] == [[task[name] for name in said] for task in second]


def test_a_crowds_answers_become_tasks_with_attempts(at: tuple[str, str]):
    data = '﻿worker,answer,question\r\n896,cat,"Is 1, 2 a pet?"\r\nann,dog,2\r\n\r\nann,cat,"Is 1, 2 a pet?"\r\n'
    assert answered(data, *at) == [
        ("Is 1, 2 a pet?", "completed", {"category": "cat"}, {"896": "cat", "ann": "cat"}),
        ("2", "completed", {"category": "dog"}, {"ann": "dog"}),
    ]
    task = json.loads(run_cli("export", "--out", "-", *at).splitlines()[0])
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
        (head + '1,a,"x\n2,b,y\n', 2, "a quote is opened here and never closed"),
        (head + '\n"1\n2",a,x\n"1\n2",a,y\n', 5, "has answered question"),
        (head + '"q1", "w1",a\n', 2, "without spaces outside"),
        (head + '1,a,x\n2,5" pipe,x\n', 3, "be doubled inside it"),
        (head + '1,"a"b,x\n', 2, "between a closing quote and the next comma"),
        (head + "\ufeffquestion,worker,answer\n", 2, "byte-order mark"),
        (head.replace("\n", "\r") + "1,a,x\r\r1,a,y\r", 4, "worker 'a' has answered"),
        (head.replace(",", ";"), 0, "with commas between; it is 'question;worker;answer'"),
        (head + "".join(f"1,{number},x\n" for number in range(101)), 102, "more than 100"),
    ):
        said = run_failing_cli(1, "import", "--answers", "-", *at, given=data)
        assert said.startswith(f"  line {line}: " if line else "refonte-studio: "), said
        assert named in said
    assert run_cli("export", "--out", "-", *at) == ""
    assert "either" in run_failing_cli(2, "import", "x", "--answers", "y", *at)


def test_line_ends_of_any_system_and_quoted_fields_are_read(at: tuple[str, str]):
    rows = ["question,worker,answer", '"5"" pipe",ann," x, y"', "2,bob,z"]
    for number, end in enumerate(("\n", "\r\n", "\r")):
        data = end.join(rows) + end
        assert run_cli("import", "--answers", "-", "--data-set", str(number), *at, given=data) == "Imported 2 tasks.\n"
    tasks = [json.loads(line) for line in run_cli("export", "--out", "-", "--attempts", *at).splitlines()]
    assert [task["params"]["text"] for task in tasks] == ['5" pipe', "2"] * 3
    assert {task["attempts"][0]["response"]["category"] for task in tasks} == {"x, y", "z"}


def test_a_file_of_another_encoding_is_refused(at: tuple[str, str], tmp_path: Path):
    file = tmp_path / "answers.csv"
    for content, named in (
        ("question,worker,answer\n1,a,x\n".encode("utf-16"), "UTF-16"),
        ("question,worker,answer\n1,a,x\n2,é,x\n".encode("latin-1"), "line 3 is not UTF-8"),
    ):
        file.write_bytes(content)
        assert named in run_failing_cli(1, "import", "--answers", str(file), *at)


def test_data_sets_that_number_their_questions_alike_live_side_by_side(at: tuple[str, str], tmp_path: Path):
    """In two projects, and two of them in one; the same file goes into a project once."""
    dogs, birds = tmp_path / "dogs.csv", tmp_path / "birds.csv"
    dogs.write_text("question,worker,answer\n\n1,ann,collie\n1,bob,pug\n2,ann,pug\n")
    birds.write_text("question,worker,answer\n1,ann,duck\n")
    into = {name: ("import", "--project", name, *at, "--answers") for name in ("One", "Two")}
    for name in into:
        make_project(at, name)
    assert run_cli(*into["One"], str(dogs)) == "Imported 2 tasks.\n"
    assert run_cli(*into["Two"], str(dogs)) == "Imported 2 tasks.\n"
    assert run_cli(*into["One"], str(birds)) == "Imported 1 task.\n"
    said = run_failing_cli(1, *into["One"], str(dogs))
    assert said == "  line 5: there is a task with unique_id 'One/dogs/2' already", "lines of the file, not questions"
    assert run_cli(*into["One"], str(dogs), "--data-set", "dogs again") == "Imported 2 tasks.\n"
    ids = [json.loads(line)["unique_id"] for line in run_cli("export", "--out", "-", *at).splitlines()]
    assert sorted(ids) == [
        *(
            "One/birds/1",
            "One/dogs again/1",
            "One/dogs again/2",
            "One/dogs/1",
            "One/dogs/2",
            "Two/dogs/1",
            "Two/dogs/2",
        ),
    ]


async def test_answers_fit_the_categories_of_their_project(world: World):
    await world.ana.post("/projects", {"name": "Words", "type": "transcription"})
    await makers.project(world, params={"categories": ["cat", "dog"], "allow_multiple": True})
    caller = Caller(world.ana.team_id, "", "", Role.ADMIN, "live")
    with pytest.raises(BadInput, match="'Words' is for transcription"):
        await world.db.read(data_set, caller, "answers", "Words", None)
    of = await world.db.read(data_set, caller, "answers", "Pets", None)
    good, bad = [b"question,worker,answer\n", b"1,a,dog\n"], b"2,a,zebra\n"
    with pytest.raises(BadInput, match=r"line 3: response.categories\[0\]: 'zebra'"):
        read([*good, bad], of)
    [task] = [json.loads(line) for line in read(good, of).tasks()]
    assert task["attempts"] == [{"labeler": "a", "response": {"categories": ["dog"]}}]
    assert "categories" not in task
