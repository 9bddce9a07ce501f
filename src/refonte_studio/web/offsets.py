"""Lists that clients page through by `offset`: each page starts where the one before it ended."""

from contextlib import suppress

import msgspec

from refonte_studio.db import page_ends
from refonte_studio.kit.errors import Unavailable
from refonte_studio.kit.ids import digest
from refonte_studio.kit.pages import PageCursor
from refonte_studio.web.operation import Call
from refonte_studio.web.params import Params

FARTHEST = 1_000_000_000  # longer than any list
_PAGING = frozenset({"offset", "limit", "next_token"})  # the parameters that may differ between pages of one list


async def page_cursor(call: Call, params: Params, offset: int | None, token: str | None) -> PageCursor:
    """Where the requested page starts. Call `checked_cursor` with it after looking up what the filters name."""
    if token is not None or not offset or offset > FARTHEST:
        return PageCursor(token, offset or 0)
    before = await call.db.read(
        page_ends.end_before, call.caller.team_id, _holder(call), _question(params), offset, call.now
    )
    return PageCursor(before) if before is not None else PageCursor(None, offset)


async def keep_page_end(call: Call, params: Params, offset: int | None, count: int, next_token: str | None) -> None:
    """Records where a page of `count` entries ended, if the client pages by `offset` and there are more pages."""
    if offset is None or next_token is None:
        return
    end = offset + count
    with suppress(Unavailable):  # this page is right all the same; the next one too, unless entries are added
        await call.db.write(
            page_ends.keep_end, call.caller.team_id, _holder(call), _question(params), end, next_token, call.now
        )


def _holder(call: Call) -> str:
    """The key or session that reads the list, so that two that read it at the same time do not interfere."""
    return call.caller.key_id or call.caller.session_hash or call.caller.teammate_id


def _question(params: Params) -> str:
    """A digest of the parameters that choose the entries of the list."""
    given = {name: getattr(params, name) for name in params.__struct_fields__ if name not in _PAGING}
    return digest(f"{type(params).__name__} {msgspec.json.encode(given).decode()}")
