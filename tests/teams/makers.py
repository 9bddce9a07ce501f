"""Makes people with passwords and browsers."""

from typing import Any

import httpx

from tests.world import Person, World, ok

PASSWORD = "correct horse battery"


class Browser:
    """A client with cookies, which sends the CSRF token that it received."""

    def __init__(self, world: World) -> None:
        self.http = world.client()
        self.csrf: str | None = None

    async def call(self, method: str, path: str, body: Any = None, *, csrf: bool = True) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf} if csrf and self.csrf else {}
        return await self.http.request(method, f"/v1{path}", json=body, headers=headers)

    async def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        response = await self.call("POST", "/session", {"email": email, "password": password, **more})
        if response.status_code == 200:
            self.csrf = response.json()["csrf_token"]
        return response

    async def signed_in(self) -> bool:
        return (await self.call("GET", "/session")).status_code == 200


async def invited(world: World, email: str, role: str = "labeler", by: Person | None = None) -> str:
    """Invites an address; the token of the link."""
    team = await (by or world.ana).post("/teams/invite", {"emails": [email], "team_role": role})
    return person(team, email)["inviteUrl"].rpartition("/")[2]


async def accept(world: World, token: str, **changes: Any) -> httpx.Response:
    """Accepts an invitation from a new client; the response."""
    body = {"token": token, "first_name": "Eve", "last_name": "Stone", "password": PASSWORD, **changes}
    async with world.client() as client:
        return await client.post("/v1/invitations/accept", json=body)


async def joined(world: World, email: str, role: str = "labeler", by: Person | None = None) -> Browser:
    """Invites somebody, accepts for them and signs them in."""
    ok(await accept(world, await invited(world, email, role, by)))
    browser = Browser(world)
    ok(await browser.sign_in(email))
    return browser


def person(team: list[dict[str, Any]], email: str) -> dict[str, Any]:
    """The one teammate of this address."""
    (found,) = [teammate for teammate in team if teammate["email"] == email]
    return found
