"""Who is calling, and what roles may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Mode = Literal["live", "test"]
MODES: tuple[Mode, ...] = ("live", "test")


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    MEMBER = "member"
    LABELER = "labeler"


class Permission(StrEnum):
    PEOPLE = "people"  # invite, set roles, disable
    MANAGE = "manage"  # projects, batches, tasks, files, groups, assignments, priorities, quality tasks
    READ = "read"  # teammates, assignments, metrics
    WORK = "work"  # claim, submit, skip, own history
    SELF = "self"  # one's own session, password and keys


ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: frozenset(Permission),
    Role.MEMBER: frozenset(Permission) - {Permission.PEOPLE},
    Role.LABELER: frozenset({Permission.WORK, Permission.SELF}),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller has shown, as the database knows it. It may be nobody's."""

    kind: Literal["key", "session"]
    secret_hash: str


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated teammate, in the world (live or test) that their key opens."""

    team_id: str
    teammate_id: str
    email: str
    role: Role
    mode: Mode
    key_id: str | None = None  # None: a browser session
    session_hash: str | None = None

    def may(self, permission: Permission) -> bool:
        return permission in ALLOWED[self.role]
