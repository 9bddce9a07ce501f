"""The published client of this API family, `scaleapi`, on a live server: nothing but its address is changed."""

import pytest
from scaleapi import ScaleClient

from refonte_studio.kit.caller import Mode
from tests.live import LiveTeam, live, live_team  # noqa: F401 - fixtures
from tests.world import Person


def client_of(person: Person, url: str, mode: Mode = "live") -> ScaleClient:
    """The SDK in a person's hands."""
    return ScaleClient(person.keys[mode], api_instance_url=f"{url}/v1")


@pytest.fixture
def sdk(live_team: LiveTeam) -> ScaleClient:  # noqa: F811
    """The admin's client, in the live world."""
    return client_of(live_team.ana, live_team.server.url)


@pytest.fixture
def sdk_in_test(live_team: LiveTeam) -> ScaleClient:  # noqa: F811
    """The same admin's client, in the test world of the same team."""
    return client_of(live_team.ana, live_team.server.url, "test")


@pytest.fixture(params=["live", "test"])
def either(request: pytest.FixtureRequest, live_team: LiveTeam) -> ScaleClient:  # noqa: F811
    """The admin's client, once in each world, for what works the same in both."""
    return client_of(live_team.ana, live_team.server.url, request.param)
