"""What names, addresses, roles and passwords may be."""

import re
import unicodedata
from collections.abc import Sequence

from refonte_studio.kit.caller import Mode, Role
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.teams.model import email_key

ADDRESS_LIMIT = 254
NAME_LIMIT = 200
PASSWORD_MIN = 8
PASSWORD_MAX = 1_000
LISTED = 10  # offending values that one message names

GRANTABLE = (Role.LABELER, Role.MEMBER, Role.MANAGER)
"""What a teammate can be made through the API; admins are made at set-up and through the CLI."""

# Plain addresses: dot-separated atoms, an @, dot-separated labels. Letters may be of any script; quoted local parts,
# comments and literal IP addresses are left out on purpose.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def listed(values: Sequence[str]) -> str:
    """Offending values in an error message, the first few of many."""
    more = f" and {len(values) - LISTED:,} more" if len(values) > LISTED else ""
    return ", ".join(shown(value) for value in values[:LISTED]) + more


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address as people write them."""
    return len(text) <= ADDRESS_LIMIT and _ADDRESS.fullmatch(text) is not None


def checked_addresses(emails: Sequence[str]) -> dict[str, str]:
    """The addresses by what makes them unique, each once, as first written. Raises BadInput naming every bad one."""
    bad = [email for email in emails if not is_address(email.strip(" "))]
    if bad:
        raise BadInput(f"not {'an e-mail address' if len(bad) == 1 else 'e-mail addresses'}: {listed(bad)}")
    found: dict[str, str] = {}
    for email in emails:
        found.setdefault(email_key(email), email.strip())
    return found


def checked_role(name: str) -> Role:
    """A role that may be granted through the API. Raises BadInput naming it."""
    for role in GRANTABLE:
        if name == role.value:
            return role
    raise BadInput(f"team_role must be one of {', '.join(GRANTABLE)}, not {shown(name)}")


def checked_mode(name: str) -> Mode:
    """A key's mode. Raises BadInput naming it."""
    if name == "live":
        return "live"
    if name == "test":
        return "test"
    raise BadInput(f"mode must be live or test, not {shown(name)}")


def checked_name(field: str, text: str) -> str:
    """A person's, team's or key's name without the spaces around it. Raises BadInput naming it."""
    name = text.strip()
    if not name:
        raise BadInput(f"{field} must not be empty")
    if len(name) > NAME_LIMIT:
        raise BadInput(f"{field} {shown(name)} is longer than {NAME_LIMIT} characters")
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name):
        raise BadInput(f"{field} {shown(name)} contains a control character")
    return name


def checked_password(field: str, password: str) -> str:
    """A new password. Raises BadInput, without showing it."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise BadInput(f"{field} must have {PASSWORD_MIN} to {PASSWORD_MAX:,} characters, not {len(password):,}")
    return password
