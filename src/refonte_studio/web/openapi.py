"""The OpenAPI 3.1 document, generated from the table of operations."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from refonte_studio.kit.caller import ALLOWED
from refonte_studio.web.forms import MULTIPART, URL_ENCODED
from refonte_studio.web.operation import Body, Method, Operation
from refonte_studio.web.params import Params, fields_of
from refonte_studio.web.responses import JSON

REF = "#/components/schemas/"
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """The parts of the document that do not follow from operations. The composition root supplies them."""

    title: str
    version: str
    description: str  # Markdown
    tags: Mapping[str, str] = field(default_factory=dict)  # a sentence about each, by name
    path_names: Mapping[str, Schema] = field(default_factory=dict)  # schemas, with descriptions, by name
    bodies: Mapping[str, Schema] = field(default_factory=dict)  # by operation; they replace its own
    schemas: Mapping[str, Schema] = field(default_factory=dict)  # more components
    webhooks: Mapping[str, Schema] = field(default_factory=dict)
    glossary: Mapping[str, str] = field(default_factory=dict)  # descriptions for fields that have none, by name


ERROR: Schema = {
    "title": "Error",
    "description": "What was wrong. A call that fails has changed nothing.",
    "type": "object",
    "properties": {
        "status_code": {"type": "integer", "description": "The HTTP status."},
        "error": {"type": "string", "description": "What was wrong, naming the offending value."},
        "lines": {
            "type": "array",
            "description": "The first 100 bad lines of an import.",
            "items": {
                "type": "object",
                "properties": {"line": {"type": "integer"}, "error": {"type": "string"}},
                "required": ["line", "error"],
            },
        },
    },
    "required": ["status_code", "error"],
}

ERRORS: Mapping[int, str] = {
    400: "The input is malformed, or names something that does not exist.",
    401: "There is no valid API key or session.",
    403: "The caller's role may not do this, or a cookie session lacks `X-CSRF-Token`.",
    404: "There is no such thing in the caller's team and mode.",
    409: "It exists already, or somebody got there first.",
    413: "The body is larger than the server takes.",
    429: "Too many calls; try again later.",
    503: "The server cannot serve this now; try again after `Retry-After` seconds.",
}

SECURITY_SCHEMES: Mapping[str, Schema] = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The API key as user name, with an empty password; or the bare key.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The API key as token."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "studio_session",
        "description": "A browser session from `POST /v1/session`; over TLS its name is `__Host-studio_session`. "
        "A call that changes state also needs the header `X-CSRF-Token` with the session's `csrf_token`.",
    },
}


def document(operations: Sequence[Operation], about: About) -> Schema:
    """The whole document. It depends only on its arguments, so that it can be committed and compared."""
    schemas = _Schemas(operations, about.glossary)
    paths: dict[str, dict[str, Any]] = {}
    names = _path_names(operations)
    for operation in operations:
        path = _shape(operation.path).format(*names[_shape(operation.path)])
        for method in operation.methods:
            paths.setdefault(path, {})[method.lower()] = _operation(operation, method, schemas, about, path)
    used = dict.fromkeys(operation.tag for operation in operations)
    return {
        "openapi": "3.1.0",
        "info": {"title": about.title, "version": about.version, "description": about.description},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": about.tags.get(tag, "")} for tag in used],
        "paths": paths,
        "webhooks": dict(about.webhooks),
        "components": {
            "securitySchemes": dict(SECURITY_SCHEMES),
            "schemas": {**schemas.components, **about.schemas, "Error": ERROR},
        },
    }


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _path_names(operations: Sequence[Operation]) -> dict[str, list[str]]:
    """The names in each path, in braces. Paths that differ only in their names are one path in OpenAPI."""
    found: dict[str, list[dict[str, None]]] = {}
    for operation in operations:
        names = re.findall(r"\{(\w+)\}", operation.path)
        places = found.setdefault(_shape(operation.path), [{} for _ in names])
        for place, name in zip(places, names, strict=True):
            place[name] = None
    return {shape: ["{" + "_or_".join(place) + "}" for place in places] for shape, places in found.items()}


class _Schemas:
    """The JSON schemas of the parameters and answers of every operation."""

    def __init__(self, operations: Sequence[Operation], glossary: Mapping[str, str]) -> None:
        types: dict[str, Any] = {}
        for operation in operations:
            types[f"params {operation.name}"] = operation.params
            if operation.answer is not None and not isinstance(operation.answer, Mapping):
                types[f"answer {operation.name}"] = operation.answer
        found, components = msgspec.json.schema_components(types.values(), ref_template=REF + "{name}")
        self._found: dict[str, Schema] = dict(zip(types, found, strict=True))
        self.components: dict[str, Schema] = dict(components)
        for component, schema in self.components.items():
            if not schema.get("required"):
                schema.pop("required", None)
            for name, each in schema.get("properties", {}).items():
                said = glossary.get(f"{component}.{name}", glossary.get(name))
                if said:
                    each.setdefault("description", said)
                if "default" in each and each["default"] is None:
                    del each["default"]
        specs = {_name_in(self._found[f"params {operation.name}"]): operation.params for operation in operations}
        for name, spec in specs.items():
            self._document_params(spec, name)

    def _document_params(self, spec: type[Params], name: str) -> None:
        """Applies the rules for all parameter objects: null means left out, and unknown parameters are refused."""
        if not fields_of(spec):
            self.components.pop(name, None)
            return
        schema = self.components[name]
        if schema.get("description", "") == (Params.__doc__ or ""):
            schema.pop("description", None)
        schema["additionalProperties"] = False
        aliases = {target: alias for alias, target in spec.ALIASES.items()}
        for wire, each in schema["properties"].items():
            _without_null(each)
            if wire in aliases:
                each["description"] = f"{each.get('description', '')} Also accepted as `{aliases[wire]}`.".strip()

    def params(self, operation: Operation) -> Schema | None:
        """The component of the operation's parameters; None if it has none."""
        return self.components.get(_name_in(self.params_ref(operation)))

    def params_ref(self, operation: Operation) -> Schema:
        return self._found[f"params {operation.name}"]

    def answer(self, operation: Operation) -> Schema | None:
        if isinstance(operation.answer, Mapping):
            return dict(operation.answer)
        return self._found.get(f"answer {operation.name}")


