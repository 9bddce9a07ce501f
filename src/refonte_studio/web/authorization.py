"""Who may make a call: the holder of a valid credential whose role allows it, not misled by another site."""

import hmac

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, HashedCredential
from refonte_studio.kit.clients import client_network
from refonte_studio.kit.errors import Forbidden, Unauthorized
from refonte_studio.kit.fair_shares import Holder
from refonte_studio.kit.ids import digest
from refonte_studio.web.authentication import Credential, csrf_token
from refonte_studio.web.operation import Call, Operation, RecordUse
from refonte_studio.web.request import StudioRequest


class Authorization:
    """Whether one call may be made, judged by its credential, the caller's role, and the site that it comes from."""

    def __init__(self, operation: Operation, call: Call, request: StudioRequest) -> None:
        self._operation = operation
        self._call = call
        self._request = request

    async def caller(self) -> Caller | None:
        """Who calls; None on a public operation. Raises Unauthorized and Forbidden."""
        if self._operation.permission is None:
            _check_site(self._request)
            return None
        credential = self._credential()
        call = self._call
        found = await call.db.read(call.studio.authenticator.identify, credential, call.now)
        caller = self._admitted(found[0] if found else None)
        if found is not None and found[1]:
            await call.db.write(call.studio.authenticator.record_use, caller, call.now)
        return caller

    async def sign_in(self, tx: Tx) -> tuple[Caller, RecordUse | None]:
        """The caller, found in the handler's own transaction, and what records the use of the credential, if that is
        due. The handler awaits it last, because a call that fails must change nothing. Not for public operations.

        Raises Unauthorized and Forbidden.
        """
        authenticator, now = self._call.studio.authenticator, self._call.now
        found = await authenticator.identify(tx, self._credential(), now)
        caller = self._admitted(found[0] if found else None)
        return caller, (lambda tx: authenticator.record_use(tx, caller, now)) if found is not None and found[
            1
        ] else None

    def holders(self) -> list[Holder]:
        """Whose shares of memory and of bulk places this request counts against, as far as they are known."""
        found: list[Holder] = []
        if self._call.credential is not None:
            found.append(("credential", digest(self._call.credential.secret)))
        if self._call.signed_in is not None:
            found.append(("team", self._call.signed_in.team_id))
        if self._call.client:
            found.append(("address", client_network(self._call.client)))
        return found

    async def admitted_holders(self) -> list[Holder]:
        """The same, with the caller's team. Raises Unauthorized and Forbidden."""
        if self._operation.permission is not None and self._call.signed_in is None:
            self._call.signed_in = await self.caller()
        return self.holders()

    def hashed_credential(self) -> HashedCredential | None:
        """The credential as the database knows it; None if it is missing, or is not enough for this call."""
        credential = self._call.credential
        if credential is None or (self._by_session(credential) and not self._same_site(credential)):
            return None
        return HashedCredential(credential.kind, digest(credential.secret))

    def _same_site(self, credential: Credential) -> bool:
        given = self._request.header(b"x-csrf-token") or ""
        return hmac.compare_digest(given.encode(), csrf_token(credential.secret).encode())

    def _credential(self) -> Credential:
        credential = self._call.credential
        if credential is None:
            raise Unauthorized("an API key or a session is needed")
        if self._by_session(credential) and self._request.method == "GET":
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


def _check_site(request: StudioRequest) -> None:
    """A page of another site must not sign its visitor in, who would then work as somebody else unknowingly."""
    if request.header(b"sec-fetch-site") in ("cross-site", "same-site"):
        raise Forbidden("this call cannot be made from another site's page")
