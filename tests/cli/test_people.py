"""Teams, people, passwords and keys on the command line."""

import pytest

from refonte_studio.db import Database
from refonte_studio.teams import service as teams
from refonte_studio.teams.service.passwords import verify_password
from tests.cli.run_commands import run_cli, run_failing_cli

PASSWORD = "correct horse battery"


@pytest.fixture
def at(database_url: str) -> tuple[str, str]:
    """The database of the test, as flags."""
    return "--database", database_url


def test_a_new_server_gets_a_team_an_admin_and_a_key(at: tuple[str, str]):
    run_cli("team", "create", "Refonte", *at)
    run_cli("user", "create", "ana@example.com", "--team", "Refonte", "--role", "admin", *at)
    key = run_cli("key", "create", "ana@example.com", "--mode", "live", *at)
    assert key.startswith("live_")
    assert key.count("\n") == 1, "the key, and nothing else"


async def test_a_password_comes_by_standard_input_and_is_stored_hashed(at: tuple[str, str], db: Database):
    import asyncio

    await asyncio.to_thread(run_cli, "team", "create", "Refonte", *at)
    make = ("user", "create", "ana@example.com", "--team", "Refonte", "--role", "manager", "--password-stdin", *at)
    said = await asyncio.to_thread(run_cli, *make, given=f"{PASSWORD}\n")
    assert PASSWORD not in said
    (candidate,) = await db.read(teams.candidates, "ana@example.com", "Refonte")
    assert candidate.password_hash.startswith("$argon2id$")
    assert verify_password(PASSWORD, candidate.password_hash)


def test_a_new_password_ends_the_keys(at: tuple[str, str]):
    ana(at)
    run_cli("key", "create", "ana@example.com", "--mode", "test", *at)
    run_cli("user", "password", "ana@example.com", "--password-stdin", *at, given=PASSWORD)
    assert len(run_cli("key", "list", "ana@example.com", *at).splitlines()) == 1, "the heading alone"


def test_a_short_password_is_refused_and_not_shown(at: tuple[str, str]):
    ana(at)
    said = run_failing_cli(1, "user", "password", "ana@example.com", "--password-stdin", *at, given="hunter2\n")
    assert said == "refonte-studio: the password must have 12 to 1,000 characters, not 7"


def test_a_password_on_the_command_line_is_not_a_thing(at: tuple[str, str]):
    ana(at)
    assert "--password-stdin" in run_failing_cli(2, "user", "password", "ana@example.com", *at)


def test_a_taken_address_and_a_taken_team_are_refused(at: tuple[str, str]):
    ana(at)
    said = run_failing_cli(1, "user", "create", "ANA@example.com", "--team", "Refonte", "--role", "labeler", *at)
    assert said == "refonte-studio: 'ANA@example.com' is a teammate already"
    assert run_failing_cli(1, "team", "create", "Refonte", *at) == "refonte-studio: there is a team 'Refonte' already"


def test_what_is_not_there_is_named(at: tuple[str, str]):
    ana(at)
    assert "'Nowhere'" in run_failing_cli(
        1, "user", "create", "x@example.com", "--team", "Nowhere", "--role", "member", *at
    )
    assert "'bob@example.com'" in run_failing_cli(1, "key", "create", "bob@example.com", "--mode", "live", *at)
    assert "'feed'" in run_failing_cli(1, "key", "revoke", "feed", *at)


def test_an_address_in_two_teams_needs_the_team(at: tuple[str, str]):
    ana(at)
    run_cli("team", "create", "Other", *at)
    run_cli("user", "create", "ana@example.com", "--team", "Other", "--role", "labeler", *at)
    assert "'Other'" in run_failing_cli(1, "key", "create", "ana@example.com", "--mode", "live", *at)
    assert run_cli("key", "create", "ana@example.com", "--mode", "live", "--team", "Other", *at).startswith("live_")


def test_a_revoked_key_leaves_the_list(at: tuple[str, str]):
    ana(at)
    run_cli("key", "create", "ana@example.com", "--mode", "live", "--name", "old robot", *at)
    run_cli("key", "create", "ana@example.com", "--mode", "test", "--name", "new robot", *at)
    _, newer, older = run_cli("key", "list", "ana@example.com", *at).splitlines()
    assert "new robot" in newer
    assert "test_" in newer
    run_cli("key", "revoke", older.split()[0], *at)
    assert "old robot" not in run_cli("key", "list", "ana@example.com", *at)


def test_the_command_line_makes_admins_and_keeps_the_last_one(at: tuple[str, str]):
    ana(at)
    run_cli("user", "create", "max@example.com", "--team", "Refonte", "--role", "labeler", *at)
    assert "at least one admin" in run_failing_cli(1, "user", "role", "ana@example.com", "--role", "member", *at)
    run_cli("user", "role", "max@example.com", "--role", "admin", *at)
    run_cli("user", "role", "ana@example.com", "--role", "member", *at)


def ana(at: tuple[str, str]) -> None:
    run_cli("team", "create", "Refonte", *at)
    run_cli("user", "create", "ana@example.com", "--team", "Refonte", "--role", "admin", *at)
