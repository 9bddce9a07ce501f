"""Crowd data sets: CSV files of answers by question and worker, converted to categorization tasks with attempts."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from refonte_studio import task_types
from refonte_studio.cli.crowd_csv import CsvRow, rows
from refonte_studio.db import Tx
from refonte_studio.imports import policy as external_attempts
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import checked_text, name_key, person_key
from refonte_studio.kit.texts import plain_text
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import ANY_TYPE, DEFAULT_NAME
from refonte_studio.tasks import service as tasks_service
from refonte_studio.tasks.model import UNIQUE_ID_LENGTH
from refonte_studio.tasks.service import creation

COLUMNS = ("question", "worker", "answer")
TYPE = task_types.TYPES["categorization"]
SHOWN_LINES = 100
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class DataSet:
    """The target of answers, and what distinguishes these questions from those of other data sets and projects."""

    name: str
    project: str
    params: Mapping[str, Any]  # parameters that tasks inherit from the project

    def unique_id(self, question: str) -> str:
        """Returns the unique_id of the question, the same in every import of the data set into the project."""
        return f"{self.project}/{self.name}/{question}"


@dataclass(slots=True)
class Crowd:
    """All answers. Names are stored once and answers as numbers, because a data set may have millions."""

    of: DataSet
    # alternately the number of a worker and of an answer
    questions: "dict[str, array[int]]" = field(default_factory=dict)
    workers: dict[str, int] = field(default_factory=dict)  # numbers, by unique form of the name
    names: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    lines: "array[int]" = field(default_factory=lambda: array("L"))  # of the file, where each question first occurs

    def add(self, line: int, question: str, worker: str, answer: str) -> None:
        """Adds an answer. Raises BadInput naming what is invalid."""
        plain_text("question", question, UNIQUE_ID_LENGTH - len(self.of.unique_id("")))
        checked_text("worker", worker, external_attempts.LABELER_LENGTH)
        if not name_key(answer):
            raise BadInput(f"answer must not be blank, but is {shown(answer)}")
        answer = name_key(answer)
        if answer not in self.answers:
            self._check_answer(answer)
        given = self.questions.get(question, ())
        person = self.workers.get(person_key(worker))
        if person is not None and person in given[::2]:
            raise BadInput(f"worker {shown(worker)} has answered question {shown(question)} before")
        if len(given) >= 2 * external_attempts.GIVEN_LIMIT:
            raise BadInput(f"question {shown(question)} has more than {external_attempts.GIVEN_LIMIT} answers")
        if person is None:
            person = self.workers[person_key(worker)] = len(self.names)
            self.names.append(worker)
        number = self.answers.setdefault(answer, len(self.answers))
        if question not in self.questions:
            self.lines.append(line)
        self.questions.setdefault(question, array("L")).extend((person, number))

    def _check_answer(self, answer: str) -> None:
        params = {"text": "?", "categories": [answer]} if self._asks_freely else {**self.of.params, "text": "?"}
        TYPE.check_params(params)
        TYPE.check_response(params, _response(params, answer))

    @property
    def _asks_freely(self) -> bool:
        return self.of.params.get("categories") is None and self.of.params.get("taxonomies") is None

    def tasks(self) -> Iterator[bytes]:
        """Yields a task with its attempts for each question, in order of first occurrence, as lines of an import."""
        own: dict[str, Any] = {"categories": sorted(self.answers)} if self._asks_freely else {}
        params = {**self.of.params, **own}
        said = [_response(params, answer) for answer in self.answers]
        for question, given in self.questions.items():
            attempts = [
                {"labeler": self.names[worker], "response": said[answer]}
                for worker, answer in zip(given[::2], given[1::2], strict=True)
            ]
            task = {
                "type": TYPE.name,
                "unique_id": self.of.unique_id(question),
                "metadata": {"data_set": self.of.name, "question": question},
                "text": question,
                **own,
                "attempts": attempts,
            }
            yield _encode(task) + b"\n"

    def blamed(self, error: BadInput) -> BadInput:
        """Converts errors of an import, which number tasks, to line numbers of the file."""
        bad = [{**one, "line": self.lines[one["line"] - 1]} for one in error.details.get("lines", ())]
        return _refused(error.message.partition(",")[0], bad) if bad else error


def _response(params: Mapping[str, Any], answer: str) -> dict[str, Any]:
    """Returns the answer as a response to a task with these parameters."""
    several = "categories" in TYPE.sample_response({**params, "text": "?"})
    return {"categories": [answer]} if several else {"category": answer}


async def data_set(tx: Tx, caller: Caller, name: str, project: str | None, batch: str | None) -> DataSet:
    """Returns the data set with this name in the intended project. Raises BadInput if it is for other task types."""
    found = await creation.resolve_project(tx, caller.team_id, caller.mode, project, batch)
    if found is None:
        found = await projects.present_default(tx, caller.team_id, caller.mode)
    name = checked_text("the name of the data set", name)
    if found is None:
        return DataSet(name, DEFAULT_NAME, {})
    if found.type not in (TYPE.name, ANY_TYPE):
        raise BadInput(f"answers are {TYPE.name}, and project {shown(found.name)} is for {found.type} tasks")
    return DataSet(name, found.name, tasks_service.inherited(found))


def read(lines: Iterable[bytes], of: DataSet) -> Crowd:
    """Reads the answers of a CSV file.

    Raises BadInput with `lines`, the first 100 invalid lines and their errors.
    """
    crowd, bad, count = Crowd(of), list[dict[str, Any]](), 0
    every = rows(lines)
    places = _places(next(every, CsvRow(1, [])))
    for row in every:
        error = _added(crowd, row, places)
        if error is None:
            continue
        count += 1
        if len(bad) < SHOWN_LINES:
            bad.append({"line": row.line, "error": error})
    if bad:
        raise _refused("a line is bad" if count == 1 else f"{count:,} lines are bad", bad)
    return crowd


def _refused(told: str, bad: list[dict[str, Any]]) -> BadInput:
    return BadInput(f"{told}, so nothing was imported; line {bad[0]['line']}: {bad[0]['error']}", lines=bad)


def _places(head: CsvRow) -> list[int]:
    """Returns the positions of the question, worker and answer columns."""
    named = [name_key(one) for one in head.fields]
    if head.error is not None or sorted(named) != sorted(COLUMNS):
        what = head.error or f"it is {shown(','.join(head.fields))}"
        raise BadInput(f"the first line must name the columns {', '.join(COLUMNS)}, with commas between; {what}")
    return [named.index(column) for column in COLUMNS]


def _added(crowd: Crowd, row: CsvRow, places: list[int]) -> str | None:
    """Adds a row's answer. Returns an error message, or None. An empty line is ignored."""
    if row.error is not None or not row.fields:
        return row.error
    if len(row.fields) != len(COLUMNS):
        return f"there must be {len(COLUMNS)} fields, not {len(row.fields)}: {shown(','.join(row.fields))}"
    try:
        crowd.add(row.line, *(row.fields[place] for place in places))
    except BadInput as error:
        return error.message
    return None
