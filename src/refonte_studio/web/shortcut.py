"""A short cut for the operations of the working loop, past the framework, whose part would be half of their cost."""

from collections.abc import Mapping, Sequence

from litestar.types import ASGIApp, Receive, Scope, Send

from refonte_studio.kit.errors import StudioError
from refonte_studio.web.inbound import Disconnected, Inbound
from refonte_studio.web.operation import HttpResponse, Operation, Studio
from refonte_studio.web.serving import failure, refusal, serve


class ShortCut:
    """Serves the operations that sign in by themselves; everything else goes on to the application.

    Their paths are fixed, or have one name, last but one: `/v1/work/{claim}/submit`.
    """

    def __init__(self, studio: Studio, operations: Sequence[Operation], app: ASGIApp) -> None:
        self._studio = studio
        self._app = app
        self._fixed: dict[tuple[str, str], Operation] = {}
        self._named: dict[tuple[str, str, str], tuple[Operation, str]] = {}
        for operation in operations:
            if operation.signs_in:
                self._add(operation)

    def _add(self, operation: Operation) -> None:
        head, _, last = operation.path.rpartition("/")
        start, _, name = head.rpartition("/")
        for method in operation.methods:
            if "{" not in operation.path:
                self._fixed[method, operation.path] = operation
            else:
                assert "{" not in start + last, f"the short cut cannot tell the names in {operation.path}"
                self._named[method, start, last] = (operation, name[1:-1])

    def _find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
        operation = self._fixed.get((method, path))
        if operation is not None:
            return operation, {}
        head, _, last = path.rpartition("/")
        start, _, value = head.rpartition("/")
        found = self._named.get((method, start, last))
        return (found[0], {found[1]: value}) if found is not None and value else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or b"%" in scope["raw_path"]:
            await self._app(scope, receive, send)
            return
        found = self._find(scope["method"], scope["path"])
        if found is None:
            await self._app(scope, receive, send)
            return
        operation, path = found
        try:
            answer = await serve(self._studio, operation, Inbound(scope, receive, path))
        except StudioError as error:
            answer = refusal(error)
        except Disconnected:
            return
        except Exception as error:
            answer = failure(error, scope["method"], scope["path"])
        await send_whole(send, answer)


async def send_whole(send: Send, answer: HttpResponse) -> None:
    """Sends an answer that comes in one piece."""
    body = answer.content
    assert isinstance(body, bytes), "this answer is a stream"
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    if body:
        headers.append((b"content-type", answer.media_type.encode()))
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
