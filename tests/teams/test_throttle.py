"""Which sign-ins are slowed down, and which are not."""

from tests.teams.makers import PASSWORD, joined
from tests.world import World

EVE = "eve@x.test"
WRONG = "a wrong password"


async def sign_in(world: World, client: str, email: str = EVE, password: str = WRONG) -> int:
    async with world.client(client) as http:
        answer = await http.post("/v1/session", json={"email": email, "password": password})
    if answer.status_code == 429:
        assert int(answer.headers["retry-after"]) > 0
    return answer.status_code


async def test_the_owner_of_an_address_signs_in_while_somebody_else_hammers_it(world: World):
    await joined(world, EVE)
    for _ in range(20):
        await sign_in(world, "198.51.100.1")
    assert await sign_in(world, "198.51.100.1", password=PASSWORD) == 429
    assert await sign_in(world, "203.0.113.9", password=PASSWORD) == 200


async def test_the_pause_grows_with_each_failure(world: World):
    for _ in range(10):
        assert await sign_in(world, "198.51.100.1") == 401
    for seconds in (30, 60, 120):
        world.clock.forward(seconds=seconds - 1)
        assert await sign_in(world, "198.51.100.1") == 429
        world.clock.forward(seconds=1)
        assert await sign_in(world, "198.51.100.1") == 401


async def test_one_client_that_tries_many_addresses_is_slowed_down(world: World):
    statuses = [await sign_in(world, f"2001:db8::{n}", f"person{n}@x.test") for n in range(40)]
    assert statuses == [401] * 30 + [429] * 10
    assert await sign_in(world, "2001:db8:0:1::1") == 401, "a client of another network is not"


async def test_many_clients_that_guess_one_address_are_slowed_down(world: World):
    await joined(world, EVE)
    statuses = [await sign_in(world, f"198.51.100.{n}") for n in range(60)]
    assert statuses == [401] * 50 + [429] * 10
    world.clock.forward(seconds=1)
    assert await sign_in(world, "203.0.113.9", password=PASSWORD) == 200, "the owner waits no longer than seconds"
