"""Names that people give to things, and that travel in paths and messages."""

import unicodedata

from refonte_studio.kit.errors import BadInput, shown

NAME_LIMIT = 200


def checked_name(what: str, name: str) -> str:
    """The name as it is. Raises BadInput if it is empty, only spaces, too long, or holds control characters."""
    if not name.strip():
        raise BadInput(f"the name of a {what} must not be empty, but is {shown(name)}")
    if len(name) > NAME_LIMIT:
        raise BadInput(f"the name of a {what} has at most {NAME_LIMIT} characters; {shown(name)} has {len(name):,}")
    if name in (".", ".."):
        raise BadInput(f"a {what} must not be named {shown(name)}: no client could send it in a path")
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise BadInput(f"the name of a {what} must hold no control characters, but is {shown(name)}")
    return name
