"""Names that people give to things, and e-mail addresses: their one form, and what they may be.

Everything that has a name is kept in the form that `name_key` gives, and an address in that of `address_key`. Two names
that are equal in this form name the same thing, wherever they come in: in a path, a body, a filter or an import.
Whoever looks something up uses these two, which never fail: what nothing can be called is simply not found. Whoever
makes something uses `checked_text`, `checked_name` or `checked_address`, which refuse what cannot be a name.
"""

import re
import unicodedata
from functools import lru_cache

import idna

from refonte_studio.kit.errors import BadInput, shown

NAME_LIMIT = 200
ADDRESS_LIMIT = 254

# Characters that show nothing although they are neither spaces nor controls: Unicode's default-ignorable ones, and
# blanks that count as letters or symbols.
_BLANK = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LINE_BREAKS_AND_CONTROLS = ("Cc", "Zl", "Zp")
_ATEXT = frozenset("!#$%&'*+/=?^_`{|}~-")
_ASCII_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")


def name_key(name: str) -> str:
    """The form in which a name is kept and compared: without white space around it, composed (NFC)."""
    return name if name.isascii() and name == name.strip() else unicodedata.normalize("NFC", name.strip())


def is_visible(text: str) -> bool:
    """Whether a text holds a character that can be seen by itself: marks that combine with a letter cannot."""
    return any(unicodedata.category(one)[0] not in "CZM" or _is_drawn(one) for one in _BLANK.sub("", text))


def _is_drawn(character: str) -> bool:
    """Whether it is drawn for all that this version of Unicode knows: private, or of a later version."""
    unknown = unicodedata.category(character) in ("Co", "Cn")
    return unknown and ord(character) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(character) <= 0xFDEF


def checked_text(place: str, text: str, most: int = NAME_LIMIT) -> str:
    """A name, label, choice or tag in its one form. Raises BadInput naming the place and the value."""
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
    """The name of a thing that travels in paths, in its one form. Raises BadInput saying what is wrong with it."""
    kept = checked_text(f"the name of a {what}", name)
    if kept in (".", ".."):
        raise BadInput(f"a {what} must not be named {shown(name)}: no client could send it in a path")
    return kept


# ------------------------------------------------------------------------------------------- addresses


def address_key(email: str) -> str:
    """The form in which an address is kept and compared: in lower case, its domain in letters and not in Punycode."""
    return _address_key(email) if len(email) <= 2 * ADDRESS_LIMIT else _lower(email)


@lru_cache(maxsize=16_384)  # those of a crowd come again and again
def _address_key(email: str) -> str:
    local, at, domain = _lower(email).rpartition("@")
    try:
        return f"{local}{at}{_domain(domain)}"
    except UnicodeError:  # also what `idna` raises
        return f"{local}{at}{domain}"


def checked_address(email: str) -> str:
    """An e-mail address in its one form. Raises BadInput naming it."""
    if not is_address(email):
        raise BadInput(f"not an e-mail address: {shown(email)}")
    return address_key(email)


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address as people write them, of any script.

    Quoted local parts, comments and IP addresses as domains are left out on purpose.
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
    """Whether a name is meant to be an address, well-formed or not: something, an @, something, and no space."""
    before, at, after = name_key(name).partition("@")
    return bool(before and at and after) and "@" not in after and not any(map(str.isspace, name_key(name)))


def mailbox(email: str) -> str:
    """An address as mail servers take it: with its domain in ASCII."""
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{_ascii_domain(domain)}"
    except UnicodeError:
        return email


def person_key(label: str) -> str:
    """The one form of what a labeler is called: of an address as above, of any other name as `name_key` gives it."""
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
    """The domain with every label in letters. Raises UnicodeError for what cannot be one."""
    if _is_plain(domain):
        return domain
    labels = idna.uts46_remap(domain, std3_rules=False, transitional=False).split(".")
    return ".".join(label if _is_plain(label) else idna.ulabel(idna.alabel(label)) for label in labels)


def _ascii_domain(domain: str) -> str:
    """The domain with every label in ASCII. Raises UnicodeError for what cannot be one."""
    return ".".join(
        label if _is_plain(label) else idna.alabel(label).decode("ascii") for label in _domain(domain).split(".")
    )


def _is_plain(domain: str) -> bool:
    """Whether there is nothing in it that has a second form."""
    return domain.isascii() and "xn--" not in domain
