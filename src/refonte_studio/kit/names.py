"""Names and e-mail addresses: their canonical form, and which are valid.

Names are stored in the form that `name_key` returns, addresses in that of `address_key`. Two names that are equal in
this form refer to the same object wherever they occur: in a path, a body, a filter or an import. Look-ups use these two
functions, which never fail; an invalid name is simply not found. Code that creates objects uses `checked_text`,
`checked_name` or `checked_address`, which reject invalid names.
"""

import re
import unicodedata
from functools import lru_cache

import idna

from refonte_studio.kit.errors import BadInput, shown

NAME_LIMIT = 200
ADDRESS_LIMIT = 254

# Invisible characters that are neither spaces nor control characters: Unicode's default-ignorable ones, and blanks
# classified as letters or symbols.
_BLANK = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LINE_BREAKS_AND_CONTROLS = ("Cc", "Zl", "Zp")
_ATEXT = frozenset("!#$%&'*+/=?^_`{|}~-")
_ASCII_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")


def name_key(name: str) -> str:
    """Returns the form in which a name is stored and compared: composed (NFC), without surrounding white space."""
    return name if name.isascii() and name == name.strip() else unicodedata.normalize("NFC", name.strip())


def is_visible(text: str) -> bool:
    """Whether a text has a character that is visible by itself. Combining marks are not."""
    return any(unicodedata.category(one)[0] not in "CZM" or _is_drawn(one) for one in _BLANK.sub("", text))


def _is_drawn(character: str) -> bool:
    """Whether a character may be visible for all this version of Unicode knows: private use, or not yet assigned."""
    unknown = unicodedata.category(character) in ("Co", "Cn")
    return unknown and ord(character) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(character) <= 0xFDEF


def checked_text(place: str, text: str, most: int = NAME_LIMIT) -> str:
    """Returns a name, label, choice or tag in canonical form. Raises BadInput naming the field and the value."""
    kept = name_key(text)
    if not kept:
        raise BadInput(f"{place} must not be empty, but is {shown(text)}")
    for character in kept:
        category = unicodedata.category(character)
        if category in _LINE_BREAKS_AND_CONTROLS:
            raise BadInput(f"{place} must be one line without control characters, but is {shown(text)}")
        if category == "Cs":
            raise BadInput(f"{place} must be whole characters, but {shown(text)} holds half of one")
    if not is_visible(kept):
        raise BadInput(f"{place} must hold a visible character, but is {shown(text)}")
    if len(kept) > most:
        raise BadInput(f"{place} has at most {most:,} characters; {shown(text)} has {len(kept):,}")
    return kept


def checked_name(what: str, name: str) -> str:
    """Returns the canonical name of an object whose name is used in paths. Raises BadInput saying what is wrong."""
    kept = checked_text(f"the name of a {what}", name)
    if kept in (".", ".."):
        raise BadInput(f"a {what} must not be named {shown(name)}: no client could send it in a path")
    return kept


# ------------------------------------------------------------------------------------------- addresses


def address_key(email: str) -> str:
    """Returns the form in which an address is stored and compared: lower case, with the domain in Unicode, not
    Punycode."""
    return _address_key(email) if len(email) <= 2 * ADDRESS_LIMIT else _lower(email)


@lru_cache(maxsize=16_384)  # the addresses of a team recur
def _address_key(email: str) -> str:
    local, at, domain = _lower(email).rpartition("@")
    try:
        return f"{local}{at}{_domain(domain)}"
    except UnicodeError:  # including errors from `idna`
        return f"{local}{at}{domain}"


def checked_address(email: str) -> str:
    """Returns an e-mail address in canonical form. Raises BadInput naming it."""
    if not is_address(email):
        raise BadInput(f"not an e-mail address: {shown(email)}")
    return address_key(email)


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address as people write it, in any script.

    Quoted local parts, comments and IP addresses as domains are deliberately not accepted.
    """
    local, at, domain = _lower(text).rpartition("@")
    if not at or len(text) > 2 * ADDRESS_LIMIT or not all(_is_atom(part) for part in local.split(".")):
        return False
    try:
        wire = _ascii_domain(domain)
    except UnicodeError:
        return False
    labels = wire.split(".")
    return len(local) + 1 + len(wire) <= ADDRESS_LIMIT and all(_ASCII_LABEL.fullmatch(label) for label in labels)


def looks_like_address(name: str) -> bool:
    """Whether a name looks like an address, valid or not: text, one @, text, and no space."""
    before, at, after = name_key(name).partition("@")
    return bool(before and at and after) and "@" not in after and not any(map(str.isspace, name_key(name)))


def mailbox(email: str) -> str:
    """Returns an address as mail servers accept it, with the domain in ASCII."""
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{_ascii_domain(domain)}"
    except UnicodeError:
        return email


def person_key(label: str) -> str:
    """Returns the canonical form of a labeler's label: `address_key` of an address, `name_key` of any other name."""
    return address_key(label) if "@" in label else name_key(label)


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", name_key(text).lower())


def _is_atom(text: str) -> bool:
    return bool(text) and unicodedata.category(text[0])[0] != "M" and all(map(_is_atext, text))


def _is_atext(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _ATEXT
    return unicodedata.category(character)[0] in "LMN" and not _BLANK.match(character)


def _domain(domain: str) -> str:
    """Returns the domain with every label in Unicode. Raises UnicodeError if it is not a valid domain."""
    if _is_plain(domain):
        return domain
    labels = idna.uts46_remap(domain, std3_rules=False, transitional=False).split(".")
    return ".".join(label if _is_plain(label) else idna.ulabel(idna.alabel(label)) for label in labels)


def _ascii_domain(domain: str) -> str:
    """Returns the domain with every label in ASCII. Raises UnicodeError if it is not a valid domain."""
    return ".".join(
        label if _is_plain(label) else idna.alabel(label).decode("ascii") for label in _domain(domain).split(".")
    )


def _is_plain(domain: str) -> bool:
    """Whether the domain has only one possible spelling."""
    return domain.isascii() and "xn--" not in domain
