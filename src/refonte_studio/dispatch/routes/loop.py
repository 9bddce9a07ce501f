"""The working loop: claims and submissions, each by the shortest way there is.

Evaluation tasks take another way than others. In projects that have any, every answer about a claim therefore comes on
a grid of time, whatever the task and however it went; see `kit/response_pacer.py`.

On PostgreSQL the common case is one statement, or two; what is not common goes the general way, in one transaction,
as everything does on SQLite.
"""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import msgspec

from refonte_studio.dispatch import service
from refonte_studio.dispatch.model import Assignment, ChecksFirst, Claim, PutDown, Submitted
from refonte_studio.dispatch.service import fast_path
from refonte_studio.kit.caller import Caller
from refonte_studio.kit.errors import Forbidden, StudioError, Unauthorized, Unavailable
from refonte_studio.kit.response_pacer import RequestPace, ResponsePacer
from refonte_studio.tasks import service as tasks
from refonte_studio.teams import service as teams
from refonte_studio.web import Call

T = TypeVar("T")


class Told(Protocol):
    """What answers may be about: something of a project that has evaluation tasks, or has none."""

    @property
    def held_back(self) -> str | None:
        """Whose answers come on the grid; None in a project without evaluation tasks."""
        ...


D = TypeVar("D", bound=Told)


async def _paced(pace: RequestPace, call: Call, done: Coroutine[Any, Any, tuple[T, str | None]]) -> T:
    """What comes of it; on the grid if the pace would tell of evaluation tasks, and if it fails too."""
    try:
        result, who = await done
    except (Unavailable, Unauthorized, Forbidden):
        raise
    except StudioError:
        who = await call.db.read(service.held_back, call.sign_in)
        if who is not None:
            await pace.hold(who)
        raise
    if who is not None:
        await pace.hold(who)
    return result


def _pace(call: Call) -> RequestPace:
    pacer: ResponsePacer = call.studio.services[ResponsePacer]
    return pacer.begin()


async def _told(done: Coroutine[Any, Any, D]) -> tuple[D, str | None]:
    result = await done
    return result, result.held_back


async def claim(call: Call, project: str | None, batch: str | None, lease_ms: int) -> Assignment | None:
    """Finds out who calls, and claims their next task; see `service.claim_next`."""
    return await _paced(_pace(call), call, _claim(call, project, batch, lease_ms))


async def _claim(
    call: Call, project: str | None, batch: str | None, lease_ms: int
) -> tuple[Assignment | None, str | None]:
    credential = call.hashed_credential
    if call.db.engine == "postgresql" and credential is not None:
        made = await call.db.single(fast_path.claim_at_once, credential, project, batch, lease_ms, call.now)
        if made is not None:
            with suppress(Unavailable):  # the claim is made; what is left only helps later ones
                await _after(call, made)
            return made.assignment, made.assignment.claim.held_back
    return await call.db.write(
        service.signed_in, call.sign_in, service.claim_or_rest, project, batch, lease_ms, call.now
    )


async def submit(call: Call, claim_id: str, response: tasks.SentResponse) -> Submitted:
    """Finds out who calls, and records their response; see `service.submit`. A large one is checked beforehand."""
    pace = _pace(call)
    return await _paced(pace, call, _told(_submit(pace, call, claim_id, response)))


async def extend(call: Call, claim_id: str, lease_ms: int) -> Claim:
    """Finds out who calls, and renews their lease; see `service.extend`."""
    done = call.db.write(service.signed_in, call.sign_in, service.extend, claim_id, lease_ms, call.now)
    return await _paced(_pace(call), call, _told(done))


async def skip(call: Call, claim_id: str, reason: str | None) -> PutDown:
    """Finds out who calls, and declines what they hold; see `service.skip`."""
    done = call.db.write(service.signed_in, call.sign_in, service.skip, claim_id, reason, call.now)
    return await _paced(_pace(call), call, _told(done))


async def release(call: Call, claim_id: str) -> PutDown:
    """Finds out who calls, and gives back what they hold; see `service.release`."""
    done = call.db.write(service.signed_in, call.sign_in, service.release, claim_id, call.now)
    return await _paced(_pace(call), call, _told(done))


async def _submit(pace: RequestPace, call: Call, claim_id: str, response: tasks.SentResponse) -> Submitted:
    """A large response is checked between two holds: what is done before the check and what is done after it are each
    on the grid, and the check itself does as much for an evaluation task as for another."""
    if not isinstance(response, msgspec.Raw):
        with suppress(ChecksFirst):
            return await _submit_small(call, claim_id, response)
    to_check, who = await call.db.read(service.to_check, call.sign_in, claim_id, call.now)
    checks: tasks.Checks = call.studio.services[tasks.Checks]
    if who is not None:
        await pace.hold(who)
    try:
        checked = await checks.check(to_check, response)
    finally:
        pace.begin_again()
    return await call.db.write(service.signed_in, call.sign_in, service.submit, claim_id, checked, call.now)


async def _submit_small(call: Call, claim_id: str, response: dict[str, Any]) -> Submitted:
    credential = call.hashed_credential
    if call.db.engine == "postgresql" and credential is not None:
        held = await call.db.single(fast_path.in_hand, credential, claim_id, call.now)
        if held is not None:
            done = await call.db.single(fast_path.submit_at_once, held, response, call.now)
            if done is not None:
                with suppress(Unavailable):  # it is recorded
                    await _touch(call, held.caller, held.key_is_stale)
                return done
    return await call.db.write(service.signed_in, call.sign_in, service.submit, claim_id, response, call.now)


async def _after(call: Call, made: fast_path.AtOnce) -> None:
    if made.advances_cursor:
        await call.db.single(service.advance_cursor, made.caller, made.batch_id)
    if made.looks_back:
        await call.db.write(service.look_back, made.caller, made.batch_id)
    await _touch(call, made.caller, made.key_is_stale)


async def _touch(call: Call, caller: Caller, is_stale: bool) -> None:
    if is_stale and caller.key_id is not None:
        await call.db.write(teams.touch_key, caller.team_id, caller.key_id, call.now)
