"""Serving an operation: who calls, with which parameters, and the answer; apart from any framework."""

import errno
import hmac
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, HashedCredential
from refonte_studio.kit.clients import client_network
from refonte_studio.kit.errors import (
    BadInput,
    Forbidden,
    NotFound,
    StudioError,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from refonte_studio.kit.fair_shares import Holder
from refonte_studio.kit.ids import digest
from refonte_studio.web.credentials import challenge, credential_of, csrf_token
from refonte_studio.web.inbound import Inbound
from refonte_studio.web.operation import Call, Credential, HttpResponse, NoteUse, Operation, Studio, encode
from refonte_studio.web.reading import check_path, read

LACKS = {
    errno.ENOSPC: "its disk is full",
    errno.EDQUOT: "its disk is full",
    errno.EMFILE: "it has too many files open",
    errno.ENFILE: "it has too many files open",
    errno.ENOMEM: "it has no memory left",
}
log = logging.getLogger(__name__)


async def serve(studio: Studio, operation: Operation, inbound: Inbound) -> HttpResponse:
    """Serves a request for this operation. Raises StudioError."""
    try:
        return await _served(studio, operation, inbound)
    except Unauthorized as error:
        error.headers.setdefault("WWW-Authenticate", challenge(inbound))
        raise
    finally:
        studio.bodies.free(inbound)


async def _served(studio: Studio, operation: Operation, inbound: Inbound) -> HttpResponse:
    call = Call(
        studio=studio,
        now=studio.clock(),
        path={name: unquote(value) for name, value in inbound.path.items()},
        credential=None if operation.permission is None else credential_of(inbound, studio.settings.secure),
        content_type=inbound.header(b"content-type") or "",
        stream=inbound.stream,
        client=studio.clients.address(inbound.scope),
        range=inbound.header(b"range"),
    )
    studio.clients.notice(inbound.scope, call.now)
    authorization = Authorization(operation, call, inbound)
    named: dict[str, str] = {}
    if not operation.signs_in:
        call.signed_in = await authorization.caller()
    if operation.bulk:
        studio.bulk.enter(inbound.scope, authorization.holders(), studio.settings.bulk_limit)
    try:
        check_path(call.path)
        params = await read(operation, call, inbound, authorization.admitted_holders, named)
    except (BadInput, NotFound, TooLarge) as error:
        if operation.signs_in:  # a 401 goes before everything
            call.signed_in = await authorization.caller()
        if isinstance(error, BadInput) and operation.locate is not None:  # a 404 goes before a 400
            known = {name: text for name, text in named.items() if text and "\x00" not in text}  # as no name is
            await studio.db.read(operation.locate, call.signed_in, {**known, **call.path})
        raise
    if operation.signs_in:
        call.sign_in, call.hashed_credential = authorization.sign_in, authorization.hashed_credential()
    answer = _answer(await operation.handler(call, params))
    if inbound.method in operation.deprecated:
        link = f'<{inbound.scope["path"]}>; rel="successor-version"; method="{operation.methods[0]}"'
        return replace(answer, headers={**answer.headers, "Deprecation": "true", "Link": link})
    return answer


class Authorization:
    """Who may pass: the caller's credential, role and site."""

    def __init__(self, operation: Operation, call: Call, inbound: Inbound) -> None:
        self._operation = operation
        self._call = call
        self._inbound = inbound

    async def caller(self) -> Caller | None:
        """Who calls; None on a public operation. Raises Unauthorized and Forbidden."""
        if self._operation.permission is None:
            _check_site(self._inbound)
            return None
        credential = self._credential()
        call = self._call
        found = await call.db.read(call.studio.authenticator.identify, credential, call.now)
        caller = self._admitted(found[0] if found else None)
        if found is not None and found[1]:
            await call.db.write(call.studio.authenticator.note_use, caller, call.now)
        return caller

    async def sign_in(self, tx: Tx) -> tuple[Caller, NoteUse | None]:
        """The same, inside of a transaction that may write, and what notes the use at its end, if that is due: not
        before, lest a call that fails has changed something. Not of a public operation."""
        authenticator, now = self._call.studio.authenticator, self._call.now
        found = await authenticator.identify(tx, self._credential(), now)
        caller = self._admitted(found[0] if found else None)
        return caller, (lambda tx: authenticator.note_use(tx, caller, now)) if found is not None and found[1] else None

    def holders(self) -> list[Holder]:
        """Who takes the places that this request needs, as far as it is known."""
        found: list[Holder] = []
        if self._call.credential is not None:
            found.append(("credential", digest(self._call.credential.secret)))
        if self._call.signed_in is not None:
            found.append(("team", self._call.signed_in.team_id))
        if self._call.client:
            found.append(("address", client_network(self._call.client)))
        return found

    async def admitted_holders(self) -> list[Holder]:
        """The same, once the caller is known. Raises Unauthorized and Forbidden."""
        if self._operation.permission is not None and self._call.signed_in is None:
            self._call.signed_in = await self.caller()
        return self.holders()

    def hashed_credential(self) -> HashedCredential | None:
        """What the caller shows, for the database to find whose it is; None if that alone would not let them pass."""
        credential = self._call.credential
        if credential is None or (self._by_session(credential) and not self._same_site(credential)):
            return None
        return HashedCredential(credential.kind, digest(credential.secret))

    def _same_site(self, credential: Credential) -> bool:
        given = self._inbound.header(b"x-csrf-token") or ""
        return hmac.compare_digest(given.encode(), csrf_token(credential.secret).encode())

    def _credential(self) -> Credential:
        credential = self._call.credential
        if credential is None:
            raise Unauthorized("an API key or a session is needed")
        if self._by_session(credential) and self._inbound.method == "GET":
            raise Unauthorized("this call changes state, so a GET needs an Authorization header; use POST")
        return credential

    def _by_session(self, credential: Credential) -> bool:
        return credential.kind == "session" and self._operation.changes

    def _admitted(self, caller: Caller | None) -> Caller:
        credential = self._credential()
        if caller is None:
            raise Unauthorized(f"the {'API key' if credential.kind == 'key' else 'session'} is not valid")
        if self._by_session(credential) and not self._same_site(credential):
            raise Forbidden("a call that changes state in a cookie session needs the header X-CSRF-Token")
        assert self._operation.permission is not None
        if not caller.may(self._operation.permission):
            raise Forbidden(f"a {caller.role} may not do this")
        return caller


def _check_site(inbound: Inbound) -> None:
    """Another site's page may not sign anybody in: its visitor would work as somebody else without knowing."""
    if inbound.header(b"sec-fetch-site") in ("cross-site", "same-site"):
        raise Forbidden("this call cannot be made from another site's page")


def _answer(result: Any) -> HttpResponse:
    if result is None:
        return HttpResponse(status=204)
    return result if isinstance(result, HttpResponse) else HttpResponse(encode(result))


def refusal(error: StudioError) -> HttpResponse:
    """The answer that tells of an error."""
    body = {"status_code": error.status, "error": error.message, **error.details}
    return HttpResponse(encode(body), status=error.status, headers=dict(error.headers))


def failure(error: Exception, method: str, path: str) -> HttpResponse:
    """The answer for what is our own fault, or the machine's; the log says more."""
    lacks = _lacking(error)
    if lacks is not None:
        log.error("%s %s failed: %r", method, path, error)
        return refusal(Unavailable(f"the server cannot serve this now: {lacks}"))
    log.error("%s %s failed", method, path, exc_info=error)
    return HttpResponse(
        encode({"status_code": 500, "error": "the server failed at this call; its log says why"}), status=500
    )


def _lacking(error: Exception) -> str | None:
    """What the machine lacks, if that is the cause."""
    if isinstance(error, MemoryError):
        return LACKS[errno.ENOMEM]
    return LACKS.get(error.errno or 0) if isinstance(error, OSError) else None
