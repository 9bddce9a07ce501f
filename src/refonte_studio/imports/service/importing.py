"""An import: lines are checked as they arrive, buffered, and written in one transaction if all are valid.

A line may include external attempts. They count like those made on this server.
"""

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from refonte_studio.aggregation import service as aggregation
from refonte_studio.batches import service as batches
from refonte_studio.batches.model import Batch
from refonte_studio.db import Tx
from refonte_studio.db.engine import takes_long
from refonte_studio.imports import policy as external_attempts
from refonte_studio.imports.service.spool import Prepared, PreparedAttempt, Spool
from refonte_studio.kit.caller import Caller, Mode
from refonte_studio.kit.errors import BadInput, StudioError, shown
from refonte_studio.kit.ids import new_ids
from refonte_studio.kit.json_text import decode_json
from refonte_studio.kit.names import person_key
from refonte_studio.projects import service as projects
from refonte_studio.projects.model import ANY_TYPE, Project
from refonte_studio.task_types import TaskType
from refonte_studio.tasks import service as tasks_service
from refonte_studio.tasks.model import Attempt, AttemptsImported, Task, TasksEnded, TaskStatus
from refonte_studio.tasks.service import creation
from refonte_studio.tasks.service.completion import complete_enough, settle
from refonte_studio.teams import service as teams

SHOWN_LINES = 100  # upper bound on the bad lines that an error lists
LABELERS_LIMIT = 100_000  # upper bound on the distinct labelers of one import

