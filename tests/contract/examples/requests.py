"""What an example is, and the register of all examples."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from refonte_studio.main import OPERATIONS
from refonte_studio.web import Operation
from tests.world import Person, World

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}


@dataclass
class Request:
    """What a call needs beyond its method: names for the path, parameters, or bytes."""

    path: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] | None = None  # the JSON body of a POST, PUT or DELETE, the query of a GET
    content: bytes | None = None
    content_type: str | None = None

    def url(self, operation: Operation) -> str:
        """The address after /v1."""
        return re.sub(r"\{(\w+)\}", lambda name: quote(self.path[name[1]], safe=""), operation.path.removeprefix("/v1"))

    def options(self, method: str) -> dict[str, Any]:
        """The same as options of httpx."""
        if self.content is not None:
            return {"content": self.content, "headers": {"content-type": self.content_type or ""}}
        if self.params is None:
            return {}
        if method == "GET":
            return {"params": {name: _in_query(value) for name, value in self.params.items()}}
        return {"json": self.params}


def _in_query(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


Make = Callable[[World, Person], Awaitable[Request]]
EXAMPLES: dict[str, Make] = {}  # by the name of the operation
VARIANTS: dict[str, tuple[Operation, Make]] = {}  # by a name of their own


def example(make: Make) -> Make:
    """Registers the example of the operation of the same name."""
    EXAMPLES[make.__name__] = make
    return make


def variant(operation: str) -> Callable[[Make], Make]:
    """Registers another example of an operation, with parameters that others may use than the operation itself."""

    def register(make: Make) -> Make:
        VARIANTS[make.__name__] = BY_NAME[operation], make
        return make

    return register