def _name_in(ref: Schema) -> str:
    return str(ref.get("$ref", "")).removeprefix(REF)


def _without_null(schema: Schema) -> None:
    """Changes "X or null" to X, in place."""
    choices = schema.get("anyOf", [])
    kept = [choice for choice in choices if choice != {"type": "null"}]
    if len(kept) < len(choices):
        del schema["anyOf"]
        schema |= kept[0] if len(kept) == 1 else {"anyOf": kept}
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]


def _operation(operation: Operation, method: Method, schemas: _Schemas, about: About, path: str) -> Schema:
    first = method == operation.methods[0]
    made: Schema = {
        "operationId": operation.name if first else f"{operation.name}_{method.lower()}",
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description.partition("\n")[2].strip(),
        "x-roles": roles(operation),
        "x-path": operation.path,
        "parameters": [*_path_parameters(operation, about, path), *_query_parameters(operation, method, schemas)],
        "security": _security(operation, method),
    }
    body = _request_body(operation, method, schemas, about)
    if body is not None:
        made["requestBody"] = body
    made["responses"] = {**_successes(operation, schemas), **_failures(operation, body is not None)}
    if method in operation.deprecated:
        made["deprecated"] = True
        made["description"] = f"{made['description']}\n\nDeprecated: use `{operation.methods[0]}`.".strip()
    return made


def roles(operation: Operation) -> list[str]:
    """The roles that may call an operation; none for a public one."""
    return [str(role) for role, allowed in ALLOWED.items() if operation.permission in allowed]


