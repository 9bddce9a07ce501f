"""The table of operations: each row says what it takes to serve, document and test one operation of the API."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeVar

from refonte_studio.config import Settings
from refonte_studio.db import Database, Reads, Tx
from refonte_studio.kit.caller import Caller, HashedCredential, Permission
from refonte_studio.kit.clock import Clock
from refonte_studio.web.authentication import Authenticator, Credential
from refonte_studio.web.bodies import Bodies
from refonte_studio.web.bulk import Bulk
from refonte_studio.web.clients import Clients
from refonte_studio.web.params import Params
from refonte_studio.web.responses import JSON

Method = Literal["GET", "POST", "PUT", "DELETE"]
NDJSON = "application/x-ndjson"


class Body(Enum):
    """What an operation takes as its body."""

    PARAMS = "params"  # a JSON object of the documented parameters, which may also come in the query string
    JSON = "json"  # a JSON value that the operation reads itself, as `call.body`
    OPEN = "open"  # a JSON object and a query string that the operation reads itself: `call.body`, `call.query`
    STREAM = "stream"  # bytes that the operation reads itself, as `call.stream()`


@dataclass(frozen=True, slots=True)
class Studio:
    """What every operation works with. The composition root makes it."""

    db: Database
    settings: Settings
    clock: Clock
    authenticator: Authenticator
    services: Mapping[type, Any] = field(default_factory=dict)  # by their classes, such as the mailer
    replica: Reads | None = None  # None: lists are read from `db`
    bodies: Bodies = field(default_factory=Bodies)
    bulk: Bulk = field(default_factory=Bulk)
    clients: Clients = field(default_factory=Clients)


RecordUse = Callable[[Tx], Coroutine[Any, Any, None]]
SignIn = Callable[[Tx], Coroutine[Any, Any, tuple[Caller, RecordUse | None]]]


async def _does_not_sign_in(_tx: Tx) -> tuple[Caller, RecordUse | None]:
    raise AssertionError("the operation does not sign in itself: the caller is in `call.caller`")


@dataclass(slots=True)
class Call:
    """One request, as a handler sees it."""

    studio: Studio
    now: int
    path: Mapping[str, str]  # the names in the path, decoded
    credential: Credential | None
    content_type: str
    stream: Callable[[], AsyncIterator[bytes]]
    client: str = ""  # its address, beyond trusted proxies; empty if it is not known
    signed_in: Caller | None = None  # None for public operations, and for those that sign in themselves
    # The next two are for operations that sign in themselves. `sign_in` returns the caller, and what records the use of
    # the credential, if that is due; it raises Unauthorized and Forbidden.
    hashed_credential: HashedCredential | None = None  # None if it is missing, or is not enough for this call
    sign_in: SignIn = _does_not_sign_in
    body: Any = None  # of Body.JSON and Body.OPEN
    query: Sequence[tuple[str, str]] = ()  # of Body.OPEN: names and values as they were sent
    is_large: bool = False  # whether checking the body within a transaction would keep other requests waiting
    range: str | None = None  # the Range header

    @property
    def db(self) -> Database:
        return self.studio.db

    @property
    def replica(self) -> Reads:
        """Where long lists are read on which no decision depends. It may lag behind `db` a little."""
        return self.studio.replica or self.studio.db

    @property
    def caller(self) -> Caller:
        assert self.signed_in is not None, "a public operation has no caller"
        return self.signed_in


Handler = Callable[[Call, Any], Awaitable[Any]]
# Raises NotFound if the path or a filter names something that does not exist. The caller is None if it is public.
Locate = Callable[[Tx, Any, Mapping[str, str]], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `handler` returns an object that becomes JSON, None for 204, or an HttpResponse."""

    methods: tuple[Method, ...]
    path: str  # /v1/projects/{name}
    handler: Handler
    permission: Permission | None  # None: public
    params: type[Params]
    answer: Any  # a type for msgspec's JSON schema, a ready schema (dict), or None for 204
    tag: str
    errors: tuple[int, ...]  # statuses beyond those that follow from the other fields
    body: Body
    body_schema: Mapping[str, Any] | None  # of a JSON or STREAM body
    body_type: str
    locate: Locate | None  # called with the names in path, query and body before a 400 is sent
    deprecated: tuple[Method, ...]  # methods that work, with a Deprecation header that points to the first method
    changes: bool  # whether it changes state, by any of its methods
    ignores: tuple[str, ...]  # parameters without effect, accepted because published clients send them
    signs_in: bool  # whether the handler authenticates in its own transaction, with `call.sign_in`
    media_type: str
    example: Any  # of the parameters
    example_answer: Any

    @property
    def name(self) -> str:
        """Unique over the whole API: the operationId."""
        return self.handler.__name__

    @property
    def bulk(self) -> bool:
        """Whether it reads or writes any number of lines: an import or an export."""
        return NDJSON in (self.body_type, self.media_type)

    @property
    def summary(self) -> str:
        return (self.handler.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        return "\n".join(line.strip() for line in (self.handler.__doc__ or "").strip().splitlines())


H = TypeVar("H", bound=Handler)


class Operations(list[Operation]):
    """The operations of a room, collected by decorating their handlers."""

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
        body_type: str = JSON,
        locate: Locate | None = None,
        deprecated: tuple[Method, ...] = (),
        changes: bool | None = None,
        ignores: tuple[str, ...] = (),
        signs_in: bool = False,
        media_type: str = JSON,
        example: Any = None,
        example_answer: Any = None,
    ) -> Callable[[H], H]:
        """Registers the decorated handler. Its docstring is the description; the first line of that is the summary."""
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


STUDIO = "refonte_studio"  # the key of the studio in the scope of a request


def studio_of(scope: Any) -> Studio:
    """The studio that a request is for."""
    return scope[STUDIO]
