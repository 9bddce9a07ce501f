"""The demo's people."""

from dataclasses import dataclass

from refonte_studio.config import Settings
from refonte_studio.db import Database, Tx
from refonte_studio.demo.api import Api
from refonte_studio.demo.story import DAYS, Clock, Story
from refonte_studio.kit.caller import Role
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.kit.ids import new_secret
from refonte_studio.main import build
from refonte_studio.teams import service as teams
from refonte_studio.teams.passwords import hash_password

TEAM = "Demo"
PEOPLE = (
    ("ana", "Ana", "Torres", Role.ADMIN),
    ("max", "Max", "Weber", Role.MANAGER),
    ("mia", "Mia", "Chen", Role.MEMBER),
    ("ben", "Ben", "Okafor", Role.LABELER),
    ("dee", "Dee", "Larsen", Role.LABELER),
    ("gus", "Gus", "Moreau", Role.LABELER),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the demo. Password and key are kept nowhere else."""

    email: str
    role: Role
    password: str
    key: str


async def make(db: Database, settings: Settings, now: int) -> list[Member]:
    """Makes the team and its last days, through the API. Raises Conflict if there is a team of that name."""
    clock = Clock(now - DAYS * DAY_MS)
    passwords = {name: new_secret() for name, *_ in PEOPLE}
    hashes = {name: hash_password(password) for name, password in passwords.items()}
    keys = await db.write(_begin, hashes, clock.now)
    api = Api(build(db, settings, clock))
    try:
        await Story(api, clock, keys).tell()
    finally:
        await api.close()
    return [Member(email_of(name), role, passwords[name], keys[name]) for name, _, _, role in PEOPLE]


async def _begin(tx: Tx, hashes: dict[str, str], now: int) -> dict[str, str]:
    """The team and its people; answers their keys."""
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


def email_of(name: str) -> str:
    """An address that is nobody's: the ending is reserved for examples."""
    return f"{name}@demo.example"
