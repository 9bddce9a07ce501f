"""Runs the use-cases of claims and submissions: by the fast path if possible, and paced where evaluation tasks exist.

Evaluation tasks take longer than others. In projects that have any, every response about a claim is therefore
paced, whatever the task and the outcome; see `kit/response_pacer.py`.

Common cases take the fast path; see `dispatch/service/fast_path.py`. On PostgreSQL it has one statement or two, each in
its own transaction. All other cases take the general path. On SQLite, both paths run in one transaction.
"""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import msgspec

from refonte_studio.dispatch import service
from refonte_studio.dispatch.model import Claim, HeldTask, NeedsCheckFirst, ReturnedTask, Submitted
from refonte_studio.dispatch.service import fast_path
from refonte_studio.kit.caller import Caller, HashedCredential
from refonte_studio.kit.errors import Forbidden, StudioError, Unauthorized, Unavailable
from refonte_studio.kit.response_pacer import RequestPace, ResponsePacer
from refonte_studio.tasks import service as tasks
from refonte_studio.teams import service as teams
from refonte_studio.web import Call

T = TypeVar("T")


class PacedResult(Protocol):
    """A result of a project that has evaluation tasks, or has none."""

    @property
    def paced_for(self) -> str | None:
        """The teammate whose responses are paced; None in a project without evaluation tasks."""
        ...


D = TypeVar("D", bound=PacedResult)


async def _paced(pace: RequestPace, call: Call, done: Coroutine[Any, Any, tuple[T, str | None]]) -> T:
    """The result, or its error, delayed to a step of the pacer if its time could tell evaluation tasks apart."""
    try:
        result, who = await done
    except (Unavailable, Unauthorized, Forbidden):
        raise
    except StudioError:
        who = await call.db.read(service.paced_caller, call.sign_in)
        if who is not None:
            await pace.hold(who)
        raise
    if who is not None:
        await pace.hold(who)
    return result


def _pace(call: Call) -> RequestPace:
    pacer: ResponsePacer = call.studio.services[ResponsePacer]
    return pacer.begin()


async def _with_pacing(done: Coroutine[Any, Any, D]) -> tuple[D, str | None]:
    result = await done
    return result, result.paced_for


async def claim(call: Call, project: str | None, batch: str | None, lease_ms: int) -> HeldTask | None:
    """Finds out who calls, and claims their next task; see `service.claim_next`."""
    return await _paced(_pace(call), call, _claim(call, project, batch, lease_ms))


async def _claim(
    call: Call, project: str | None, batch: str | None, lease_ms: int
) -> tuple[HeldTask | None, str | None]:
    credential = call.hashed_credential
    if credential is not None and call.db.engine == "sqlite":
        return await call.db.write(
            fast_path.claim_on_sqlite, credential, call.sign_in, project, batch, lease_ms, call.now
        )
    if credential is not None:
        made = await call.db.single(fast_path.claim_on_postgresql, credential, project, batch, lease_ms, call.now)
        if made is not None:
            with suppress(Unavailable):  # the claim is made; what is left only helps later ones
                await _after(call, made)
            return made.task, made.task.claim.paced_for
    return await call.db.write(
        service.signed_in, call.sign_in, service.claim_and_pacing, project, batch, lease_ms, call.now
    )


async def submit(call: Call, claim_id: str, response: tasks.SentResponse) -> Submitted:
    """Finds out who calls, and records their response; see `service.submit`. A large one is checked beforehand."""
    pace = _pace(call)
    return await _paced(pace, call, _with_pacing(_submit(pace, call, claim_id, response)))


async def extend(call: Call, claim_id: str, lease_ms: int) -> Claim:
    """Finds out who calls, and renews their lease; see `service.extend`."""
    done = call.db.write(service.signed_in, call.sign_in, service.extend, claim_id, lease_ms, call.now)
    return await _paced(_pace(call), call, _with_pacing(done))


async def skip(call: Call, claim_id: str, reason: str | None) -> ReturnedTask:
    """Finds out who calls, and declines what they hold; see `service.skip`."""
    done = call.db.write(service.signed_in, call.sign_in, service.skip, claim_id, reason, call.now)
    return await _paced(_pace(call), call, _with_pacing(done))


async def release(call: Call, claim_id: str) -> ReturnedTask:
    """Finds out who calls, and gives back what they hold; see `service.release`."""
    done = call.db.write(service.signed_in, call.sign_in, service.release, claim_id, call.now)
    return await _paced(_pace(call), call, _with_pacing(done))


async def _submit(pace: RequestPace, call: Call, claim_id: str, response: tasks.SentResponse) -> Submitted:
    """A large response is checked between two delays: what happens before the check and what happens after it are each
    paced, and the check itself does as much for an evaluation task as for another."""
    if not isinstance(response, msgspec.Raw):
        with suppress(NeedsCheckFirst):
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
    if credential is not None and call.db.engine == "sqlite":
        return await call.db.write(fast_path.submit_on_sqlite, credential, call.sign_in, claim_id, response, call.now)
    if credential is not None:
        done = await _submit_plain(call, credential, claim_id, response)
        if done is not None:
            return done
    return await call.db.write(service.signed_in, call.sign_in, service.submit, claim_id, response, call.now)


async def _submit_plain(
    call: Call, credential: HashedCredential, claim_id: str, response: dict[str, Any]
) -> Submitted | None:
    """The fast path on PostgreSQL: reads the context, decides, writes; None, with nothing done, if it is not plain."""
    context = await call.db.single(fast_path.read_submission, credential, claim_id, call.now)
    decision = fast_path.decide(context, response) if context is not None else None
    if context is None or decision is None:
        return None
    number = await call.db.single(fast_path.record_on_postgresql, decision, call.now)
    if number is None:
        return None
    with suppress(Unavailable):  # it is recorded
        await _touch(call, context.caller, context.key_is_stale)
    return fast_path.submission_result(context, number)


async def _after(call: Call, made: fast_path.FastClaim) -> None:
    if made.advances_cursor:
        await call.db.single(service.advance_cursor, made.task.caller, made.batch_id)
    if made.looks_back:
        await call.db.write(service.look_back, made.task.caller, made.batch_id)
    await _touch(call, made.task.caller, made.key_is_stale)


async def _touch(call: Call, caller: Caller, is_stale: bool) -> None:
    if is_stale and caller.key_id is not None:
        await call.db.write(teams.touch_key, caller.team_id, caller.key_id, call.now)
