"""Warnings about forwarding headers that the server is not configured to trust."""

import pytest

from refonte_studio.db import Database
from tests.world import Clock, World

HEADERS = {"X-Forwarded-For": "198.51.100.1"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/session"), ("POST", "/work/claim")])
async def test_headers_that_are_not_trusted_are_reported_once_an_hour(
    world: World, caplog: pytest.LogCaptureFixture, method: str, path: str
):
    assert "warnings" not in (await world.http.get("/readyz")).json()
    for _ in range(3):
        await world.ben.call(method, path, headers=HEADERS)
    answer = await world.http.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert "STUDIO_TRUSTED_PROXIES" in answer.json()["warnings"][0]
    assert caplog.text.count("requests from 127.0.0.1 carry forwarding headers") == 1
    world.clock.forward(minutes=61)
    assert "warnings" not in (await world.http.get("/readyz")).json()


async def test_headers_of_a_trusted_proxy_are_as_they_should_be(db: Database, caplog: pytest.LogCaptureFixture):
    world = await World.make(db, Clock(), trusted_proxies="127.0.0.0/8")
    await world.ben.call("GET", "/session", headers=HEADERS)
    assert "warnings" not in (await world.http.get("/readyz")).json()
    assert "forwarding headers" not in caplog.text
    await world.close()
