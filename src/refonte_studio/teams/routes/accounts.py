"""Accounts: set-up, joining, sessions, passwords, API keys."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import DAY_MS, SECOND_MS
from refonte_studio.kit.errors import BadInput, Unauthorized
from refonte_studio.teams import service
from refonte_studio.teams.model import SignedIn, SignInCandidate
from refonte_studio.teams.policy import accounts as account_policy
from refonte_studio.teams.routes.wire import BEN, KEY, KEY_SHOWN, SESSION, KeyOut, NewKeyOut, SessionOut, TeammateOut
from refonte_studio.teams.service import membership
from refonte_studio.teams.service.passwords import Passwords
from refonte_studio.web import Call, HttpResponse, Operations, Params
from refonte_studio.web.authentication import csrf_token, session_cookie
from refonte_studio.web.responses import encode

operations = Operations("Accounts")


class AcceptParams(Params):
    IN_BODY_ALONE = frozenset({"token", "password"})
    token: str
    first_name: str
    last_name: str
    password: str


class SetUpParams(Params):
    IN_BODY_ALONE = frozenset({"token", "password"})
    token: str
    team: str
    email: str
    first_name: str
    last_name: str
    password: str


class SignInParams(Params):
    IN_BODY_ALONE = frozenset({"password"})
    email: str
    password: str
    team: str | None = None


class PasswordParams(Params):
    IN_BODY_ALONE = frozenset({"current_password", "new_password"})
    current_password: str
    new_password: str


class KeysParams(Params):
    all: bool = False


class NewKeyParams(Params):
    mode: str
    name: str


# ------------------------------------------------------------------------------------------- sessions


def _lifetime_ms(call: Call) -> int:
    return call.studio.settings.session_days * DAY_MS


def _cookie(call: Call, token: str, max_age_s: int) -> str:
    secure = call.studio.settings.secure
    name = session_cookie(secure)
    return f"{name}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age_s}{'; Secure' if secure else ''}"


def _with_cookie(call: Call, signed_in: SignedIn, body: Any) -> HttpResponse:
    """Returns a response that signs the browser in."""
    cookie = _cookie(call, signed_in.token, _lifetime_ms(call) // SECOND_MS)
    return HttpResponse(encode(body), headers={"Set-Cookie": cookie})


def _session(signed_in: SignedIn) -> SessionOut:
    return SessionOut.of(signed_in.teammate, signed_in.team, "live", csrf_token(signed_in.token))


def _names(params: AcceptParams | SetUpParams) -> tuple[str, str]:
    return account_policy.checked_name("first_name", params.first_name), account_policy.checked_name(
        "last_name", params.last_name
    )


async def _locate_invitation(tx: Tx, _caller: None, named: Mapping[str, str]) -> None:
    if "token" in named:
        await membership.check_invitation(tx, named["token"], 0)


@operations.add(
    "POST",
    "/v1/invitations/accept",
    may=None,
    params=AcceptParams,
    answer=TeammateOut,
    errors=(404,),
    locate=_locate_invitation,
    example={"token": "hVd2pA8k1mZ", "first_name": "Ben", "last_name": "Okafor", "password": "correct horse battery"},
    example_answer={**BEN, "firstName": "Ben", "lastName": "Okafor"},
)
async def accept_invitation(call: Call, params: AcceptParams) -> HttpResponse:
    """Accept an invitation.

    The invited person joins the team with the invited role and is signed in (a cookie session). The token is the last
    path segment of the link in the invitation; a used, expired or unknown token gives 404. A password has 12 to 1,000
    characters and must not be a common password.
    """
    await call.db.read(membership.check_invitation, params.token, call.now)
    names = _names(params)
    hashed = await _hashed(call, "password", params.password)
    joined = await call.db.write(membership.accept, params.token, names, hashed, call.now, _lifetime_ms(call))
    return _with_cookie(call, joined, TeammateOut.of(joined.teammate))


@operations.add(
    "POST",
    "/v1/setup",
    may=None,
    params=SetUpParams,
    answer=SessionOut,
    errors=(404,),
    example={
        "token": "hVd2pA8k1mZ",
        "team": "Refonte",
        "email": "ana@example.com",
        "first_name": "Ana",
        "last_name": "Ruiz",
        "password": "correct horse battery",
    },
    example_answer=SESSION,
)
async def set_up(call: Call, params: SetUpParams) -> HttpResponse:
    """Set up a new server.

    Creates the first team and its admin, who is signed in (a cookie session). The token is the last path segment of the
    link that a server without a team prints at start; a used, unknown or replaced token gives 404.
    """
    await call.db.read(service.check_setup_link, params.token)
    names, team = _names(params), account_policy.checked_name("team", params.team)
    (email,) = account_policy.checked_addresses([params.email])
    hashed = await _hashed(call, "password", params.password)
    made = await call.db.write(service.set_up, params.token, team, email, names, hashed, call.now, _lifetime_ms(call))
    return _with_cookie(call, made, _session(made))


@operations.add(
    "POST",
    "/v1/session",
    may=None,
    params=SignInParams,
    answer=SessionOut,
    errors=(401, 429),
    example={"email": "ana@example.com", "password": "correct horse battery"},
    example_answer=SESSION,
)
async def sign_in(call: Call, params: SignInParams) -> HttpResponse:
    """Sign in.

    Starts a cookie session, which works for the whole API in live mode. A call that changes state then needs the header
    `X-CSRF-Token` with the `csrf_token` of the response. `team` is needed only if the address and password match
    several teams; without it, the response is 400 and names them. After 10 failed attempts by one client with one
    address, or 30 with any address, within 15 minutes, each further attempt has to wait longer: 429 with `Retry-After`.
    """
    attempt = await call.db.write(service.reserve_attempt, params.email, call.client, call.now)
    fitting = await _fitting(call, await call.db.read(service.candidates, params.email, params.team), params.password)
    if not fitting:
        raise Unauthorized("the e-mail address or the password is wrong")
    if len(fitting) > 1:
        await call.db.write(service.forgive, attempt)
        names = account_policy.listed([person.team_name for person in fitting])
        raise BadInput(f"the address and the password fit several teams, name one as team: {names}")
    signed_in = await call.db.write(service.sign_in, fitting[0], attempt, call.now, _lifetime_ms(call))
    return _with_cookie(call, signed_in, _session(signed_in))


async def _fitting(call: Call, candidates: list[SignInCandidate], password: str) -> list[SignInCandidate]:
    """Returns the candidates whose password this is. Takes the same time if there are none."""
    passwords: Passwords = call.studio.services[Passwords]
    if not candidates or len(password) > account_policy.PASSWORD_MAX:
        await passwords.verify(password[: account_policy.PASSWORD_MAX], None)
        return []
    return [person for person in candidates if await passwords.verify(password, person.password_hash)]


async def _hashed(call: Call, field: str, password: str) -> str:
    passwords: Passwords = call.studio.services[Passwords]
    return await passwords.hash(field, password)


@operations.add("GET", "/v1/session", may=Permission.SELF, answer=SessionOut, example_answer=SESSION)
async def who_am_i(call: Call, _params: Params) -> HttpResponse:
    """Show the caller.

    Returns the teammate of the key or session, the team, the role and its permissions. `mode` is the mode of the key; a
    session is always live. `csrf_token` is present in a cookie session only.
    """
    person, team = await call.db.read(membership.who_am_i, call.caller)
    credential = call.credential
    csrf = csrf_token(credential.secret) if credential is not None and credential.kind == "session" else None
    body = SessionOut.of(person, team, call.caller.mode, csrf)
    return HttpResponse(encode(body), headers={"Cache-Control": "no-store"})


@operations.add("DELETE", "/v1/session", may=Permission.SELF, answer=None)
async def sign_out(call: Call, _params: Params) -> HttpResponse:
    """Sign out.

    Ends the cookie session. A call with an API key ends nothing.
    """
    await call.db.write(membership.sign_out, call.caller)
    return HttpResponse(status=204, headers={"Set-Cookie": _cookie(call, "", 0)})


@operations.add(
    "POST",
    "/v1/session/password",
    may=Permission.SELF,
    params=PasswordParams,
    answer=SessionOut,
    errors=(429,),
    example={"current_password": "correct horse battery", "new_password": "wrong mule generator"},
    example_answer=SESSION,
)
async def change_password(call: Call, params: PasswordParams) -> HttpResponse:
    """Change your password.

    Ends all sessions and API keys of the caller at once; a caller in a cookie session gets a new one. A wrong
    `current_password` gives 400; after 10 of them in one session, further attempts have to wait: 429 with
    `Retry-After`. A password has 12 to 1,000 characters and must not be a common password.
    """
    await call.studio.services[Passwords].check("new_password", params.new_password)
    attempt = await call.db.write(service.reserve_change, call.caller, call.now)
    person = await call.db.read(service.own_candidate, call.caller)
    if person is None or not await _fitting(call, [person], params.current_password):
        raise BadInput("current_password is not your password")
    hashed = await _hashed(call, "new_password", params.new_password)
    fresh = await call.db.write(
        membership.change_password, call.caller, person, attempt, hashed, call.now, _lifetime_ms(call)
    )
    if fresh is not None:
        return _with_cookie(call, fresh, _session(fresh))
    teammate, team = await call.db.read(membership.who_am_i, call.caller)
    return HttpResponse(encode(SessionOut.of(teammate, team, call.caller.mode, None)))


# ----------------------------------------------------------------------------------------------- keys


@operations.add(
    "POST",
    "/v1/keys",
    may=Permission.SELF,
    params=NewKeyParams,
    answer=NewKeyOut,
    example={"mode": "live", "name": "import script"},
    example_answer={**KEY, "key": "live_Vd2pA8k1mZq0s7XfR4tYw9Lb3NcE6uJh"},
)
async def create_key(call: Call, params: NewKeyParams) -> HttpResponse:
    """Create an API key for yourself.

    `key` is shown only once; the server stores only its hash. `mode` is `live` or `test`. A key creates keys of its own
    mode only, and they end with it; a session creates keys of both modes. One person has at most 100 keys.
    """
    mode = account_policy.checked_mode(params.mode)
    made, secret = await call.db.write(membership.create_own_key, call.caller, mode, params.name, call.now)
    shown_once = NewKeyOut(
        key=secret,
        **{name: value for name, value in asdict(KeyOut.of(made)).items() if name in NewKeyOut.__struct_fields__},
    )
    return HttpResponse(encode(shown_once), headers={"Cache-Control": "no-store"})


@operations.add(
    "GET",
    "/v1/keys",
    may=Permission.SELF,
    params=KeysParams,
    answer=list[KeyOut],
    example={},
    example_answer=[KEY_SHOWN],
)
async def list_keys(call: Call, params: KeysParams) -> list[KeyOut]:
    """List API keys.

    Returns your own keys of both modes, newest first, without secrets and without revoked keys. With `all=true`, an
    admin gets the keys of everybody in the team; this needs a live key or a session. `maker_key_id` is the key that
    created a key; when that key ends, so does the other.
    """
    question = membership.team_keys if params.all else membership.own_keys
    return [KeyOut.of(key) for key in await call.db.read(question, call.caller)]


async def _locate_key(tx: Tx, caller: Caller, path: Mapping[str, str]) -> None:
    await membership.find_key(tx, caller, path["id"])


@operations.add("DELETE", "/v1/keys/{id}", may=Permission.SELF, answer=None, locate=_locate_key)
async def revoke_key(call: Call, _params: Params) -> None:
    """Revoke an API key.

    The key ends at once and permanently, as do the keys created with it. Admins may revoke any key of the team. A test
    key can revoke only test keys of its own holder.
    """
    await call.db.write(membership.revoke_own_key, call.caller, call.path["id"], call.now)
