"""Teams and the people in them."""

from dataclasses import dataclass
from enum import StrEnum

from refonte_studio.db import Event
from refonte_studio.kit.caller import Role


class State(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Teammate:
    """A person in a team. The same address in two teams is two unrelated people."""

    id: str
    team_id: str
    email: str
    role: Role  # what they are, or are invited to be
    state: State
    first_name: str | None
    last_name: str | None
    company: str | None
    disable_rapid_emails: bool
    invite_expires_at: int | None


@dataclass(frozen=True, slots=True)
class TeammatesDisabled(Event):
    """These people may not do anything any more; their sessions and keys have ended."""

    team_id: str
    teammate_ids: tuple[str, ...]
    now: int


def email_key(email: str) -> str:
    """What makes an address unique within its team."""
    return email.strip().lower()
