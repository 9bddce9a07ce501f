"""Example calls of teammates, accounts and API keys."""

from refonte_studio.teams import service as teams
from tests.contract.examples.makers import NUMBERS, PASSWORD, somebody
from tests.contract.examples.requests import Request, example, variant
from tests.world import Person, World


@example
async def list_teammates(world: World, person: Person) -> Request:
    return Request()


@example
async def invite_teammates(world: World, person: Person) -> Request:
    return Request(params={"emails": [f"new{next(NUMBERS)}@example.com"], "team_role": "labeler"})


@example
async def set_teammate_role(world: World, person: Person) -> Request:
    return Request(params={"emails": [(await somebody(world)).email], "team_role": "member"})


@example
async def disable_teammates(world: World, person: Person) -> Request:
    return Request(params={"emails": [(await somebody(world)).email]})


@example
async def accept_invitation(world: World, person: Person) -> Request:
    email = f"new{next(NUMBERS)}@example.com"
    team = await world.ana.post("/teams/invite", {"emails": [email], "team_role": "labeler"})
    link = next(each["inviteUrl"] for each in team if each["email"] == email)
    token = link.rpartition("/")[2]
    return Request(params={"token": token, "first_name": "Eve", "last_name": "Stone", "password": PASSWORD})


@example
async def set_up(world: World, person: Person) -> Request:
    """There are teams already, so no set-up link works."""
    who = {"email": "new@example.com", "first_name": "Eve", "last_name": "Stone", "password": PASSWORD}
    return Request(params={"token": "used", "team": "Third", **who})


@example
async def sign_in(world: World, person: Person) -> Request:
    accepting = await accept_invitation(world, person)
    assert accepting.params is not None
    async with world.client() as client:
        joined = await client.post("/v1/invitations/accept", json=accepting.params)
    return Request(params={"email": joined.json()["email"], "password": PASSWORD})


@example
async def who_am_i(world: World, person: Person) -> Request:
    return Request()


@example
async def sign_out(world: World, person: Person) -> Request:
    return Request()


@example
async def change_password(world: World, person: Person) -> Request:
    """People of the tests' world have no password, so the present one is wrong."""
    return Request(params={"current_password": PASSWORD, "new_password": "wrong mule generator"})


@example
async def create_key(world: World, person: Person) -> Request:
    return Request(params={"mode": "live", "name": "script"})


@example
async def list_keys(world: World, person: Person) -> Request:
    return Request()


@variant("list_keys")
async def list_keys_of_everybody(world: World, person: Person) -> Request:
    return Request(params={"all": True})


@example
async def revoke_key(world: World, person: Person) -> Request:
    key_id, _ = await world.db.write(teams.create_key, person.team_id, person.id, "live", "spare", world.clock())
    return Request({"id": key_id})
