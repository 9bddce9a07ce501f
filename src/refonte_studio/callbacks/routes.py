"""Callbacks over HTTP: the list of callbacks, and the secrets that sign them."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from refonte_studio.callbacks import service
from refonte_studio.callbacks.model import Callback, CallbackEvent, CallbackState
from refonte_studio.db import Tx
from refonte_studio.kit.caller import Caller, Permission
from refonte_studio.kit.clock import iso
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.kit.redaction import redacted
from refonte_studio.web import Call, Operations, Params

operations = Operations("Callbacks")

_EXAMPLE = {
    "id": "64d3b8a6f1c2a4e5b6d7c8fa",
    "url": "https://example.com/studio",
    "event": "task.completed",
    "subject_id": "64d3b8a6f1c2a4e5b6d7c8f0",
    "state": "waiting",
    "tries": 2,
    "created_at": "2023-08-09T16:12:38.072Z",
    "next_try_at": "2023-08-09T16:13:01.400Z",
    "last_error": "the receiver answered 503",
}

_EVENTS = ", ".join(f"`{event}`" for event in CallbackEvent)


class CallbacksParams(Params):
    state: (
        Annotated[str, Meta(description="Only callbacks in this state: `waiting`, `delivered` or `failed`.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT
    next_token: str | None = None


class CallbackOut(msgspec.Struct, omit_defaults=True):
    """A notification from the server to one of your programs."""

    id: str
    url: Annotated[str, Meta(description="The receiver: a URL, without user and password, or an e-mail address.")]
    event: Annotated[str, Meta(description=f"The event it reports: {_EVENTS}.")]
    subject_id: Annotated[
        str, Meta(description="Id of the task or batch; for a pause, ids of the teammate and the project.")
    ]
    state: Annotated[str, Meta(description="`waiting`, `delivered` or `failed`.")]
    tries: Annotated[int, Meta(description="The number of tries.")]
    created_at: str
    next_try_at: str | UnsetType = UNSET
    last_error: str | UnsetType = UNSET
    delivered_at: str | UnsetType = UNSET

    @classmethod
    def of(cls, callback: Callback) -> "CallbackOut":
        return cls(
            id=callback.id,
            url=redacted(callback.url),
            event=callback.event.value,
            subject_id=callback.subject_id,
            state=callback.state.value,
            tries=callback.tries,
            created_at=iso(callback.created_at),
            next_try_at=iso(callback.next_try_at) if callback.state is CallbackState.WAITING else UNSET,
            last_error=callback.last_error if callback.last_error is not None else UNSET,
            delivered_at=iso(callback.delivered_at) if callback.delivered_at is not None else UNSET,
        )


class CallbacksOut(msgspec.Struct, omit_defaults=True):
    docs: list[CallbackOut]
    limit: int
    has_more: bool
    next_token: str | UnsetType = UNSET


class SecretOut(msgspec.Struct):
    secret: Annotated[str, Meta(description="`whsec_…`, as Standard Webhooks libraries expect it.")]


class AuthParams(Params):
    secret: Annotated[
        str, Meta(description="The content of the header: 16 to 256 ASCII letters, digits and signs, without spaces.")
    ]


class AuthOut(msgspec.Struct):
    is_set: Annotated[bool, Meta(description="Whether callbacks carry the header `scale-callback-auth`.")]


async def _located(tx: Tx, caller: Caller, path: Mapping[str, str]) -> object:
    return await service.find(tx, caller, path["id"])


@operations.add(
    "GET",
    "/v1/callbacks",
    may=Permission.MANAGE,
    params=CallbacksParams,
    answer=CallbacksOut,
    example={"state": "waiting"},
    example_answer={"docs": [_EXAMPLE], "limit": 100, "has_more": False},
)
async def list_callbacks(call: Call, params: CallbacksParams) -> CallbacksOut:
    """List callbacks.

    Returns callbacks to the URLs of tasks and batches, sent and waiting, newest first. A callback is kept for 30 days.
    """
    page = await call.replica.read(service.listing, call.caller, params.state, params.limit, params.next_token)
    token = page.next_token if page.next_token is not None else UNSET
    return CallbacksOut([CallbackOut.of(callback) for callback in page.docs], page.limit, page.has_more, token)


@operations.add(
    "GET",
    "/v1/callbacks/secret",
    may=Permission.PEOPLE,
    answer=SecretOut,
    example_answer={"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
)
async def get_callback_secret(call: Call, _params: Params) -> SecretOut:
    """Get the secret that callbacks are signed with.

    Use it to verify the headers of a callback, with any library of standardwebhooks.com, before you trust the body.
    """
    return SecretOut(await call.db.read(service.secret_of, call.caller))


@operations.add(
    "GET",
    "/v1/callbacks/auth",
    may=Permission.PEOPLE,
    answer=AuthOut,
    example_answer={"is_set": True},
)
async def get_callback_auth(call: Call, _params: Params) -> AuthOut:
    """Show whether callbacks carry the header scale-callback-auth.

    The secret in it is never shown; if it is lost, set another one.
    """
    return AuthOut(await call.db.read(service.has_auth, call.caller))


@operations.add(
    ("PUT", "POST"),
    "/v1/callbacks/auth",
    may=Permission.PEOPLE,
    params=AuthParams,
    answer=AuthOut,
    example={"secret": "live_auth_0123456789abcdef"},
    example_answer={"is_set": True},
)
async def set_callback_auth(call: Call, params: AuthParams) -> AuthOut:
    """Set the secret that callbacks carry in the header scale-callback-auth.

    For programs that compare this header with a known secret. It replaces the existing one from the next try on, and is
    never shown again. The signature is stronger: it also covers the body and the time.
    """
    return AuthOut(await call.db.write(service.set_auth, call.caller, params.secret))


@operations.add(
    "DELETE",
    "/v1/callbacks/auth",
    may=Permission.PEOPLE,
    answer=AuthOut,
    example_answer={"is_set": False},
)
async def clear_callback_auth(call: Call, _params: Params) -> AuthOut:
    """Stop sending the header scale-callback-auth with callbacks."""
    return AuthOut(await call.db.write(service.set_auth, call.caller, None))


@operations.add(
    "POST",
    "/v1/callbacks/{id}/retry",
    may=Permission.MANAGE,
    answer=CallbackOut,
    locate=_located,
    example_answer={**{k: v for k, v in _EXAMPLE.items() if k != "last_error"}, "tries": 0},
)
async def retry_callback(call: Call, _params: Params) -> CallbackOut:
    """Send a callback again.

    Whatever its state, it is due at once and has all its tries again.
    """
    return CallbackOut.of(await call.db.write(service.retry, call.caller, call.path["id"], call.now))
