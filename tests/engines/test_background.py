"""Background work runs in several processes at once, and nothing is done twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import pytest

from refonte_studio.batches.service import batches
from refonte_studio.callbacks.policy import retries as retry_policy
from refonte_studio.callbacks.service.delivery import Delivery
from refonte_studio.config import Settings
from refonte_studio.db import Database, Tx, open_database
from refonte_studio.kit.caller import Role
from refonte_studio.main import AUTHENTICATOR, LISTENERS
from refonte_studio.server import background
from refonte_studio.teams.service.mail import Mailer
from refonte_studio.web import Studio
from tests.invariants import check, snapshot
from tests.makers import answer, batch, claim, project, task
from tests.world import Person, World

PROCESSES = 4
PEOPLE = 12


@pytest.fixture
async def processes(world: World, database_url: str) -> AsyncIterator[list[Studio]]:
    """What several server processes on one database have, each with its own connections."""
    opened = [await open_database(database_url, LISTENERS, pool_size=3) for _ in range(PROCESSES)]
    settings = Settings(host="127.0.0.1")
    yield [Studio(db, settings, world.clock, AUTHENTICATOR, {Mailer: Mailer(settings)}) for db in opened]
    for db in opened:
        await db.close()


async def labelers(world: World) -> list[Person]:
    return [await world.person(f"labeler{n}", world.ana.team_id, Role.LABELER) for n in range(PEOPLE)]


def chore(name: str) -> background.Chore:
    (found,) = [each for each in background.CHORES if each.name == name]
    return found


async def turn_everywhere(processes: list[Studio], name: str) -> int:
    """All processes take a turn of the chore at once; how much they did together."""
    return sum(await asyncio.gather(*(background.do(studio, chore(name)) for studio in processes)))


async def ended(tx: Tx) -> Counter[str]:
    rows = await tx.all("SELECT state, COUNT(*) AS claims FROM claims GROUP BY state")
    return Counter({row["state"]: row["claims"] for row in rows})


async def deltas(tx: Tx) -> int:
    row = await tx.one("SELECT COUNT(*) AS deltas FROM batch_deltas")
    return row["deltas"] if row else 0


async def is_sound(world: World) -> None:
    check(await world.db.read(snapshot))


async def test_a_lease_ends_once_however_many_end_it(world: World, processes: list[Studio]):
    people = await labelers(world)
    name = await project(world, people=tuple(people), wanted=3)
    await batch(world, name, tasks=PEOPLE // 2)
    assert all([await claim(person) for person in people])
    world.clock.forward(minutes=31)
    assert await turn_everywhere(processes, "expire leases") == PEOPLE
    assert await world.db.read(ended) == {"expired": PEOPLE}
    await is_sound(world)


async def test_a_lease_ends_once_when_claims_end_it_too(world: World, processes: list[Studio]):
    people = await labelers(world)
    name = await project(world, people=tuple(people), wanted=2)
    await batch(world, name, tasks=PEOPLE)
    assert all([await claim(person) for person in people])
    world.clock.forward(minutes=31)
    _, *given = await asyncio.gather(turn_everywhere(processes, "expire leases"), *(claim(person) for person in people))
    assert all(given)
    assert await world.db.read(ended) == {"expired": PEOPLE, "held": PEOPLE}
    await is_sound(world)


async def test_a_delta_is_folded_once(world: World, processes: list[Studio], monkeypatch: pytest.MonkeyPatch):
    people = await labelers(world)
    name = await project(world, people=tuple(people))
    await batch(world, name, tasks=PEOPLE * 3)
    for person in people:
        await answer(person)
    before = await world.ana.get("/batches/Monday/status")
    waiting = await world.db.read(deltas)
    assert waiting > PROCESSES * 3
    # in many small folds, so that those of several processes come between each other
    monkeypatch.setattr(batches, "FOLD_LIMIT", 3)
    monkeypatch.setattr(background, "CHORES", tuple(_eager(each) for each in background.CHORES))
    folded = 0
    while turn := await turn_everywhere(processes, "fold the counts of batches"):
        folded += turn
    assert folded == waiting
    assert await world.db.read(deltas) == 0
    assert await world.ana.get("/batches/Monday/status") == before
    await is_sound(world)


def _eager(each: background.Chore) -> background.Chore:
    """The same chore, whose rounds follow each other while there is anything to do."""
    return background.Chore(each.name, each.interval_s, each.use_case, 1)


class Posts:
    """Whom callbacks reach."""

    def __init__(self) -> None:
        self.ids: Counter[str] = Counter()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.ids[headers["webhook-id"]] += 1
        return 200

    async def mail(self, address: str, subject: str, text: str) -> None:
        raise AssertionError("no callback goes by mail here")


def delivery(db: Database, world: World, posts: Posts) -> Delivery:
    return Delivery(db, world.clock, posts.post, posts.mail)


async def told(world: World, count: int) -> None:
    """So many callbacks that are due."""
    name = await project(world)
    for _ in range(count):
        await task(world, name, callback_url="https://example.com/hook")
        await answer(world.ben)


async def test_a_callback_is_delivered_once_however_many_deliver(world: World, processes: list[Studio]):
    await told(world, 40)
    posts = Posts()
    counts = await asyncio.gather(*(delivery(studio.db, world, posts).deliver_due() for studio in processes))
    assert sum(counts) == 40
    assert len(posts.ids) == 40
    assert set(posts.ids.values()) == {1}


async def test_a_callback_whose_process_died_is_delivered_by_another(world: World, processes: list[Studio]):
    await told(world, 3)
    posts = Posts()
    dying = delivery(processes[0].db, world, posts)
    taken = await dying._begin({}, 10)  # and nothing more is heard of that process
    assert len(taken) == 3
    survivors = [delivery(studio.db, world, posts) for studio in processes[1:]]
    assert sum(await asyncio.gather(*(each.deliver_due() for each in survivors))) == 0
    world.clock.forward(seconds=retry_policy.LEASE_MS / 1_000 + 1)
    assert sum(await asyncio.gather(*(each.deliver_due() for each in survivors))) == 3
    assert set(posts.ids.values()) == {1}


async def test_every_chore_at_once_beside_people_at_work(world: World, processes: list[Studio]):
    people = await labelers(world)
    name = await project(world, people=tuple(people), wanted=2)
    await batch(world, name, tasks=PEOPLE * 2)
    done = asyncio.Event()

    async def work(person: Person) -> int:
        submitted = claims = 0
        while given := await claim(person):
            claims += 1
            if claims == 2:  # in the middle of it, everybody's leases run out
                world.clock.forward(minutes=31)
            path = f"/work/{given['claim_id']}/submit"
            answered = await person.call("POST", path, {"response": {"category": "cat"}})
            assert answered.status_code in (200, 409), answered.text
            submitted += answered.status_code == 200
        return submitted

    async def chores(studio: Studio) -> None:
        while not done.is_set():
            for each in background.CHORES:
                await background.do(studio, each)

    beside = [asyncio.create_task(chores(studio)) for studio in processes]
    submitted = sum(await asyncio.gather(*(work(person) for person in people)))
    done.set()
    await asyncio.gather(*beside)
    assert submitted == PEOPLE * 2 * 2
    status = await world.ana.get("/batches/Monday/status")
    assert (status["status"], status["pending"], status["completed"]) == ("completed", 0, PEOPLE * 2)
    await is_sound(world)
