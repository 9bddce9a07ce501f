"""The people of the demo, and how their team is added to a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from refonte_studio.annotator_models.service import fitting_process
from refonte_studio.batches import service as batches
from refonte_studio.config import Settings
from refonte_studio.db import Database, Tx, transfer
from refonte_studio.db.engine import Duplicate
from refonte_studio.demo.api import Api
from refonte_studio.demo.story import DAYS, Clock, Story, email_of
from refonte_studio.kit.caller import Role
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.kit.errors import Conflict, NotFound
from refonte_studio.kit.ids import new_secret
from refonte_studio.main import build
from refonte_studio.teams import service as teams
from refonte_studio.teams.service.passwords import hash_password

TEAM = "Demo"
PEOPLE = (
    ("ana", "Ana", "Torres", Role.ADMIN),
    ("max", "Max", "Weber", Role.MANAGER),
    ("mia", "Mia", "Chen", Role.MEMBER),
    ("ben", "Ben", "Okafor", Role.LABELER),
    ("dee", "Dee", "Larsen", Role.LABELER),
    ("gus", "Gus", "Moreau", Role.LABELER),
    ("ida", "Ida", "Novak", Role.LABELER),
    ("jon", "Jon", "Silva", Role.LABELER),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the demo. Password and key are stored nowhere else."""

    email: str
    role: Role
    password: str
    key: str


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """The demo's team, ready to be added to a database."""

    people: Sequence[Member]
    contents: Sequence[transfer.Contents]


async def make(scratch: Database, settings: Settings, now: int) -> DemoTeam:
    """Creates the team and its history through the API, in an empty database that nothing else uses.

    A database in use is unsuitable: the server's background work would interfere with the history, for example by
    expiring claims whose leases ended days ago.
    """
    clock = Clock(now - DAYS * DAY_MS)
    passwords = {name: new_secret() for name, *_ in PEOPLE}
    hashes = {name: hash_password(password) for name, password in passwords.items()}
    keys = await scratch.write(_begin, hashes, clock.now)
    api = Api(build(scratch, settings, clock))
    try:
        await Story(api, clock, keys).tell()
    finally:
        await api.close()
    while await fitting_process.fit_next(scratch, clock, partial(fitting_process.here, scratch)):
        pass
    while await scratch.write(batches.fold_counts):
        pass
    people = [Member(email_of(name), role, passwords[name], keys[name]) for name, _, _, role in PEOPLE]
    return DemoTeam(people, await scratch.read(transfer.contents))


async def check_absent(tx: Tx) -> None:
    """Raises Conflict if a team with the demo's name exists."""
    try:
        await teams.find_team(tx, TEAM)
    except NotFound:
        return
    raise _taken()


async def put(db: Database, made: DemoTeam) -> None:
    """Adds the team to a database, as a whole or not at all. Raises Conflict if it already exists."""
    try:
        await db.write(transfer.put, made.contents)
    except Duplicate as error:
        raise _taken() from error


def _taken() -> Conflict:
    return Conflict(f"there is a team {TEAM!r} already; make another demo in another database")


async def _begin(tx: Tx, hashes: dict[str, str], now: int) -> dict[str, str]:
    """Creates the team and its people. Returns their keys."""
    team = await teams.create_team(tx, TEAM, now)
    keys: dict[str, str] = {}
    for name, first_name, last_name, role in PEOPLE:
        person_id = await teams.create_teammate(
            tx,
            team.id,
            email_of(name),
            role,
            now,
            password_hash=hashes[name],
            first_name=first_name,
            last_name=last_name,
        )
        _, keys[name] = await teams.create_key(tx, team.id, person_id, "live", "made with the demo", now)
    return keys
