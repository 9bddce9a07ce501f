"""Hides the user and the password in URLs, wherever a URL occurs in a text."""

import re

HIDDEN_USER = "***"
LONGEST = 1_000  # characters of a user and password; without a bound, the search could take quadratic time

# Matches the text between the two slashes and the last @ before the path. The first alternative fails if a password
# contains a slash, which should be percent-encoded; in that case, a colon that is not followed by a port identifies it.
_USER_INFORMATION = re.compile(
    rf"""(?<=//)(?:
        [^\s/?\#'"<>]{{0,{LONGEST}}}@
        | (?!\[)[^\s/?\#'"<>@]{{0,{LONGEST}}}:(?!\d*(?:[\s/?\#'"<>]|$))[^\s'"<>]{{0,{LONGEST}}}@
    )""",
    re.VERBOSE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,19}:")


def redacted(text: str) -> str:
    """Returns the text with the user information of every URL hidden."""
    return _USER_INFORMATION.sub(f"{HIDDEN_USER}@", text)


def scheme_hint(url: str) -> str:
    """Returns the end of an error message about a database URL: its scheme, if it has one.

    The rest of the URL is not shown: in a mistyped URL, any part may be the password.
    """
    scheme = _SCHEME.match(url)
    return f", not with {scheme[0]!r}" if scheme else "; this one has no scheme"
