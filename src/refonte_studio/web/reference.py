"""The API reference: one self-contained page, rendered on the server from the OpenAPI document."""

import base64
import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from refonte_studio.web.openapi import REF, Schema
from refonte_studio.web.responses import JSON

DEPTH = 4  # of nested objects in the tables


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of parameters or fields."""

    name: str
    type: str
    required: bool
    description: Markup
    depth: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    status: str
    description: Markup
    media_type: str = ""
    rows: tuple[Row, ...] = ()
    type: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One method of one operation."""

    id: str
    method: str
    path: str
    summary: str
    description: Markup
    roles: tuple[str, ...]
    deprecated: bool
    parameters: tuple[Row, ...]
    body_type: str
    curl: str
    request: str
    answers: tuple[Response, ...]
    errors: tuple[Response, ...]


@dataclass(slots=True)
class Section:
    name: str
    description: Markup
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    description: Markup
    type: str
    rows: tuple[Row, ...]
    example: str


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """The page, and a Content-Security-Policy that allows only its own style and script."""

    html: bytes
    policy: str


def render(document: Schema) -> ReferencePage:
    """The reference as HTML."""
    document = copy.deepcopy(document)
    environment = Environment(
        loader=PackageLoader("refonte_studio.web", "templates/reference"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    source = environment.loader
    assert source is not None
    style = source.get_source(environment, "reference.css")[0]
    script = source.get_source(environment, "reference.js")[0]
    html = environment.get_template("reference.html").render(
        info=document["info"],
        intro=rich(document["info"]["description"]),
        sections=_sections(document),
        webhooks=_webhooks(document),
        components=_components(document),
        style=Markup(style),
        script=Markup(script),
    )
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return ReferencePage(html.encode(), policy)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def rich(text: str) -> Markup:
    """HTML for the Markdown that descriptions use: paragraphs, lists, headings, `code`, **strong**, fenced blocks."""
    blocks = re.split(r"\n\s*\n(?=(?:[^`]|`(?!``)|```[\s\S]*?```)*$)", text.strip())
    return Markup("\n").join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> Markup:
    lines = block.strip().splitlines()
    if lines[0].startswith("```"):
        return Markup("<pre><code>{}</code></pre>").format("\n".join(lines[1:-1]))
    if lines[0].startswith("## "):
        return Markup("<h3>{}</h3>").format(_spans(lines[0][3:]))
    if re.match(r"[*-] ", lines[0]):
        items = re.split(r"\n(?=[*-] )", "\n".join(lines))
        points = Markup("").join(Markup("<li>{}</li>").format(_spans(item[2:])) for item in items)
        return Markup("<ul>{}</ul>").format(points)
    return Markup("<p>{}</p>").format(_spans(" ".join(lines)))


def _spans(text: str) -> Markup:
    html = str(escape(text))
    html = re.sub(r"``?([^`]+)``?", r"<code>\1</code>", html)
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html))


