"""Which names, addresses, roles and passwords are valid."""

import unicodedata
from collections.abc import Sequence
from functools import cache

from refonte_studio.kit.caller import Mode, Role
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import address_key, checked_text, is_address

PASSWORD_MIN = 12
PASSWORD_MAX = 1_000
LISTED = 10  # offending values shown in one message

GRANTABLE = (Role.LABELER, Role.MEMBER, Role.MANAGER)
"""Roles that the API can grant. Admins are created at set-up and through the CLI."""


def listed(values: Sequence[str]) -> str:
    """Formats offending values for an error message: the first few, and the number of the others."""
    more = f" and {len(values) - LISTED:,} more" if len(values) > LISTED else ""
    return ", ".join(shown(value) for value in values[:LISTED]) + more


def checked_addresses(emails: Sequence[str]) -> list[str]:
    """Returns the distinct addresses in canonical form. Raises BadInput naming every invalid one."""
    bad = [email for email in emails if not is_address(email)]
    if bad:
        raise BadInput(f"not {'an e-mail address' if len(bad) == 1 else 'e-mail addresses'}: {listed(bad)}")
    return list(dict.fromkeys(map(address_key, emails)))


def checked_role(name: str) -> Role:
    """Returns a role that the API may grant. Raises BadInput naming any other."""
    for role in GRANTABLE:
        if name == role.value:
            return role
    raise BadInput(f"team_role must be one of {', '.join(GRANTABLE)}, not {shown(name)}")


def checked_mode(name: str) -> Mode:
    """Returns the mode of a key. Raises BadInput naming any other value."""
    if name == "live":
        return "live"
    if name == "test":
        return "test"
    raise BadInput(f"mode must be live or test, not {shown(name)}")


def checked_name(field: str, text: str) -> str:
    """Returns the name of a person, team or key in canonical form. Raises BadInput naming the field and value."""
    return checked_text(field, text)


def checked_password(field: str, password: str) -> str:
    """Returns a valid new password. Raises BadInput, without showing the password."""
    length = len(unicodedata.normalize("NFC", password))
    if not PASSWORD_MIN <= length <= PASSWORD_MAX:
        raise BadInput(f"{field} must have {PASSWORD_MIN} to {PASSWORD_MAX:,} characters, not {length:,}")
    if unicodedata.normalize("NFC", password).casefold() in _common():
        raise BadInput(f"{field} is one of the most common passwords, which are guessed first; choose another")
    return password


@cache
def _common() -> frozenset[str]:
    """Common passwords of at least the minimum length."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # takes a moment, which commands without passwords do not need

    return frozenset(each for each in FREQUENCY_LISTS["passwords"] if len(each) >= PASSWORD_MIN)
