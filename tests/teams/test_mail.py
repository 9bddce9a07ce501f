"""Invitations by mail."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from refonte_studio.config import Settings
from refonte_studio.db import Database
from refonte_studio.kit.backoff import RetrySchedule
from refonte_studio.main import build
from refonte_studio.teams.service.mail import Mail, Mailer
from tests.teams.makers import accept, person
from tests.teams.smtp import CERTIFICATE, MailServer
from tests.world import BASE, START_MS, Clock, World, ok

INVITE = {"emails": ["eve@x.test", "kim@x.test"], "team_role": "labeler"}


def mail(to: str) -> Mail:
    return Mail(to, "Hello", "Good day.\n", START_MS)


@asynccontextmanager
async def studio(db: Database, **settings: object) -> AsyncIterator[tuple[World, Mailer]]:
    """A world that sends mail, and its mailer."""
    world = await World.make(db, Clock(), **settings)
    mailer = Mailer(world.settings)
    world.app = build(db, world.settings, world.clock, {Mailer: mailer})
    await world.http.aclose()
    world.http = world.client()
    yield world, mailer
    await mailer.close()
    await world.close()


@asynccontextmanager
async def mailer_to(server: MailServer, retry_after_s: tuple[float, ...] = (0.0, 0.0), **settings: object):
    mailer = Mailer(Settings(public_url=BASE, **{**server.settings, **settings}), RetrySchedule(retry_after_s))
    yield mailer
    await mailer.idle()
    await mailer.close()


async def test_each_invited_person_is_sent_a_link_that_works(db: Database):
    async with (
        MailServer() as server,
        studio(db, smtp_from="Studio <studio@x.test>", **server.settings) as (world, mailer),
    ):
        await world.ana.post("/teams/invite", INVITE)
        await mailer.idle()
        assert [message["To"] for message in server.inbox] == INVITE["emails"]
        (message, _) = server.inbox
        assert message["From"] == "Studio <studio@x.test>"
        assert message["Subject"] == "Join Refonte on Refonte Studio"
        assert message["Date"] == "Mon, 02 Feb 2026 02:40:00 -0000"
        text = message.get_content()
        assert "ana@example.com" in text
        assert "as a labeler" in text
        assert "2026-02-09 02:40" in text
        (token,) = re.findall(rf"{BASE}/invite/(\S+)", text)
        assert ok(await accept(world, token))["email"] == "eve@x.test"


async def test_with_a_mail_server_the_link_is_in_the_mail_alone(db: Database, caplog: pytest.LogCaptureFixture):
    async with MailServer() as server, studio(db, **server.settings) as (world, mailer):
        team = await world.ana.post("/teams/invite", INVITE)
        await mailer.idle()
        assert "inviteUrl" not in person(team, "eve@x.test")
        assert "/invite/" not in caplog.text.replace("/teams/invite", "")


async def test_a_refused_call_sends_nothing(db: Database):
    async with MailServer() as server, studio(db, **server.settings) as (world, mailer):
        await world.ana.refused(400, "POST", "/teams/invite", {**INVITE, "emails": ["eve@x.test", "nonsense"]})
        await world.ana.post("/teams/invite", {**INVITE, "emails": ["ben@example.com"]})
        await mailer.idle()
        assert server.connections == 0


async def test_a_dead_mail_server_fails_no_request_and_is_logged_with_the_address(
    db: Database, caplog: pytest.LogCaptureFixture
):
    async with MailServer() as server:
        pass
    async with studio(db, **server.settings) as (world, mailer):
        team = await world.ana.post("/teams/invite", INVITE)
        assert person(team, "eve@x.test")["role"] == "invited"
        await mailer.close()
        assert "eve@x.test, kim@x.test" in caplog.text
        assert "given up" in caplog.text


async def test_many_mails_go_over_one_connection():
    async with MailServer() as server, mailer_to(server) as mailer:
        await mailer.send([mail(f"p{n}@x.test") for n in range(50)])
        await mailer.idle()
        assert len(server.inbox) == 50
        assert server.connections == 1


async def test_what_is_refused_for_the_moment_is_tried_again_and_what_is_refused_for_good_is_not(
    caplog: pytest.LogCaptureFixture,
):
    async with MailServer(refusals=["451 come back later", "550 nobody here"]) as server:
        async with mailer_to(server) as mailer:
            await mailer.send([mail("grey@x.test"), mail("gone@x.test"), mail("fine@x.test")])
        assert [message["To"] for message in server.inbox] == ["fine@x.test", "grey@x.test"]
        assert "gone@x.test: 550" in caplog.text


async def test_after_a_few_tries_it_is_given_up(caplog: pytest.LogCaptureFixture):
    async with MailServer(refusals=["451 later"] * 3) as server:
        async with mailer_to(server) as mailer:
            await mailer.send([mail("grey@x.test")])
        assert server.connections == 3
        assert server.inbox == []
        assert "given up, not sent: grey@x.test" in caplog.text


async def test_the_mailer_takes_a_bounded_number_and_says_what_it_refuses(caplog: pytest.LogCaptureFixture):
    async with MailServer() as server, mailer_to(server) as mailer:
        await mailer.send([mail("too-many@x.test")] * 20_001)
        assert "too-many@x.test" in caplog.text
        assert server.connections == 0


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_over_tls_it_signs_in_and_sends(tls: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with MailServer(tls=tls) as server:
        async with mailer_to(server, (), smtp_user="studio@x.test", smtp_password="secret") as mailer:
            await mailer.send([mail("eve@x.test")])
        assert [message["To"] for message in server.inbox] == ["eve@x.test"]
        assert server.inbox[0]["From"] == "studio@x.test"
        assert any(command.startswith("AUTH PLAIN") for command in server.commands)
        if tls == "starttls":
            assert server.commands.index("STARTTLS") < [c[:4] for c in server.commands].index("AUTH")


async def test_a_server_that_nobody_vouches_for_is_sent_nothing(caplog: pytest.LogCaptureFixture):
    async with MailServer(tls="tls") as server:
        async with mailer_to(server, ()) as mailer:
            await mailer.send([mail("eve@x.test")])
        assert server.inbox == []
        assert "given up, not sent: eve@x.test" in caplog.text


async def test_without_the_starttls_that_was_asked_for_neither_mail_nor_password_travels():
    async with MailServer(tls="none") as server:
        async with mailer_to(server, (), smtp_tls="starttls", smtp_user="u", smtp_password="secret") as mailer:
            await mailer.send([mail("eve@x.test")])
        assert server.inbox == []
        assert not any(command.startswith("AUTH") for command in server.commands)


async def test_closing_waits_for_what_is_being_sent():
    async with MailServer() as server, mailer_to(server) as mailer:
        await mailer.send([mail("eve@x.test")])
        await mailer.close()
        assert len(server.inbox) == 1
