"""An operation: one row of the API, with all that serving, documenting and testing it needs to know."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeVar

import msgspec

from refonte_studio.config import Settings
from refonte_studio.db import Database, Reads, Tx
from refonte_studio.kit.caller import Caller, HashedCredential, Permission
from refonte_studio.kit.clock import Clock
from refonte_studio.web.bodies import Bodies
from refonte_studio.web.bulk import Bulk
from refonte_studio.web.clients import Clients
from refonte_studio.web.params import Params

Method = Literal["GET", "POST", "PUT", "DELETE"]
NDJSON = "application/x-ndjson"


class Body(Enum):
    """What an operation's body is."""

    PARAMS = "params"  # a JSON object of the documented parameters, which may also come in the query string
    JSON = "json"  # a JSON value that the operation reads itself, as `call.body`
    OPEN = "open"  # a JSON object and a query string that the operation reads itself: `call.body`, `call.query`
    STREAM = "stream"  # bytes that the operation reads itself, as `call.stream()`


@dataclass(frozen=True, slots=True)
class Studio:
    """What the composition root hands to every operation."""

    db: Database
    settings: Settings
    clock: Clock
    authenticator: "Authenticator"
    services: Mapping[type, Any] = field(default_factory=dict)  # things of the outside world, e.g. the mailer
    replica: Reads | None = None  # None: the database itself
    bodies: Bodies = field(default_factory=Bodies)
    bulk: Bulk = field(default_factory=Bulk)
    clients: Clients = field(default_factory=Clients)


@dataclass(frozen=True, slots=True)
class Authenticator:
    """How callers are known: two use-cases.

    `identify` answers who shows a credential, and whether its use should be noted again; None for nobody. `note_use`
    notes it.
    """

    identify: Callable[[Tx, "Credential", int], Coroutine[Any, Any, tuple[Caller, bool] | None]]
    note_use: Callable[[Tx, Caller, int], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request shows of who sent it: an API key or the token of a cookie session."""

    kind: Literal["key", "session"]
    secret: str


NoteUse = Callable[[Tx], Coroutine[Any, Any, None]]
SignIn = Callable[[Tx], Coroutine[Any, Any, tuple[Caller, NoteUse | None]]]


async def _no_authenticator(_tx: Tx) -> tuple[Caller, NoteUse | None]:
    raise AssertionError("the operation does not sign in by itself")


@dataclass(slots=True)
class Call:
    """One request, as an operation sees it."""

    studio: Studio
    now: int
    path: Mapping[str, str]  # the names in the path, decoded
    credential: Credential | None
    content_type: str
    stream: Callable[[], AsyncIterator[bytes]]
    client: str = ""  # the address that it comes from, beyond trusted proxies; empty if that is not known
    signed_in: Caller | None = None  # None on the few public operations, and on those that sign in themselves
    hashed_credential: HashedCredential | None = None  # for those: what the caller shows, if it is well-formed
    # For those: who calls, and what is to be done at the end if that is to be noted; or the error that keeps them out.
    sign_in: SignIn = _no_authenticator
    body: Any = None
    is_large: bool = False  # whether the body is so large that to check it in a transaction would keep others waiting
    range: str | None = None  # the Range header
    query: Sequence[tuple[str, str]] = ()  # of a Body.OPEN: the names and values as they were sent

    @property
    def db(self) -> Database:
        return self.studio.db

    @property
    def replica(self) -> Reads:
        """Where lists are read that may be large and decide nothing: what it says may be a little old."""
        return self.studio.replica or self.studio.db

    @property
    def caller(self) -> Caller:
        assert self.signed_in is not None, "a public operation has no caller"
        return self.signed_in


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer other than 200 with JSON: raw bytes, a stream, headers."""

    content: bytes | AsyncIterator[bytes] = b""
    status: int = 200
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call, Any], Awaitable[Any]]
# Raises NotFound if what the path or a filter names does not exist. A public operation has no caller.
Locate = Callable[[Tx, Any, Mapping[str, str]], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `handler` answers with an object that becomes JSON, with None (204), or with an HttpResponse."""

    methods: tuple[Method, ...]
    path: str  # /v1/projects/{name}
    handler: Handler
    permission: Permission | None  # None: public
    params: type[Params]
    answer: Any  # a type for msgspec's JSON schema, a ready schema (dict), or None for 204
    tag: str
    errors: tuple[int, ...]  # beyond those that follow from the rest
    body: Body
    body_schema: Mapping[str, Any] | None  # of a JSON or STREAM body
    body_type: str
    locate: Locate | None  # asked with path, query and body before a 400 is answered
    deprecated: tuple[Method, ...]  # methods that work, with a Deprecation header pointing at the first method
    changes: bool  # whether it changes state, whatever the method
    ignores: tuple[str, ...]  # parameters that are accepted and have no effect, as published clients send them
    signs_in: bool  # whether the handler finds out who calls in its own transaction, by `call.sign_in`
    media_type: str
    example: Any  # of the parameters
    example_answer: Any

    @property
    def name(self) -> str:
        """Unique over the whole API: the operationId."""
        return self.handler.__name__

    @property
    def bulk(self) -> bool:
        """Whether it takes or gives any number of things, one to a line."""
        return NDJSON in (self.body_type, self.media_type)

    @property
    def summary(self) -> str:
        return (self.handler.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        return "\n".join(line.strip() for line in (self.handler.__doc__ or "").strip().splitlines())


H = TypeVar("H", bound=Handler)


class Operations(list[Operation]):
    """A room's operations, collected by decorating its handlers."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag = tag

    def add(
        self,
        method: Method | tuple[Method, ...],
        path: str,
        *,
        may: Permission | None,
        answer: Any,
        params: type[Params] = Params,
        errors: tuple[int, ...] = (),
        body: Body = Body.PARAMS,
        body_schema: Mapping[str, Any] | None = None,
        body_type: str = "application/json",
        locate: Locate | None = None,
        deprecated: tuple[Method, ...] = (),
        changes: bool | None = None,
        ignores: tuple[str, ...] = (),
        signs_in: bool = False,
        media_type: str = "application/json",
        example: Any = None,
        example_answer: Any = None,
    ) -> Callable[[H], H]:
        """Registers the decorated handler. Its docstring is the description, the first line of it the summary."""
        methods: tuple[Method, ...] = (method,) if isinstance(method, str) else method

        def register(handler: H) -> H:
            self.append(
                Operation(
                    methods=methods,
                    path=path,
                    handler=handler,
                    permission=may,
                    params=params,
                    answer=answer,
                    tag=self.tag,
                    errors=errors,
                    body=body,
                    body_schema=body_schema,
                    body_type=body_type,
                    locate=locate,
                    deprecated=deprecated,
                    ignores=ignores,
                    signs_in=signs_in,
                    changes=methods != ("GET",) if changes is None else changes,
                    media_type=media_type,
                    example=example,
                    example_answer=example_answer,
                )
            )
            return handler

        return register


encode = msgspec.json.Encoder().encode
STUDIO = "refonte_studio"  # where the scope of a request has its studio


def studio_of(scope: Any) -> Studio:
    """The studio that a request is for."""
    return scope[STUDIO]
