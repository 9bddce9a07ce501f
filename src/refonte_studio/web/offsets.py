"""Lists that clients page through by `offset`: each page begins where the one before it ended."""

from contextlib import suppress

import msgspec

from refonte_studio.db import page_ends
from refonte_studio.kit.errors import Unavailable
from refonte_studio.kit.ids import digest
from refonte_studio.kit.pages import PageCursor
from refonte_studio.web.operation import Call
from refonte_studio.web.params import Params

FARTHEST = 1_000_000_000  # no list is so long
_PLACES = frozenset({"offset", "limit", "next_token"})  # what may differ between pages of one list


async def page_place(call: Call, params: Params, offset: int | None, token: str | None) -> PageCursor:
    """Where the page begins that a client asks for. `checked_cursor` checks it, once what the filters name is found."""
    if token is not None or not offset or offset > FARTHEST:
        return PageCursor(token, offset or 0)
    before = await call.db.read(
        page_ends.end_before, call.caller.team_id, _holder(call), _question(params), offset, call.now
    )
    return PageCursor(before) if before is not None else PageCursor(None, offset)


async def keep_page_end(call: Call, params: Params, offset: int | None, count: int, next_token: str | None) -> None:
    """Keeps where a page of so many entries ended, for a client that goes by `offset` and has more to read."""
    if offset is None or next_token is None:
        return
    place = offset + count
    with suppress(Unavailable):  # the page is right all the same, and so is the next one unless something is made
        await call.db.write(
            page_ends.keep_end, call.caller.team_id, _holder(call), _question(params), place, next_token, call.now
        )


def _holder(call: Call) -> str:
    """The key or session that reads: two that read at the same time do not meet."""
    return call.caller.key_id or call.caller.session_hash or call.caller.teammate_id


def _question(params: Params) -> str:
    """What the list is asked for, apart from the place in it."""
    given = {name: getattr(params, name) for name in params.__struct_fields__ if name not in _PLACES}
    return digest(f"{type(params).__name__} {msgspec.json.encode(given).decode()}")