def _sections(document: Schema) -> list[Section]:
    sections = {tag["name"]: Section(tag["name"], rich(tag["description"])) for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            sections[operation["tags"][0]].entries.append(_entry(document, path, method.upper(), operation))
    return list(sections.values())


def _entry(document: Schema, path: str, method: str, operation: Schema) -> Entry:
    real = operation.get("x-path", path)  # the document merges paths that differ only in a name
    names = dict(zip(re.findall(r"\{(\w+)\}", path), re.findall(r"\{(\w+)\}", real), strict=True))
    for each in operation["parameters"]:
        each |= {"name": names[each["name"]]} if each["in"] == "path" else {}
    path = real
    body_type, content = next(iter(operation.get("requestBody", {}).get("content", {}).items()), ("", {}))
    answers = [_response(document, *each) for each in operation["responses"].items()]
    return Entry(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        description=rich(operation["description"]),
        roles=tuple(operation["x-roles"]),
        deprecated=operation.get("deprecated", False),
        parameters=tuple(_parameters(document, operation, content.get("schema"))),
        body_type=body_type,
        curl=_curl(path, method, operation, body_type, content.get("example")),
        request="" if body_type.startswith("multipart/") else _pretty(content.get("example")),
        answers=tuple(answer for answer in answers if answer.status.startswith("2")),
        errors=tuple(answer for answer in answers if not answer.status.startswith("2")),
    )


def _parameters(document: Schema, operation: Schema, body: Schema | None) -> Iterator[Row]:
    """The parameters in the path, then those that only the query takes, then the fields of the body."""
    inside: list[Row] = []
    if body is not None:
        inside = list(_rows(document, body, where="body"))
        if not inside:
            inside = [Row("(body)", type_of(body), True, rich(body.get("description", "")), where="body")]
    in_body = {row.name for row in inside if not row.depth}
    for each in operation["parameters"]:
        if each["name"] in in_body and each["in"] == "query":
            continue
        schema = each.get("schema") or each["content"][JSON]["schema"]
        yield Row(each["name"], type_of(schema), each["required"], rich(each.get("description", "")), 0, each["in"])
    yield from inside


def type_of(schema: Schema) -> str:
    """A schema's type in words."""
    if "$ref" in schema:
        return schema["$ref"].removeprefix(REF)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_of(choice) for choice in schema[key]))
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {type_of(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_of(schema['additionalProperties'])}"
    return str(kind) + _bounds(schema)


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" ({low} to {high})"
    if low is not None or high is not None:
        return f" (at least {low})" if low is not None else f" (at most {high})"
    return ""


def _object(document: Schema, schema: Schema) -> Schema | None:
    """The object schema that this schema is, lists, or offers as its only choice; None if there is none."""
    if "$ref" in schema:
        return _object(document, document["components"]["schemas"][schema["$ref"].removeprefix(REF)])
    if schema.get("properties"):
        return schema
    inner = [schema["items"]] if isinstance(schema.get("items"), Mapping) else schema.get("anyOf", [])
    found = [each for each in (_object(document, choice) for choice in inner) if each is not None]
    return found[0] if len(found) == 1 else None


def _rows(document: Schema, schema: Schema, depth: int = 0, where: str = "") -> Iterator[Row]:
    found = _object(document, schema) if depth < DEPTH else None
    if found is None:
        return
    for name, each in found["properties"].items():
        required = name in found.get("required", ())
        yield Row(name, type_of(each), required, rich(each.get("description", "")), depth, where)
        yield from _rows(document, each, depth + 1, where)


def _response(document: Schema, status: str, response: Schema) -> Response:
    media_type, content = next(iter(response.get("content", {}).items()), ("", {}))
    schema = content.get("schema", {})
    return Response(
        status=status,
        description=rich(response["description"]),
        media_type=media_type,
        rows=tuple(_rows(document, schema)) if status.startswith("2") else (),
        type=type_of(schema) if content else "",
        example=_pretty(content.get("example")),
    )


def _pretty(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _curl(path: str, method: str, operation: Schema, body_type: str, example: Any) -> str:
    """A command to paste, once STUDIO_URL and STUDIO_API_KEY are set."""
    for each in operation["parameters"]:
        if each["in"] == "path" and "example" in each:
            path = path.replace(f"{{{each['name']}}}", quote(str(each["example"]), safe=""))
    lines = ["curl" + ("" if method == "GET" else f" -X {method}") + f' "$STUDIO_URL{path}"']
    if operation["security"]:
        lines.append('-u "$STUDIO_API_KEY:"')
    if body_type.startswith("multipart/"):
        lines += [f"-F {_quoted(f'{name}={value}')}" for name, value in {"file": "@dog.jpg", **(example or {})}.items()]
    elif example is not None:
        text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        lines += [f"-H 'Content-Type: {body_type}'", f"--data-binary {_quoted(text)}"]
    query = [each for each in operation["parameters"] if each["in"] == "query" and "example" in each]
    lines += ["--get"] if query else []
    for each in query:
        name = each["name"]
        for value in each["example"] if isinstance(each["example"], list) else [each["example"]]:
            shown = value if isinstance(value, str) else json.dumps(value)
            lines.append(f"--data-urlencode {_quoted(f'{name}={shown}')}")
    return " \\\n  ".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _webhooks(document: Schema) -> list[Component]:
    return [
        Component(
            name=name,
            description=rich(each["post"]["description"]),
            type="",
            rows=tuple(_rows(document, each["post"]["requestBody"]["content"][JSON]["schema"])),
            example=_pretty(each["post"]["requestBody"]["content"][JSON].get("example")),
        )
        for name, each in document["webhooks"].items()
    ]


def _components(document: Schema) -> list[Component]:
    return [
        Component(
            name=name,
            description=rich(schema.get("description", "")),
            type=type_of(schema),
            rows=tuple(_rows(document, schema)),
            example=_pretty(schema.get("examples", [None])[0]),
        )
        for name, schema in sorted(document["components"]["schemas"].items())
    ]
