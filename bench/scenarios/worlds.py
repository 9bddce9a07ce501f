"""Made-up worlds of labelers and batches, in which each task is simulated, to test a forecast on.

The simulation does not know how the forecast works. People have shifts, days off, good and bad days, and their own
pace; each takes the next task by the rules of dispatch, one at a time.
"""

import heapq
import random
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial

from refonte_studio.analytics.model import DAY_HOURS, HISTORY_DAYS, ForecastInput, ProjectPace, QueuedBatch, Worker

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PAST, AHEAD = HISTORY_DAYS, 120  # days


@dataclass
class Person:
    """When a person works, in hours of the day and days of the week, and how fast."""

    begins: float
    hours: float
    days_off: frozenset[int]  # of the week
    shows_up: float  # the probability on a working day
    day_spread: float  # of the pace between days
    speed: float
    joined: int = 0  # day
    shifts: list[tuple[int, int, float]] = field(default_factory=list)  # (from, to, pace), milliseconds


@dataclass
class Batch:
    project: str
    tasks: int
    wanted: int
    people: list[int]
    difficulty: float = 1.0  # as a multiple of the time that other tasks of the project take


@dataclass
class World:
    people: list[Person]
    batches: list[Batch]  # in the order of the queue
    task_ms: dict[str, float]
    now: int
    rng: random.Random
    submitted: list[tuple[int, str, int, int]] = field(default_factory=list)  # (person, project, at, took)

    def took(self, person: int, project: str, pace: float, at_most: float) -> int:
        """How long the person takes for one task: a lognormal time, at most `at_most`."""
        mean = self.task_ms[project] / (self.people[person].speed * pace)
        return max(1, round(min(at_most, mean * self.rng.lognormvariate(-0.18, 0.6))))


def make_world(seed: int, size: int = 12, load: float = 4.0) -> World:
    """A world with at most `size` people and about `load` days of work in the queue."""
    rng = random.Random(seed)
    count = rng.randint(2, size)
    weekly = rng.random() < 0.5  # whether the team does not work at weekends
    people = [_person(rng, weekly) for _ in range(count)]
    projects = {f"p{n}": rng.uniform(2, 12) * 60_000 for n in range(rng.randint(1, 3))}
    now = (PAST * DAY_HOURS + rng.randint(0, 7 * DAY_HOURS)) * HOUR_MS + rng.randint(0, HOUR_MS - 1)
    world = World(people, [], projects, now, rng)
    for person in people:
        _plan(rng, person, (rng.random() < 0.3 and rng.uniform(0.2, 0.6)) or 0.0)
    if rng.random() < 0.4:
        people[-1].joined = now // DAY_MS - rng.randint(1, 5)
    _holidays(rng, people)
    _batches(rng, world, load)
    return world


def _person(rng: random.Random, weekly: bool) -> Person:
    return Person(
        begins=rng.uniform(0, 24) if rng.random() < 0.3 else rng.uniform(6, 14),
        hours=rng.uniform(2, 9),
        days_off=frozenset({5, 6}) if weekly else frozenset(rng.sample(range(7), rng.randint(0, 2))),
        shows_up=rng.choice([1.0, 0.95, 0.9, 0.7]),
        day_spread=rng.uniform(0.05, 0.35),
        speed=rng.lognormvariate(0, 0.4),
    )


def _plan(rng: random.Random, person: Person, breaks: float) -> None:
    for day in range(PAST + AHEAD + 8):
        if day % 7 in person.days_off or rng.random() > person.shows_up:
            continue
        start = round((day * DAY_HOURS + person.begins + rng.gauss(0, 0.4)) * HOUR_MS)
        length = max(HOUR_MS / 2, person.hours * HOUR_MS * rng.lognormvariate(0, 0.2))
        pace = rng.lognormvariate(-(person.day_spread**2) / 2, person.day_spread)
        rest = round(length * breaks)
        middle = start + round(length / 2)
        person.shifts.append((start, middle, pace))
        person.shifts.append((middle + rest, start + round(length) + rest, pace))


