"""The page about errors, from the classes that the server raises."""

from collections.abc import Iterator, Mapping

import refonte_studio.main
import refonte_studio.server.background
from refonte_studio.kit.errors import StudioError
from tests.reference.markdown import table

ROOTS = (refonte_studio.main, refonte_studio.server.background)  # imported, so that every error class is known

INTRO = """\
# Errors

Every error is JSON of one form, and a call that fails has changed nothing:

```json
{"status_code": 400, "error": "what was wrong, naming the offending value"}
```

Where several errors apply, 401 takes precedence over 403, 403 over 404, and 404 over 400. The answer to a rejected
import also has `lines`: the line numbers and errors of its first 100 bad lines.

"""

AFTER = """
## Which calls are safe to repeat

A 503 has changed nothing, with one exception: if its `error` says that the call may or may not be done, the connection
to the database was lost during the commit.

A call that got no answer, a 500 or a 503 can be sent again unchanged. `GET`, `PUT` and `DELETE` are idempotent, and so
are the `POST`s of assignments, batch groups, priorities, pipelines, claims and submissions, and every call of a
reviewer. A task that is created with a `unique_id` is created once: a second creation is answered with 409. Without a
`unique_id`, repeating a `POST` that creates something may create it twice.
"""

SETTINGS = "[setting](settings.md)"
# What each error means, and what its receiver does about it. A new class of error needs a line here.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "BadInput": (
        "The input is malformed, or a body or list names something that does not exist.",
        "Correct the input; the message names the value.",
    ),
    "MissingValue": (
        "A required parameter, or a required part of a response, is missing.",
        "Supply it; the message names it and its alternatives.",
    ),
    "OutboundRefused": (
        "The URL of a file to fetch is not on the public internet. (A callback to such a URL is recorded as failed.)",
        "Use a public host, or add the host to `STUDIO_INTERNAL_HOSTS`.",
    ),
    "Unauthorized": (
        "There is no valid key or session, or a `GET` that changes state came with a cookie.",
        "Send a key, or sign in again.",
    ),
    "Forbidden": (
        "The role may not do this; or a call with a cookie lacks its `X-CSRF-Token` or comes from another site's page; "
        "or a test key administers people or keys; or a key creates a key of the other mode.",
        "Ask an admin; use a live key or a session.",
    ),
    "NotFound": (
        "There is no such thing for this caller. Things of other teams, and of the other mode, do not exist for them.",
        "Check the name, and the key's mode.",
    ),
    "TooSlow": (
        "A body of more than 64 KB did not arrive within ten minutes.",
        "Use a faster connection, or send less at once.",
    ),
    "Conflict": (
        "It exists already, or somebody got there first: a taken name, a taken `unique_id`, a claim or a review that "
        "has ended.",
        "Read what is there; for a claim or a review, claim again.",
    ),
    "TooLarge": (
        "The body, a line of it, or a file is larger than the server accepts.",
        f"Send less, or raise the {SETTINGS}.",
    ),
    "TooMany": (
        "The caller exceeds their share, for example of sign-in attempts or of time for checking large responses.",
        "Wait for the seconds in `Retry-After`.",
    ),
    "Unavailable": (
        "The database is gone, locked, read-only, full or damaged: "
        "[the reasons](../how-to/run-a-server.md#when-the-database-fails).",
        "Repeat the call after the seconds in `Retry-After`.",
    ),
    "Overloaded": (
        "The server has [more work](../how-to/run-a-server.md#limits) than it can do in good time; it did nothing.",
        "Repeat the call after the seconds in `Retry-After`.",
    ),
}
# Answers that no class of error stands for.
OTHERS: Mapping[tuple[int, str], tuple[str, str]] = {
    (405, "(routing)"): ("The path exists, but not with this method.", "See `/docs` on the server."),
    (431, "(connection)"): ("Address and headers together exceed 64 KB.", "Put the parameters into the body."),
    (500, "(a bug)"): ("The server failed; its log says where.", "Report it."),
}


def _errors(base: type[StudioError] = StudioError) -> Iterator[type[StudioError]]:
    for error in base.__subclasses__():
        if error.__module__.startswith("refonte_studio."):
            yield error
        yield from _errors(error)


def document() -> str:
    known = {(error.status, f"`{error.__name__}`"): MEANINGS[error.__name__] for error in _errors()}
    rows = [(str(status), name, *words) for (status, name), words in sorted({**known, **OTHERS}.items())]
    return INTRO + table(("status", "in the code", "meaning", "what to do"), rows) + AFTER
