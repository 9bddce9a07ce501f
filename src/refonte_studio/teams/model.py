"""Teams and the people in them."""

from dataclasses import dataclass
from enum import StrEnum

from refonte_studio.db import Event
from refonte_studio.kit.caller import Mode, Role


class TeammateState(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"
    EXTERNAL = "external"  # an annotator whose answers came from elsewhere; no teammate until invited


# How a teammate moves from state to state. `restore` is for those who had joined, `reopen` for those who never did;
# `invite` and `create` make a teammate of an external annotator.
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
    role: Role  # what they are, or are invited to be
    state: TeammateState
    first_name: str | None
    last_name: str | None
    company: str | None
    disable_rapid_emails: bool
    invite_expires_at: int | None  # None from the moment they join, and for those who never needed an invitation

    @property
    def joined(self) -> bool:
        """Whether they ever became active, whatever they are now."""
        return self.invite_expires_at is None and self.state is not TeammateState.EXTERNAL


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation just made or renewed. The token is not kept and cannot be shown again."""

    email: str
    role: Role
    team_name: str
    invited_by: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody of a team, after a change that may have sent out invitations."""

    teammates: list[Teammate]
    invitations: list[Invitation]


@dataclass(frozen=True, slots=True)
class SignInCandidate:
    """An active person with the address that somebody signs in with; whether it is them, the password tells."""

    teammate_id: str
    team_id: str
    team_name: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person in a new session. The token is not kept and cannot be shown again."""

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
    maker_key_id: str | None  # the key that made it, with which it ends
    email: str  # of its holder


@dataclass(frozen=True, slots=True)
class TeammatesDisabled(Event):
    """These people may not do anything any more; their sessions and keys have ended."""

    team_id: str
    teammate_ids: tuple[str, ...]
    now: int