def _path_parameters(operation: Operation, about: About, path: str) -> Iterator[Schema]:
    written = re.findall(r"\{(\w+)\}", path)
    for name, as_written in zip(re.findall(r"\{(\w+)\}", operation.path), written, strict=True):
        schema = dict(about.path_names.get(name, {"type": "string"}))
        described = {"description": schema.pop("description")} if "description" in schema else {}
        example = {"example": schema.pop("example")} if "example" in schema else {}
        yield {"name": as_written, "in": "path", "required": True, **described, "schema": schema, **example}


def _query_parameters(operation: Operation, method: Method, schemas: _Schemas) -> Iterator[Schema]:
    """The parameters in the query string. They are required there only if they cannot come in a body."""
    for name in operation.ignores:
        said = "Accepted and without effect, because published clients send it."
        yield {"name": name, "in": "query", "required": False, "description": said, "schema": {"type": "string"}}
    spec = schemas.params(operation)
    if spec is None:
        return
    only_here = method == "GET" or operation.body is not Body.PARAMS
    example = operation.example if isinstance(operation.example, Mapping) else {}
    for name, kind in fields_of(operation.params).items():
        if name in operation.params.IN_BODY_ALONE:
            continue
        schema = dict(spec["properties"][name])
        made: Schema = {"name": name, "in": "query", "required": kind.required and only_here}
        if "description" in schema:
            made["description"] = schema.pop("description")
        if kind.is_json:
            made["content"] = {JSON: {"schema": schema}}
        else:
            made["schema"] = schema
            made |= {"style": "form", "explode": True} if kind.is_list else {}
        if only_here and name in example:
            made["example"] = example[name]
        yield made


def _security(operation: Operation, method: Method) -> list[dict[str, list[str]]]:
    if operation.permission is None:
        return []
    kinds = ["basic", "bearer"] if operation.changes and method == "GET" else ["basic", "bearer", "cookie"]
    return [{kind: []} for kind in kinds]


def _request_body(operation: Operation, method: Method, schemas: _Schemas, about: About) -> Schema | None:
    if method == "GET":
        return None
    if operation.body is Body.PARAMS:
        if schemas.params(operation) is None:
            return None
        content: Schema = {"schema": schemas.params_ref(operation)}
        required = False  # because the parameters may come in the query string
    else:
        content = {"schema": dict(about.bodies.get(operation.name, operation.body_schema or {}))}
        required = operation.body is not Body.OPEN
    if operation.example is not None:
        content["example"] = operation.example
    if operation.body in (Body.JSON, Body.STREAM):
        return {"required": required, "content": {operation.body_type: content}}
    form = {"schema": content["schema"]}
    return {"required": required, "content": {JSON: content, URL_ENCODED: form, MULTIPART: form}}


def _successes(operation: Operation, schemas: _Schemas) -> dict[str, Schema]:
    """200 with a body, 204 without one, or both if the answer may be nothing."""
    schema = schemas.answer(operation)
    nothing = {"description": "Done; there is nothing to say."}
    if schema is None:
        return {"204": nothing}
    maybe = {"type": "null"} in schema.get("anyOf", [])
    if maybe:
        schema = dict(schema)
        _without_null(schema)
    content: Schema = {"schema": schema}
    if operation.example_answer is not None:
        content["example"] = operation.example_answer
    found = {"200": {"description": "Success.", "content": {operation.media_type: content}}}
    return {**found, "204": {"description": "There is none."}} if maybe else found


def _failures(operation: Operation, has_body: bool) -> dict[str, Schema]:
    statuses = {400, 503, *operation.errors}
    if operation.permission is not None:
        statuses |= {401}
        if operation.changes or len(roles(operation)) < len(ALLOWED):
            statuses |= {403}
    if "{" in operation.path:
        statuses |= {404}
    if has_body:
        statuses |= {413}
    return {str(status): _failure(status) for status in sorted(statuses)}


def _failure(status: int) -> Schema:
    example = {"status_code": status, "error": "what was wrong, naming the offending value"}
    return {
        "description": ERRORS.get(status, HTTPStatus(status).phrase),
        "content": {JSON: {"schema": {"$ref": REF + "Error"}, "example": example}},
    }
