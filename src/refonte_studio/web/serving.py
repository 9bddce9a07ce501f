"""Serving one request: who calls, with which parameters, and what the operation's handler answers."""

from urllib.parse import unquote

from starlette.responses import Response

from refonte_studio.kit.errors import BadInput, NotFound, TooLarge, Unauthorized
from refonte_studio.web.authentication import challenge, credential_of
from refonte_studio.web.authorization import Authorization
from refonte_studio.web.operation import Call, Operation, Studio
from refonte_studio.web.reading import check_path, read
from refonte_studio.web.request import StudioRequest
from refonte_studio.web.responses import response_of


async def serve(studio: Studio, operation: Operation, request: StudioRequest) -> Response:
    """Serves a request for this operation. Raises StudioError, and ClientDisconnect if the client leaves."""
    try:
        return await _serve(studio, operation, request)
    except Unauthorized as error:
        error.headers.setdefault("WWW-Authenticate", challenge(request))
        raise
    finally:
        studio.bodies.free(request)


async def _serve(studio: Studio, operation: Operation, request: StudioRequest) -> Response:
    call = _call(studio, operation, request)
    studio.clients.notice(request.scope, call.now)
    authorization = Authorization(operation, call, request)
    named: dict[str, str] = {}
    if not operation.signs_in:
        call.signed_in = await authorization.caller()
    if operation.bulk:
        studio.bulk.enter(request.scope, authorization.holders(), studio.settings.bulk_limit)
    try:
        check_path(call.path)
        params = await read(operation, call, request, authorization.admitted_holders, named)
    except (BadInput, NotFound, TooLarge) as error:
        if operation.signs_in:  # 401 and 403 take precedence over every other error
            call.signed_in = await authorization.caller()
        if isinstance(error, BadInput) and operation.locate is not None:  # 404 takes precedence over 400
            names = {name: text for name, text in named.items() if text and "\x00" not in text}
            await studio.db.read(operation.locate, call.signed_in, {**names, **call.path})
        raise
    if operation.signs_in:
        call.sign_in, call.hashed_credential = authorization.sign_in, authorization.hashed_credential()
    response = response_of(await operation.handler(call, params))
    if request.method in operation.deprecated:
        link = f'<{request.scope["path"]}>; rel="successor-version"; method="{operation.methods[0]}"'
        response.headers["Deprecation"] = "true"
        response.headers["Link"] = link
    return response


def _call(studio: Studio, operation: Operation, request: StudioRequest) -> Call:
    return Call(
        studio=studio,
        now=studio.clock(),
        path={name: unquote(value) for name, value in request.path_params.items()},
        credential=None if operation.permission is None else credential_of(request, studio.settings.secure),
        content_type=request.header(b"content-type") or "",
        stream=request.parts,
        client=studio.clients.address(request.scope),
        range=request.header(b"range"),
    )
