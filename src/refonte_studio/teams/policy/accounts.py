"""What names, addresses, roles and passwords may be."""

import unicodedata
from collections.abc import Sequence
from functools import cache

from refonte_studio.kit.caller import Mode, Role
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import address_key, checked_text, is_address

PASSWORD_MIN = 12
PASSWORD_MAX = 1_000
LISTED = 10  # offending values that one message names

GRANTABLE = (Role.LABELER, Role.MEMBER, Role.MANAGER)
"""What a teammate can be made through the API; admins are made at set-up and through the CLI."""


def listed(values: Sequence[str]) -> str:
    """Offending values in an error message, the first few of many."""
    more = f" and {len(values) - LISTED:,} more" if len(values) > LISTED else ""
    return ", ".join(shown(value) for value in values[:LISTED]) + more


def checked_addresses(emails: Sequence[str]) -> list[str]:
    """The addresses in their one form, each once. Raises BadInput naming every bad one."""
    bad = [email for email in emails if not is_address(email)]
    if bad:
        raise BadInput(f"not {'an e-mail address' if len(bad) == 1 else 'e-mail addresses'}: {listed(bad)}")
    return list(dict.fromkeys(map(address_key, emails)))


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
    """A person's, team's or key's name in its one form. Raises BadInput naming it."""
    return checked_text(field, text)


def checked_password(field: str, password: str) -> str:
    """A new password. Raises BadInput, without showing it."""
    length = len(unicodedata.normalize("NFC", password))
    if not PASSWORD_MIN <= length <= PASSWORD_MAX:
        raise BadInput(f"{field} must have {PASSWORD_MIN} to {PASSWORD_MAX:,} characters, not {length:,}")
    if unicodedata.normalize("NFC", password).casefold() in _common():
        raise BadInput(f"{field} is one of the most common passwords, which are guessed first; choose another")
    return password


@cache
def _common() -> frozenset[str]:
    """The common passwords that are long enough to be chosen here."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # takes a moment, which commands without passwords do not need

    return frozenset(each for each in FREQUENCY_LISTS["passwords"] if len(each) >= PASSWORD_MIN)
