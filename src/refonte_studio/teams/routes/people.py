"""The team's people: listing, inviting, roles, disabling."""

import logging
from typing import ClassVar

from refonte_studio.kit.caller import Permission
from refonte_studio.kit.clock import DAY_MS
from refonte_studio.teams import service
from refonte_studio.teams.model import Roster
from refonte_studio.teams.routes.wire import ANA, BEN, BEN_INVITED, TeammateOut
from refonte_studio.teams.service import membership
from refonte_studio.teams.service.mail import Mailer, invitation_link, invitation_mail
from refonte_studio.web import Call, Operations, Params

operations = Operations("Teams")
log = logging.getLogger(__name__)


class InviteParams(Params):
    ALIASES: ClassVar = {"email": "emails"}

    emails: list[str]
    team_role: str


class SetRoleParams(Params):
    ALIASES: ClassVar = {"email": "emails"}

    emails: list[str]
    team_role: str


class DisableParams(Params):
    ALIASES: ClassVar = {"email": "emails"}

    emails: list[str]


@operations.add(
    "GET",
    "/v1/teams",
    may=Permission.READ,
    answer=list[TeammateOut],
    example_answer=[ANA, BEN],
)
async def list_teammates(call: Call, _params: Params) -> list[TeammateOut]:
    """List all teammates.

    Returns all active, invited and disabled people of the key's team, in the order in which they were added.
    """
    return [TeammateOut.of(person) for person in await call.db.read(service.team_members, call.caller.team_id)]


@operations.add(
    "POST",
    "/v1/teams/invite",
    may=Permission.PEOPLE,
    params=InviteParams,
    answer=list[TeammateOut],
    example={"emails": ["ben@example.com"], "team_role": "labeler"},
    example_answer=[ANA, {**BEN_INVITED, "inviteUrl": "http://localhost:8000/invite/hVd2pA8k1mZ"}],
)
async def invite_teammates(call: Call, params: InviteParams) -> list[TeammateOut]:
    """Invite teammates.

    Sends each new address an invitation by e-mail. An open invitation is renewed and sent again: the earlier link
    becomes invalid, and the new role applies. An active teammate stays unchanged; a disabled one is rejected, use
    `set_role` to bring them back. `team_role` is `labeler`, `member` or `manager`. If any address or the role is
    invalid, nobody is invited.

    Without a configured mail server, each newly invited person has an `inviteUrl`, the link to pass on. Returns all
    teammates.
    """
    settings = call.studio.settings
    roster = await call.db.write(
        membership.invite, call.caller, params.emails, params.team_role, call.now, settings.invitation_days * DAY_MS
    )
    return await _answer(call, roster)


@operations.add(
    "POST",
    "/v1/teams/set_role",
    may=Permission.PEOPLE,
    params=SetRoleParams,
    answer=list[TeammateOut],
    example={"emails": ["ben@example.com"], "team_role": "member"},
    example_answer=[ANA, {**BEN, "role": "member", "isStudioLabeler": False}],
)
async def set_teammate_role(call: Call, params: SetRoleParams) -> list[TeammateOut]:
    """Update teammates' role.

    Makes labelers, members, managers and disabled teammates a `labeler`, `member` or `manager`. Disabled teammates
    become active again; those who had never joined are invited again. For an open invitation, this sets the role to
    grant. If the list contains an admin or an unknown address, the response is 400 and nothing changes. Returns all
    teammates.
    """
    settings = call.studio.settings
    roster = await call.db.write(
        membership.set_role, call.caller, params.emails, params.team_role, call.now, settings.invitation_days * DAY_MS
    )
    return await _answer(call, roster)


@operations.add(
    "POST",
    "/v1/teams/disable",
    may=Permission.PEOPLE,
    params=DisableParams,
    answer=list[TeammateOut],
    example={"emails": ["ben@example.com"]},
    example_answer=[ANA, {**BEN, "role": "disabled"}],
)
async def disable_teammates(call: Call, params: DisableParams) -> list[TeammateOut]:
    """Disable teammates.

    Their sessions and API keys end at once and permanently, their claims return to the queue, and open invitations
    become invalid. The last admin of a team cannot be disabled. An unknown address gives 400, and nothing changes.
    Returns all teammates.
    """
    return await _answer(call, await call.db.write(membership.disable, call.caller, params.emails, call.now))


async def _answer(call: Call, roster: Roster) -> list[TeammateOut]:
    """Returns all teammates. Sends the invitations, or shows their links if there is no mail server."""
    mailer: Mailer = call.studio.services[Mailer]
    base_url = call.studio.settings.base_url
    links: dict[str, str] = {}
    if mailer.configured:
        await mailer.send([invitation_mail(invitation, base_url, call.now) for invitation in roster.invitations])
    else:
        links = {sent.email: invitation_link(base_url, sent.token) for sent in roster.invitations}
    for email, link in links.items():
        log.warning("no mail server is configured; the invitation of %s: %s", email, link)
    return [TeammateOut.of(person, links.get(person.email)) for person in roster.teammates]
