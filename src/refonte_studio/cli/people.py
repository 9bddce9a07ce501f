"""The commands for teams, people and keys, for the owner of a server, who need not be a teammate."""

import sys
from typing import Annotated

import typer

from refonte_studio.cli.base import Data, DatabaseUrl, KeyMode, TeamName, plain, settings_of, with_database
from refonte_studio.db import Database
from refonte_studio.kit.caller import Role
from refonte_studio.kit.clock import iso, system_clock
from refonte_studio.kit.errors import BadInput
from refonte_studio.teams import service as teams
from refonte_studio.teams.model import TeammateState
from refonte_studio.teams.policy.accounts import checked_password
from refonte_studio.teams.service.passwords import hash_password

PASSWORD_READ_LIMIT = 10_000


team = plain(help="Teams, which are independent of each other on one server.")
user = plain(help="People, their roles and their passwords.")
key = plain(help="API keys, for programs.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@team.command("create")
def create_team(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Create an empty team."""

    async def work(db: Database) -> None:
        await db.write(teams.create_team, name, system_clock())

    with_database(settings_of(data=data, database=database), work)
    print(f"Created the team {name}.")


@user.command("create")
def create_user(
    email: Email,
    team_name: Annotated[str, typer.Option("--team", metavar="NAME", help="Their team.", show_default=False)],
    role: Annotated[Role, typer.Option(help="Their role in it.", show_default=False)],
    password_stdin: PasswordStdin = False,
    first_name: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    last_name: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Create an active teammate without an invitation.

    Without --password-stdin the person has no password; they can still be given API keys, and a password later.
    """
    password_hash = _password_hash() if password_stdin else None

    async def work(db: Database) -> None:
        found = await db.read(teams.find_team, team_name)
        await db.write(
            teams.create_teammate,
            found.id,
            email,
            role,
            system_clock(),
            password_hash=password_hash,
            first_name=first_name,
            last_name=last_name,
        )

    with_database(settings_of(data=data, database=database), work)
    print(f"Created {email} as a teammate of {team_name}, as {role}.")


@user.command("password")
def set_password(
    email: Email,
    password_stdin: PasswordStdin = False,
    team_name: TeamName = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Set a person's password. Ends their sessions and API keys."""
    if not password_stdin:
        raise typer.BadParameter("a password comes by standard input alone: add --password-stdin")
    password_hash = _password_hash()

    async def work(db: Database) -> None:
        person = await db.read(teams.find_person, email, team_name)
        if person.state is not TeammateState.ACTIVE:
            raise BadInput(f"{email} is {person.state}: only an active teammate has a password")
        await db.write(teams.set_password, person, password_hash, system_clock())

    with_database(settings_of(data=data, database=database), work)
    print(f"Set the password of {email}; earlier sessions and API keys have ended.")


@user.command("role")
def set_role(
    email: Email,
    role: Annotated[Role, typer.Option(help="Their new role.", show_default=False)],
    team_name: TeamName = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Give a person any role, including admin. Reactivates disabled people."""

    async def work(db: Database) -> None:
        person = await db.read(teams.find_person, email, team_name)
        await db.write(teams.appoint, person, role)

    with_database(settings_of(data=data, database=database), work)
    print(f"Made {email} {role}.")


@key.command("create")
def create_key(
    email: Email,
    mode: Annotated[KeyMode, typer.Option(help="The mode of the key.", show_default=False)],
    name: Annotated[str, typer.Option(metavar="NAME", help="The name of the key.")] = "made on the command line",
    team_name: TeamName = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Create an API key and print only the key. It cannot be shown again."""

    async def work(db: Database) -> str:
        person = await db.read(teams.find_person, email, team_name)
        _, made = await db.write(teams.create_key, person.team_id, person.id, mode.value, name, system_clock())
        return made

    print(with_database(settings_of(data=data, database=database), work))


@key.command("list")
def list_keys(
    email: Annotated[str | None, typer.Argument(metavar="EMAIL", show_default=False)] = None,
    team_name: TeamName = None,
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """List API keys, without their secrets, newest first.

    Lists the keys of one person, or of everybody in the team if no EMAIL is given.
    """

    async def work(db: Database) -> list[tuple[str, ...]]:
        if email is None:
            found = await db.read(teams.only_team) if team_name is None else await db.read(teams.find_team, team_name)
            listed = await db.read(teams.keys_of_team, found.id)
        else:
            person = await db.read(teams.find_person, email, team_name)
            listed = await db.read(teams.keys_of, person.team_id, person.id)
        return [
            (
                one.id,
                one.email,
                one.mode,
                one.prefix + "…",
                iso(one.created_at),
                iso(one.last_used_at) if one.last_used_at else "never",
                one.maker_key_id or "-",
                one.name,
            )
            for one in listed
        ]

    rows = with_database(settings_of(data=data, database=database), work)
    _print_table(("ID", "EMAIL", "MODE", "KEY", "MADE", "LAST USED", "MADE WITH", "NAME"), rows)


@key.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    data: Data = None,
    database: DatabaseUrl = None,
) -> None:
    """Revoke an API key, and the keys created with it, at once, by the id that `key list` shows."""

    async def work(db: Database) -> None:
        team_id = await db.read(teams.team_of_key, key_id)
        await db.write(teams.revoke_key, team_id, key_id, system_clock())

    with_database(settings_of(data=data, database=database), work)
    print(f"Revoked {key_id}.")


def _password_hash() -> str:
    """Returns the hash of the password on standard input, without its line end."""
    password = sys.stdin.read(PASSWORD_READ_LIMIT).removesuffix("\n").removesuffix("\r")
    return hash_password(checked_password("the password", password))


def _print_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