Destination = tuple[str | None, str | None]  # the names of a project and a batch; None means the default
ParameterReader = Callable[[TaskType, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Target:
    """The project of a line's task, as it was when the line was checked."""

    number: int
    place: Destination
    project: Project | None  # None: a default project that does not exist yet
    error: str | None  # why no task can be created there


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A decoded line; `given` are its parameters without type and attempts."""

    number: int
    type: str | None
    place: Destination
    given: dict[str, Any]
    attempts: Any  # as given, not checked yet


@dataclass(slots=True)
class Import:
    """The state of one import. Its methods only compute; the functions below access the database."""

    mode: Mode
    place: Destination  # of lines that name none
    spool: Spool
    now: int
    read: ParameterReader  # normalizes parameters like a creation through the API
    targets: dict[Destination, Target] = field(default_factory=dict)
    bad: list[dict[str, Any]] = field(default_factory=list)
    bad_count: int = 0  # of all bad lines; `bad` holds only the first
    _begun: bool = False  # whether a line that is not blank has arrived
    _unique_ids: set[int] = field(default_factory=set)  # hashes of the unique_ids so far
    used: dict[int, Destination] = field(default_factory=dict)  # the destinations of buffered lines, by target number
    attempted: set[int] = field(default_factory=set)  # the target numbers of lines with attempts
    labelers: list[str] = field(default_factory=list)  # names, by labeler number
    _labelers: dict[str, int] = field(default_factory=dict)  # labeler numbers, by the key of the name

    def expect(self, targets: Sequence[Target]) -> None:
        """Adds targets that were looked up."""
        for target in targets:
            self.targets[target.place] = target

    def check_place(self) -> None:
        """Raises BadInput if lines that name no destination have no valid one."""
        error = self.targets[self.place].error
        if error is not None:
            raise BadInput(error)

    def refuse(self, line: int, error: str) -> None:
        """Records a bad line. From then on no line is buffered."""
        self.bad_count += 1
        self.bad.append({"line": line, "error": error})

    def decoded(self, lines: Sequence[tuple[int, bytes]]) -> list[ImportLine]:
        """Decodes the lines; records those that are not JSON objects as bad and skips blank ones."""
        found: list[ImportLine] = []
        for number, text in lines:
            if number == 1:
                text = text.removeprefix(BOM_UTF8)
            if not text or text.isspace():
                continue
            if not self._begun:
                _check_beginning(number, text)
                self._begun = True
            try:
                line = self._line(number, text)
            except BadInput as error:
                self.refuse(number, error.message)
                continue
            if line is not None:
                found.append(line)
        return found

    def _line(self, number: int, text: bytes) -> ImportLine | None:
        """Decodes a line; returns None for an exported task that was canceled."""
        value = decode_json(text, "the line")
        if isinstance(value, list):
            raise BadInput(f"a line must be one JSON object, not a list of them: {_beginning(text)}")
        if not isinstance(value, dict):
            raise BadInput(f"a line must be a JSON object, not {_beginning(text)}")
        given: dict[str, Any] = value
        attempts = given.pop("attempts", None)
        exported = "task_id" in given
        if exported and given.get("status") == TaskStatus.CANCELED:
            return None
        if exported:
            given = external_attempts.creation_of(given)
        type_name = given.pop("type", None)
        if type_name is not None and not isinstance(type_name, str):
            raise BadInput(f"type must be text, in {_beginning(text)}")
        project, batch = tasks_service.name_in(given, "project"), tasks_service.name_in(given, "batch")
        if exported and self.place != (None, None):
            project, batch = self.place
        if project is None:
            project = self.place[0]
        if batch is None and project == self.place[0]:
            batch = self.place[1]
        return ImportLine(number, type_name, (project, batch), given, attempts)

    def unmet(self, lines: Sequence[ImportLine]) -> list[Destination]:
        """Returns the destinations of the lines that must still be looked up."""
        return list(dict.fromkeys(line.place for line in lines if line.place not in self.targets))

    def prepared(self, lines: Sequence[ImportLine]) -> list[Prepared]:
        """Returns the lines that pass every check; records the others as bad."""
        found: list[Prepared] = []
        for line in lines:
            try:
                found.append(self._prepared(line))
            except StudioError as error:
                self.refuse(line.number, error.message)
        return found

    def _prepared(self, line: ImportLine) -> Prepared:
        target = self.targets[line.place]
        if target.error is not None:
            raise BadInput(target.error)
        type_name = line.type
        if type_name is None and target.project is not None and target.project.type != ANY_TYPE:
            type_name = target.project.type
        if type_name is None:
            raise BadInput("type is required, since the project takes tasks of every type")
        task_type = tasks_service.task_type(type_name)
        draft = tasks_service.drafted(task_type, self.read(task_type, line.given), target.project, self.mode)
        answers: tuple[PreparedAttempt, ...] = ()
        if line.attempts is not None and line.attempts != []:
            if self.mode == "test":
                raise BadInput("attempts are not taken in test mode, where a sample response completes every task")
            answers = self._answers(external_attempts.given_attempts(task_type, draft.params, line.attempts, self.now))
        if draft.unique_id is not None:
            key = hash(draft.unique_id)
            if key in self._unique_ids:
                raise BadInput(f"unique_id {shown(draft.unique_id)} is on a line before this one, too")
            self._unique_ids.add(key)
        return Prepared(line.number, target.number, draft, answers)

    def _answers(self, attempts: Sequence[external_attempts.ExternalAttempt]) -> tuple[PreparedAttempt, ...]:
        return tuple(
            PreparedAttempt(self._number(each.labeler), each.response, each.started_at, each.submitted_at)
            for each in attempts
        )

    def _number(self, labeler: str) -> int:
        key = person_key(labeler)
        number = self._labelers.get(key)
        if number is None:
            if len(self.labelers) >= LABELERS_LIMIT:
                raise BadInput(f"labeler {shown(labeler)} is one more than the {LABELERS_LIMIT:,} of one import")
            number = self._labelers[key] = len(self.labelers)
            self.labelers.append(labeler)
        return number

    def keep(self, lines: Sequence[Prepared], taken: set[str]) -> None:
        """Buffers the lines, unless there are bad lines; `taken` are unique_ids that tasks already have."""
        self.refuse_taken(lines, taken)
        self.bad = sorted(self.bad, key=lambda entry: entry["line"])[:SHOWN_LINES]
        if self.bad_count == 0 and lines:
            self.spool.add(lines)
            places = {target.number: target.place for target in self.targets.values()}
            self.used.update({line.target: places[line.target] for line in lines})
            self.attempted.update(line.target for line in lines if line.answers)

    def refuse_taken(self, lines: Sequence[Prepared], taken: set[str]) -> None:
        """Records as bad the lines whose unique_id is taken."""
        for line in lines if taken else ():
            if line.draft.unique_id in taken:
                self.refuse(line.line, f"there is a task with unique_id {shown(line.draft.unique_id)} already")

    def check(self) -> None:
        """Raises BadInput, listing the bad lines, if there are any."""
        if self.bad_count == 0:
            return
        first = self.bad[0]
        told = "a line is bad" if self.bad_count == 1 else f"{self.bad_count:,} lines are bad"
        raise BadInput(
            f"{told}, so nothing was imported; line {first['line']}: {first['error']}",
            lines=self.bad[:SHOWN_LINES],
        )


async def look_up(tx: Tx, caller: Caller, places: Sequence[Destination], first: int) -> list[Target]:
    """Looks up the targets of these destinations; numbers them from `first` on."""
    return [await _target(tx, caller, place, number) for number, place in enumerate(places, first)]


async def _target(tx: Tx, caller: Caller, place: Destination, number: int) -> Target:
    project_name, batch_name = place
    project: Project | None = None
    try:
        project = await creation.resolve_project(tx, caller.team_id, caller.mode, project_name, batch_name)
        if project is None:
            project = await projects.present_default(tx, caller.team_id, caller.mode)
        if project is not None:
            projects.check_takes_tasks(project)
        if batch_name is not None:
            batch = await batches.find_in_body(tx, caller.team_id, caller.mode, batch_name)
            creation.check_batch(batch, project)
            batches.check_open(batch)
    except BadInput as error:
        return Target(number, place, project, error.message)
    return Target(number, place, project, None)


async def taken(tx: Tx, caller: Caller, lines: Sequence[Prepared]) -> set[str]:
    """Returns those unique_ids of the lines that a task already has."""
    unique_ids = [line.draft.unique_id for line in lines if line.draft.unique_id is not None]
    return await creation.taken_unique_ids(tx, caller, unique_ids)


def _check_beginning(number: int, text: bytes) -> None:
    """Raises BadInput if the first line shows that no line of the body can be decoded."""
    if b"\x00" in text[:4]:
        error = "the body is UTF-16 or UTF-32; send UTF-8"
    elif text.lstrip()[:1] == b"[" and text.rstrip()[-1:] != b"]":
        error = "the body is a JSON list over several lines; send one object a line, without a list around them"
    else:
        return
    raise BadInput(f"nothing was imported: {error}", lines=[{"line": number, "error": error}])


def _beginning(text: bytes) -> str:
    return shown(text[:60].decode(errors="replace"))


@takes_long
async def write(tx: Tx, caller: Caller, importing: Import, now: int) -> int:
    """Creates the tasks of all buffered lines; returns their number. Raises Duplicate for a unique_id that is taken."""
    found: dict[int, tuple[Project, Batch]] = {}
    for number, (project_name, batch_name) in importing.used.items():
        project = await creation.project_named(tx, caller.team_id, caller.mode, project_name, batch_name, now)
        found[number] = (project, await creation.batch_named(tx, project, batch_name, now))
    opened = await _opened(tx, importing, found)
    people = await teams.external_people(tx, caller.team_id, importing.labelers, now)
    ids = [people[labeler] for labeler in importing.labelers]
    counts: Counter[str] = Counter()
    completed = {batch_id for batch_id, batch in opened.items() if batch.mode == "test"}
    for lines in importing.spool.chunks():
        tasks = _tasks(lines, found, now)
        await creation.insert_tasks(tx, tasks, [line.draft.tags for line in lines])
        made = {task.id: len(line.answers) for task, line in zip(tasks, lines, strict=True) if line.answers}
        attempts = _attempts(tasks, lines, ids, caller.teammate_id or None, now) if made else {}
        for (project, batch), tasks_there in _by_place(tasks, found.values()):
            await creation.insert_slots(tx, project, opened[batch.id], tasks_there, made)
            if await _attempted(tx, project, [task for task in tasks_there if task.id in made], attempts, now):
                completed.add(batch.id)
        counts.update(task.batch_id for task in tasks if task.batch_id is not None)
        if caller.mode == "test":
            await tx.tell(TasksEnded.of(tasks, TaskStatus.COMPLETED, now, held=False))
    for batch_id, count in sorted(counts.items()):
        await creation.count_new(tx, opened[batch_id], count)
        if batch_id in completed:
            await settle(tx, caller.team_id, batch_id, now)
    return counts.total()


async def _opened(tx: Tx, importing: Import, found: Mapping[int, tuple[Project, Batch]]) -> dict[str, Batch]:
    """Returns the batches by id and keeps them open for tasks until this transaction ends."""
    attempted = {found[number][1].id for number in importing.attempted}
    opened = {batch.id: batch for _, batch in found.values()}
    for batch_id in sorted(opened):  # in a fixed order, so that two imports cannot deadlock
        if batch_id in attempted:
            # such an import may `settle` the batch at the end: two that both keep it open would deadlock
            await tx.lock(f"attempted:{batch_id}")
        opened[batch_id] = await creation.open_batch(tx, opened[batch_id])
    return opened


def _attempts(
    tasks: Sequence[Task], lines: Sequence[Prepared], people: Sequence[str], importer: str | None, now: int
) -> dict[str, list[Attempt]]:
    """Returns the external attempts of these tasks, by task id."""
    ids = iter(new_ids(now, sum(len(line.answers) for line in lines)))
    return {
        task.id: [
            Attempt(
                id=next(ids),
                task_id=task.id,
                teammate_id=people[answer.labeler],
                number=number,
                response=answer.response,
                started_at=answer.started_at,
                submitted_at=answer.submitted_at,
                imported=True,
                imported_by=importer,
            )
            for number, answer in enumerate(line.answers, 1)
        ]
        for task, line in zip(tasks, lines, strict=True)
        if line.answers
    }


async def _attempted(
    tx: Tx, project: Project, tasks: Sequence[Task], attempts: Mapping[str, Sequence[Attempt]], now: int
) -> bool:
    """Records the attempts of new tasks of a project; returns whether that completes any of them."""
    if not tasks:
        return False
    wanted = project.attempts_wanted
    by_id = {task.id: task for task in tasks}
    made = [attempt for task in tasks for attempt in attempts[task.id]]
    await creation.insert_imported_attempts(tx, by_id, made, wanted)
    await tx.tell(AttemptsImported(by_id, made))
    await aggregation.request_refit(
        tx, project.team_id, project.id, now
    )  # they may be older than those of the last fit
    enough = [task for task in tasks if len(attempts[task.id]) >= wanted]
    return await complete_enough(tx, project, enough, now) > 0


def _by_place(
    tasks: Sequence[Task], places: Iterable[tuple[Project, Batch]]
) -> list[tuple[tuple[Project, Batch], list[Task]]]:
    """Groups the tasks by project and batch."""
    by_batch: dict[str | None, list[Task]] = {}
    for task in tasks:
        by_batch.setdefault(task.batch_id, []).append(task)
    of_batch = {batch.id: (project, batch) for project, batch in places}
    return [(place, by_batch[batch_id]) for batch_id, place in of_batch.items() if batch_id in by_batch]


def _tasks(lines: Sequence[Prepared], found: Mapping[int, tuple[Project, Batch]], now: int) -> list[Task]:
    tasks: list[Task] = []
    for task_id, line in zip(new_ids(now, len(lines)), lines, strict=True):
        project, batch = found[line.target]
        tasks.append(creation.task_from(line.draft, task_id, project, batch.id, "work", now))
    return tasks
