"""Request and response types of teams, people and keys."""

from msgspec import UNSET, Struct, UnsetType, field

from refonte_studio.kit.caller import ALLOWED, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.teams.model import Key, Role, Team, Teammate, TeammateState

# People and objects in the examples of the API reference.
ANA = {
    "email": "ana@example.com",
    "role": "admin",
    "disableRapidEmails": False,
    "isStudioLabeler": False,
    "firstName": "Ana",
    "lastName": "Ruiz",
}
BEN = {"email": "ben@example.com", "role": "labeler", "disableRapidEmails": False, "isStudioLabeler": True}
BEN_INVITED = {**BEN, "role": "invited", "expiry": "2026-08-16T16:12:38.072Z"}
SESSION = {
    "teammate": ANA,
    "team": {"id": "019c1f3e8400a1b2c3d4e5f6", "name": "Refonte"},
    "role": "admin",
    "permissions": ["people", "manage", "read", "work", "self"],
    "mode": "live",
    "csrf_token": "5f0c1d7f8f1fd1b3a0a7c5f3b2f5a6c7d8e9f001",
}
KEY = {
    "id": "019c1f3e8400a1b2c3d4e5f7",
    "name": "import script",
    "mode": "live",
    "prefix": "live_Vd2pA",
    "created_at": "2026-08-09T16:12:38.072Z",
}

KEY_SHOWN = {**KEY, "email": "ana@example.com", "last_used_at": "2026-08-10T08:00:12.000Z"}


class TeammateOut(Struct, omit_defaults=True, kw_only=True):
    """A person of the team. `role` is admin, manager, member, labeler, disabled or invited."""

    email: str
    role: str
    disable_rapid_emails: bool = field(name="disableRapidEmails")
    is_studio_labeler: bool = field(name="isStudioLabeler")
    first_name: str | UnsetType = field(name="firstName", default=UNSET)
    last_name: str | UnsetType = field(name="lastName", default=UNSET)
    company: str | UnsetType = UNSET
    expiry: str | UnsetType = UNSET
    invite_url: str | UnsetType = field(name="inviteUrl", default=UNSET)

    @classmethod
    def of(cls, person: Teammate, invite_url: str | None = None) -> "TeammateOut":
        invited = person.state is TeammateState.INVITED and person.invite_expires_at is not None
        return cls(
            email=person.email,
            role=(person.role if person.state is TeammateState.ACTIVE else person.state).value,
            disable_rapid_emails=person.disable_rapid_emails,
            is_studio_labeler=person.role is Role.LABELER,
            first_name=person.first_name or UNSET,
            last_name=person.last_name or UNSET,
            company=person.company or UNSET,
            expiry=iso(person.invite_expires_at or 0) if invited else UNSET,
            invite_url=invite_url or UNSET,
        )


class TeamOut(Struct):
    id: str
    name: str


class SessionOut(Struct, omit_defaults=True, kw_only=True):
    """The caller and their permissions. `csrf_token` is present in a cookie session only."""

    teammate: TeammateOut
    team: TeamOut
    role: str
    permissions: list[str]
    mode: str
    csrf_token: str | UnsetType = UNSET

    @classmethod
    def of(cls, person: Teammate, team: Team, mode: str, csrf_token: str | None) -> "SessionOut":
        return cls(
            teammate=TeammateOut.of(person),
            team=TeamOut(team.id, team.name),
            role=person.role.value,
            permissions=[permission.value for permission in Permission if permission in ALLOWED[person.role]],
            mode=mode,
            csrf_token=csrf_token or UNSET,
        )


class KeyOut(Struct, omit_defaults=True, kw_only=True):
    """An API key. `prefix` is the start of the key, `email` the address of its holder."""

    id: str
    name: str
    mode: str
    prefix: str
    created_at: str
    email: str
    last_used_at: str | UnsetType = UNSET
    maker_key_id: str | UnsetType = UNSET

    @classmethod
    def of(cls, key: Key) -> "KeyOut":
        return cls(
            id=key.id,
            name=key.name,
            mode=key.mode,
            prefix=key.prefix,
            created_at=iso(key.created_at),
            email=key.email,
            last_used_at=iso(key.last_used_at) if key.last_used_at is not None else UNSET,
            maker_key_id=key.maker_key_id or UNSET,
        )


class NewKeyOut(Struct, kw_only=True):
    """A new API key. `key` is the key itself, shown only once."""

    id: str
    key: str
    name: str
    mode: str
    prefix: str
    created_at: str
