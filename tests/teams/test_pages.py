"""The web pages of invitations and of the set-up."""

import re

import pytest

from tests.world import World


@pytest.mark.parametrize("page", ["invite", "setup"])
async def test_a_page_is_whole_in_itself_and_lets_nothing_else_in(world: World, page: str):
    response = await world.http.get(f"/{page}/some-token")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', response.text))
    assert f"'nonce-{nonce}'" in policy
    assert 'data-token="some-token"' in response.text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', response.text)
    assert nonce not in (await world.http.get(f"/{page}/some-token")).text


@pytest.mark.parametrize("page", ["invite", "setup"])
async def test_a_token_cannot_bring_markup_into_the_page(world: World, page: str):
    response = await world.http.get(f"/{page}/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert response.status_code == 200
    assert "<script>alert" not in response.text
    assert "&lt;script&gt;" in response.text


@pytest.mark.parametrize("page", ["invite", "setup"])
async def test_every_field_has_its_label(world: World, page: str):
    html = (await world.http.get(f"/{page}/t")).text
    for field in re.findall(r'<input id="(\w+)"', html):
        assert f'<label for="{field}">' in html


async def test_the_set_up_page_asks_for_a_team_and_the_invitation_does_not(world: World):
    assert 'name="team"' in (await world.http.get("/setup/t")).text
    assert 'name="team"' not in (await world.http.get("/invite/t")).text