def _holidays(rng: random.Random, people: list[Person]) -> None:
    """Removes a few days on which nobody works."""
    if rng.random() < 0.3:
        off = set(rng.sample(range(PAST + AHEAD), 6))
        for person in people:
            person.shifts = [shift for shift in person.shifts if shift[0] // DAY_MS not in off]


def _batches(rng: random.Random, world: World, load: float) -> None:
    everybody = range(len(world.people))
    for _ in range(rng.randint(1, 6)):
        project = rng.choice(list(world.task_ms))
        wanted = rng.choice([1, 1, 2, 3])
        among = list(everybody)
        if rng.random() < 0.5:
            among = sorted(rng.sample(among, rng.randint(min(wanted, len(among)), len(among))))
        wanted = min(wanted, len(among))
        hours = load * rng.uniform(0.1, 0.7) * 0.7 * sum(world.people[each].hours for each in among)
        tasks = max(1, round(hours * HOUR_MS / world.task_ms[project] / wanted))
        world.batches.append(Batch(project, tasks, wanted, among, rng.lognormvariate(0, 0.1)))


# -------------------------------------------------------------------------------------------- what happens


def simulate_past(world: World) -> None:
    """Fills in the work that was done before now; there was always a next task."""
    for person, who in enumerate(world.people):
        projects = sorted({batch.project for batch in world.batches if person in batch.people})
        for start, end, pace in who.shifts:
            at = max(start, who.joined * DAY_MS)
            while projects and at < min(end, world.now):
                project = world.rng.choice(projects)
                took = world.took(person, project, pace, 4 * HOUR_MS)
                at += took
                if at <= world.now:
                    world.submitted.append((person, project, at, took))


def simulate_future(world: World) -> list[int | None]:
    """When each batch finishes, in milliseconds from now; None if it does not within the simulated time."""
    slots = [[batch.wanted] * batch.tasks for batch in world.batches]
    left = [batch.wanted * batch.tasks for batch in world.batches]
    reached: dict[tuple[int, int], int] = defaultdict(int)  # by (person, batch); earlier tasks are done or full
    finished: list[int | None] = [None] * len(world.batches)
    due: list[tuple[int, int, int, int | None]] = []  # (time, person, shift, batch of the task that is then submitted)
    for person, who in enumerate(world.people):
        for number, (start, end, _) in enumerate(who.shifts):
            if end > world.now:
                heapq.heappush(due, (max(start, world.now), person, number, None))
                break
    while due and any(left):
        at, person, number, done = heapq.heappop(due)
        if done is not None:
            left[done] -= 1
            if left[done] == 0:
                finished[done] = at - world.now
        _next(world, due, at, person, number, slots, reached)
    return finished


def _next(
    world: World,
    due: list[tuple[int, int, int, int | None]],
    at: int,
    person: int,
    number: int,
    slots: list[list[int]],
    reached: dict[tuple[int, int], int],
) -> None:
    """Lets the person take the first task open to them, now or when their next shift begins."""
    shifts = world.people[person].shifts
    while number < len(shifts) and shifts[number][1] <= at:
        number += 1
    if number == len(shifts):
        return
    if shifts[number][0] > at:
        heapq.heappush(due, (shifts[number][0], person, number, None))
        return
    for queued, batch in enumerate(world.batches):
        if person not in batch.people:
            continue
        task = reached[person, queued]
        while task < batch.tasks and slots[queued][task] == 0:
            task += 1
        reached[person, queued] = min(task + 1, batch.tasks)
        if task < batch.tasks:
            slots[queued][task] -= 1
            took = world.took(person, batch.project, shifts[number][2] / batch.difficulty, 4 * HOUR_MS)
            heapq.heappush(due, (at + took, person, number, queued))
            return


# -------------------------------------------------------------------------------------- what is known of it


def forecast_input(world: World) -> ForecastInput:
    """What a server knows of the world as it is now."""
    work: dict[int, list[list[float]]] = defaultdict(partial(_empty, PAST))
    paces: dict[tuple[int | None, str], list[float]] = defaultdict(lambda: [0, 0.0])
    first: dict[int, int] = {}
    for person, project, at, took in world.submitted:
        first[person] = min(first.get(person, at), at)
        hours = (world.now - at) // HOUR_MS
        if hours < PAST * DAY_HOURS:
            work[person][hours // DAY_HOURS][DAY_HOURS - 1 - hours % DAY_HOURS] += took
            for whose in (person, None):
                paces[whose, project][0] += 1
                paces[whose, project][1] += took
    workers = []
    for person in range(len(world.people)):
        since = first.get(person, world.now)
        days = min(PAST, max(0, -(-(world.now - since) // DAY_MS)))
        own = {project: ProjectPace(round(n), ms) for (whose, project), (n, ms) in paces.items() if whose == person}
        workers.append(Worker(f"w{person}", work[person][:days], own))
    return ForecastInput(
        lines=[
            QueuedBatch(f"b{n}", batch.project, batch.tasks * batch.wanted, batch.tasks, batch.wanted, batch.people)
            for n, batch in enumerate(world.batches)
        ],
        workers=workers,
        paces={project: ProjectPace(round(n), ms) for (whose, project), (n, ms) in paces.items() if whose is None},
    )


def _empty(days: int) -> list[list[float]]:
    return [[0.0] * DAY_HOURS for _ in range(days)]
