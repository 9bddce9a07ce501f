"""Teams and the people in them."""

from dataclasses import dataclass
from enum import StrEnum

from refonte_studio.db import Event
from refonte_studio.db.records import Record
from refonte_studio.kit.caller import Caller, Mode, Role


class TeammateState(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"
    EXTERNAL = "external"  # an annotator whose answers were imported; not a teammate until invited


# How a teammate changes state. `restore` applies to people who had joined, `reopen` to people who had not; `invite` and
# `create` turn an external annotator into a teammate.
MOVES: dict[tuple[TeammateState, str], TeammateState] = {
    (TeammateState.INVITED, "renew"): TeammateState.INVITED,
    (TeammateState.INVITED, "accept"): TeammateState.ACTIVE,
    (TeammateState.INVITED, "disable"): TeammateState.DISABLED,
    (TeammateState.ACTIVE, "disable"): TeammateState.DISABLED,
    (TeammateState.DISABLED, "restore"): TeammateState.ACTIVE,
    (TeammateState.DISABLED, "reopen"): TeammateState.INVITED,
    (TeammateState.EXTERNAL, "invite"): TeammateState.INVITED,
    (TeammateState.EXTERNAL, "create"): TeammateState.ACTIVE,
}


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Teammate:
    """A person in a team, or an external annotator. The same address in two teams is two unrelated people."""

    id: str
    team_id: str
    email: str
    role: Role  # their role, or the role they are invited to
    state: TeammateState
    first_name: str | None
    last_name: str | None
    company: str | None
    disable_rapid_emails: bool
    invite_expires_at: int | None  # None once they join, and for people who never needed an invitation

    @property
    def joined(self) -> bool:
        """Whether they were ever active, whatever their state now."""
        return self.invite_expires_at is None and self.state is not TeammateState.EXTERNAL


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was just created or renewed. The token is not stored and cannot be shown again."""

    email: str
    role: Role
    team_name: str
    invited_by: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Roster:
    """All people of a team after a change, and the invitations that the change created."""

    teammates: list[Teammate]
    invitations: list[Invitation]


@dataclass(frozen=True, slots=True)
class SignInCandidate:
    """An active person with the address of a sign-in attempt. Only the password shows whether it is them."""

    teammate_id: str
    team_id: str
    team_name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person in a new session. The token is not stored and cannot be shown again."""

    teammate: Teammate
    team: Team
    token: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, without its secret."""

    id: str
    teammate_id: str
    mode: Mode
    name: str
    prefix: str
    created_at: int
    last_used_at: int | None
    maker_key_id: str | None  # the key that created this one; this one ends with it
    email: str  # of its holder


@dataclass(frozen=True, slots=True)
class TeammatesDisabled(Event):
    """These people lost all access; their sessions and keys have ended."""

    team_id: str
    teammate_ids: tuple[str, ...]
    now: int


# A caller from a row of a credential and its holder, wherever one is read.
CALLER = Record(Caller)
