"""Hides what must not be shown: the user and the password in URLs, wherever a URL stands in a text."""

import re

HIDDEN_USER = "***"
LONGEST = (
    1_000  # characters of a user and a password; the bound keeps the search from going over a text again and again
)

# What stands between the two slashes and the last @ before the path. A password that holds a slash, which should have
# been percent-encoded, makes the first alternative fail; then a colon that no port follows gives it away.
_USER_INFORMATION = re.compile(
    rf"""(?<=//)(?:
        [^\s/?\#'"<>]{{0,{LONGEST}}}@
        | (?!\[)[^\s/?\#'"<>@]{{0,{LONGEST}}}:(?!\d*(?:[\s/?\#'"<>]|$))[^\s'"<>]{{0,{LONGEST}}}@
    )""",
    re.VERBOSE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,19}:")


def redacted(text: str) -> str:
    """The text, with the user information of every URL in it hidden."""
    return _USER_INFORMATION.sub(f"{HIDDEN_USER}@", text)


def scheme_hint(url: str) -> str:
    """How something begins that should have been the URL of a database, for the end of a message.

    What comes after that is not shown: where a URL is mistyped, any part of it may be the password.
    """
    scheme = _SCHEME.match(url)
    return f", not with {scheme[0]!r}" if scheme else "; this one has no scheme"
