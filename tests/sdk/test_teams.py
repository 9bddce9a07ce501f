"""Teammates, through the SDK."""

import pytest
from scaleapi import ScaleClient, Teammate, TeammateRole
from scaleapi.exceptions import ScaleInvalidRequest

from tests.live import LiveTeam


def by_email(teammates: list[Teammate]) -> dict[str, Teammate]:
    return {teammate.email: teammate for teammate in teammates}


def test_list_teammates(either: ScaleClient) -> None:
    team = by_email(either.list_teammates())
    assert {email: mate.role for email, mate in team.items()} == {
        "ana@example.com": "admin",
        "max@example.com": "manager",
        "mia@example.com": "member",
        "ben@example.com": "labeler",
        "dee@example.com": "labeler",
    }
    assert team["ben@example.com"].is_studio_labeler is True
    assert team["mia@example.com"].is_studio_labeler is False
    assert team["ana@example.com"].as_dict()["disableRapidEmails"] is False


def test_invite_teammates(sdk: ScaleClient) -> None:
    for role in (TeammateRole.Labeler, TeammateRole.Member, TeammateRole.Manager):
        emails = [f"{role.value}-{number}@example.com" for number in range(2)]
        team = by_email(sdk.invite_teammates(emails, role))
        for email in emails:
            assert team[email].role == "invited"
            assert team[email].expiry
            assert team[email].is_studio_labeler is (role is TeammateRole.Labeler)
    assert len(sdk.list_teammates()) == 11


def test_nobody_is_invited_as_admin(sdk: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest, match="admin"):
        sdk.invite_teammates(["eve@example.com"], TeammateRole.Admin)
    assert "eve@example.com" not in by_email(sdk.list_teammates())


def test_update_teammates_role(sdk: ScaleClient) -> None:
    team = by_email(sdk.update_teammates_role(["ben@example.com", "dee@example.com"], TeammateRole.Member))
    assert team["ben@example.com"].role == team["dee@example.com"].role == "member"

    team = by_email(team["ben@example.com"].update_teammate_role(TeammateRole.Labeler))
    assert team["ben@example.com"].role == "labeler"
    assert team["dee@example.com"].role == "member"


def test_an_admin_keeps_their_role(sdk: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest, match=r"ana@example\.com"):
        sdk.update_teammates_role(["ben@example.com", "ana@example.com"], TeammateRole.Member)
    assert by_email(sdk.list_teammates())["ben@example.com"].role == "labeler"


def test_teams_are_separate_worlds(sdk: ScaleClient, live_team: LiveTeam) -> None:
    sdk.invite_teammates(["only-here@example.com"], TeammateRole.Labeler)
    other = live_team.server.team()
    response = live_team.server.run(other.ana.get("/teams"))
    assert "only-here@example.com" not in {mate["email"] for mate in response}
