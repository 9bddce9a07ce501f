"""Crowd data sets: CSV files of who answered which question how, turned into categorization tasks with attempts."""

import csv
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import person_key
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import ANY_TYPE
from refonte_studio.tasks import creation, elsewhere, policy, types

COLUMNS = ("question", "worker", "answer")
TYPE = types.TYPES["categorization"]
SHOWN_LINES = 100
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Crowd:
    """Everybody's answers. Names are kept once and answers as numbers, since a data set may have millions."""

    params: Mapping[str, Any]  # of the project
    questions: "dict[str, array[int]]" = field(default_factory=dict)  # the numbers of a worker and an answer, in turn
    workers: dict[str, int] = field(default_factory=dict)  # numbers, by what makes a name unique
    names: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def add(self, question: str, worker: str, answer: str) -> None:
        """One more answer. Raises BadInput naming what is wrong with it."""
        policy.text("question", question, policy.UNIQUE_ID_LENGTH)
        policy.text("worker", worker, elsewhere.LABELER_LENGTH)
        if answer not in self.answers:
            self._check_answer(answer)
        given = self.questions.get(question, ())
        person = self.workers.get(person_key(worker))
        if person is not None and person in given[::2]:
            raise BadInput(f"worker {shown(worker)} has answered question {shown(question)} before")
        if len(given) >= 2 * elsewhere.GIVEN_LIMIT:
            raise BadInput(f"question {shown(question)} has more than {elsewhere.GIVEN_LIMIT} answers")
        if person is None:
            person = self.workers[person_key(worker)] = len(self.names)
            self.names.append(worker)
        number = self.answers.setdefault(answer, len(self.answers))
        self.questions.setdefault(question, array("L")).extend((person, number))

    def _check_answer(self, answer: str) -> None:
        params = {"text": "?", "categories": [answer]} if self._asks_freely else {**self.params, "text": "?"}
        TYPE.check_params(params)
        TYPE.check_response(params, _response(params, answer))

    @property
    def _asks_freely(self) -> bool:
        return self.params.get("categories") is None and self.params.get("taxonomies") is None

    def tasks(self) -> Iterator[bytes]:
        """A task with its attempts for each question, in the order in which they came, as lines of an import."""
        own: dict[str, Any] = {"categories": sorted(self.answers)} if self._asks_freely else {}
        params = {**self.params, **own}
        said = [_response(params, answer) for answer in self.answers]
        for question, given in self.questions.items():
            attempts = [
                {"labeler": self.names[worker], "response": said[answer]}
                for worker, answer in zip(given[::2], given[1::2], strict=True)
            ]
            task = {"type": TYPE.name, "unique_id": question, "text": question, **own, "attempts": attempts}
            yield _encode(task) + b"\n"


def _response(params: Mapping[str, Any], answer: str) -> dict[str, Any]:
    """The answer, as a task of these parameters takes it."""
    several = "categories" in TYPE.sample_response({**params, "text": "?"})
    return {"categories": [answer]} if several else {"category": answer}


async def params_of(tx: Tx, caller: Caller, project: str | None, batch: str | None) -> Mapping[str, Any]:
    """What the project that is meant hands down to its tasks. Raises BadInput if it is for other types of them."""
    found = await creation.project_meant(tx, caller.team_id, caller.mode, project, batch)
    if found is None:
        found = await projects.present_default(tx, caller.team_id, caller.mode)
    if found is None:
        return {}
    if found.type not in (TYPE.name, ANY_TYPE):
        raise BadInput(f"answers are {TYPE.name}, and project {shown(found.name)} is for {found.type} tasks")
    return policy.inherited(found)


def read(lines: Iterable[bytes], params: Mapping[str, Any]) -> Crowd:
    """The answers of a CSV file for a project of these parameters.

    Raises BadInput with `lines`, the first 100 that are bad and what is wrong with each.
    """
    crowd, bad, count = Crowd(params), list[dict[str, Any]](), 0
    rows = csv.reader(_decoded(lines), strict=True)
    try:
        places = _places(next(rows, []))
        for row in rows:
            error = _added(crowd, row, places)
            if error is None:
                continue
            count += 1
            if len(bad) < SHOWN_LINES:
                bad.append({"line": rows.line_num, "error": error})
    except csv.Error as error:
        raise BadInput(f"line {rows.line_num} is not CSV: {error}") from error
    if bad:
        told = "a line is bad" if count == 1 else f"{count:,} lines are bad"
        raise BadInput(f"{told}, so nothing was imported; line {bad[0]['line']}: {bad[0]['error']}", lines=bad)
    return crowd


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(f"line {number} is not UTF-8: {shown(line[:60])}") from error


def _places(head: list[str]) -> list[int]:
    """Where in a row the question, the worker and the answer are."""
    if sorted(head) != sorted(COLUMNS):
        raise BadInput(f"the first line must name the columns {', '.join(COLUMNS)}; it is {shown(','.join(head))}")
    return [head.index(column) for column in COLUMNS]


def _added(crowd: Crowd, row: list[str], places: list[int]) -> str | None:
    """Adds a row's answer; or what is wrong with it. An empty line is nothing."""
    if not row:
        return None
    if len(row) != len(COLUMNS):
        return f"there must be {len(COLUMNS)} fields, not {len(row)}: {shown(','.join(row))}"
    try:
        crowd.add(*(row[place] for place in places))
    except BadInput as error:
        return error.message
    return None
