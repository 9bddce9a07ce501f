"""Who makes a request, and what each role may do."""

import hmac
from dataclasses import dataclass, field
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
class HashedCredential:
    """What a caller presented, hashed as the database stores it. It may belong to nobody."""

    kind: Literal["key", "session"]
    secret_hash: str


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated teammate, in the mode (live or test) of their key."""

    team_id: str
    teammate_id: str
    email: str
    role: Role
    mode: Mode
    key_id: str | None = None  # None for a browser session
    session_hash: str | None = None
    alias_key: str = field(default="", repr=False)  # the secret of the team's pseudonyms for tasks

    def may(self, permission: Permission) -> bool:
        return permission in ALLOWED[self.role]

    def id_of(self, task_id: str) -> str:
        """Returns the id by which this person knows a task: its own id if they may read tasks, otherwise a pseudonym.

        A pseudonym is stable per person and task and looks like an id, but has no order. A real id reveals when its
        task was created, and so which tasks are evaluation tasks.
        """
        if self.may(Permission.READ):
            return task_id
        assert self.alias_key, "every team has a key for its pseudonyms"
        return hmac.digest(self.alias_key.encode(), f"{self.teammate_id}/{task_id}".encode(), "sha256").hex()[:24]
