"""Parameters: each is accepted in the JSON body and in the query string, in every form that clients send.

Most operations have fixed parameters, the fields of a `Params`. Others have dynamic ones, which depend on the type of a
task and are described by JSON schemas.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect

from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.json_text import decode_json
from refonte_studio.web.expected import at, described, reason, where

LIST_LIMIT = 1_000
QUERY_LIMIT = 5_000  # parameters in one query string
LARGE_BYTES = 16_384  # decoding a body up to this size takes well under a millisecond
BODY = "the body"  # its name in errors
Schemas = Mapping[str, Mapping[str, Any]]  # JSON schemas by the names of parameters

_SCALARS: Mapping[str, type] = {"boolean": bool, "integer": int, "number": float}  # by their names in JSON schemas


class Params(msgspec.Struct, kw_only=True):
    """Base of an operation's parameters. A field with a default may be left out; JSON null means left out."""

    ALIASES: ClassVar[Mapping[str, str]] = {}  # another name -> field
    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset()  # required lists that may be empty
    IN_BODY_ALONE: ClassVar[frozenset[str]] = frozenset()  # secrets, because proxies log addresses
    # Objects that stay undecoded, as `msgspec.Raw`, in a large body: decoding them would delay other requests.
    UNREAD: ClassVar[frozenset[str]] = frozenset()

    def unread(self, name: str) -> msgspec.Raw | None:
        """The JSON of such an object if it is undecoded; None if it is decoded or was left out."""
        value: Any = getattr(self, name)
        return value if isinstance(value, msgspec.Raw) else None


P = TypeVar("P", bound=Params)


class _Field(msgspec.Struct, frozen=True):
    type: Any
    is_list: bool
    is_json: bool  # an object, which query strings and forms hold as JSON
    required: bool
    must_be: str  # in words


@lru_cache(maxsize=512)
def fields_of(spec: type[Params]) -> Mapping[str, _Field]:
    """The parameters of a spec, by their names in requests."""
    found: dict[str, _Field] = {}
    for field in msgspec.structs.fields(spec):
        kind = inspect.type_info(field.type)
        kinds = _kinds(kind)
        found[field.encode_name] = _Field(
            type=field.type,
            is_list=any(isinstance(kind, inspect.ListType) for kind in kinds),
            is_json=any(isinstance(kind, (inspect.DictType, inspect.StructType)) for kind in kinds),
            required=field.required,
            must_be=described(kind),
        )
    return found


def _kinds(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.UnionType):
        return [inner for part in kind.types for inner in _kinds(part)]
    if isinstance(kind, inspect.Metadata):
        return _kinds(kind.type)
    return [kind]


def query_pairs(query: bytes) -> list[tuple[str, str]]:
    """The parameters of a query string in order. A name without `=` counts as left out.

    Raises BadInput for a query that is not UTF-8, or has too many parameters.
    """
    try:
        text = "&".join(part for part in query.decode("ascii").split("&") if "=" in part)
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=QUERY_LIMIT)
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadInput(f"the query string cannot be read: {error}") from error


def decode_object(body: bytes, unread: Collection[str] = ()) -> dict[str, Any]:
    """The JSON object that a body must be; an empty body means no parameters. Raises BadInput.

    In a large body, the objects among the members in `unread` stay `msgspec.Raw`; whoever decodes them checks them.
    """
    if not body.strip():
        return {}
    if unread and len(body) > LARGE_BYTES and body.lstrip()[:1] == b"{":
        return _decode_partly(body, unread)
    value = decode_json(body, BODY)
    if not isinstance(value, dict):
        raise BadInput(f"the body must be a JSON object, not {shown(value)}")
    return value


def _decode_partly(body: bytes, unread: Collection[str]) -> dict[str, Any]:
    members: dict[str, msgspec.Raw] = decode_json(body, BODY, dict[str, msgspec.Raw], keys_differ=True)
    large = {name: raw for name, raw in members.items() if name in unread and bytes(memoryview(raw)[:1]) == b"{"}
    for raw in large.values():
        body = body.replace(bytes(raw), b"null", 1)
    return {**decode_json(body, BODY), **large}


def read_params(spec: type[P], pairs: Sequence[tuple[str, str]], body: Mapping[str, Any], changes: bool = True) -> P:
    """The parameters of a call, from its query string and its body. Raises BadInput naming what is wrong.

    In the query of a call that changes nothing, no text may be empty: an empty filter would filter nothing.
    """
    fields = fields_of(spec)
    from_query = _grouped(pairs)
    _check_names(spec, fields, from_query, body)
    given: dict[str, Any] = {}
    for name, (values, bracketed) in from_query.items():
        target = spec.ALIASES.get(name, name)
        if not changes and values == [""]:
            raise BadInput(f"{name} is empty: give it a value, or leave it out")
        _keep(given, target, _checked(name, _from_query(name, fields[target], values, bracketed), fields[target]))
    for name, value in body.items():
        target = spec.ALIASES.get(name, name)
        if value is None:
            continue
        if isinstance(value, msgspec.Raw) and target in given:  # decoded to be compared
            value = decode_json(bytes(value), name)
        _keep(given, target, _checked(name, _from_body(name, fields[target], value), fields[target]))
    for name, field in fields.items():
        if field.required and name not in given:
            raise BadInput(f"{name} is required")
        if field.required and given[name] == [] and name not in spec.MAY_BE_EMPTY:
            raise BadInput(f"{name} must not be an empty list")
    unread = [name for name in spec.UNREAD if isinstance(given.get(name), msgspec.Raw)]
    if not unread:
        return msgspec.convert(given, spec, from_attributes=True)
    params = msgspec.convert({**given, **{name: {} for name in unread}}, spec, from_attributes=True)
    for name in unread:
        setattr(params, name, given[name])
    return params


def _check_names(
    spec: type[Params], fields: Mapping[str, _Field], from_query: Collection[str], body: Collection[str]
) -> None:
    unknown = sorted({name for name in (*from_query, *body) if name not in fields and name not in spec.ALIASES})
    if unknown:
        raise BadInput(f"unknown parameter{'s' if len(unknown) > 1 else ''}: {', '.join(map(shown, unknown))}")
    secret = sorted(spec.IN_BODY_ALONE.intersection(from_query))
    if secret:
        raise BadInput(f"{secret[0]} must not stand in the address, which is logged on the way; send it in the body")


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[list[str], bool]]:
    """Values by name, and whether the name had brackets: `a[]=1,2` is a list of one text that is not split."""
    found: dict[str, tuple[list[str], bool]] = {}
    for name, value in pairs:
        bare = name.removesuffix("[]")
        values, bracketed = found.get(bare, ([], False))
        found[bare] = ([*values, value], bracketed or bare != name)
    return found


def _split(text: str) -> list[str]:
    """The list that a query holds as one text."""
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _from_query(name: str, field: _Field, values: list[str], bracketed: bool) -> Any:
    if field.is_list:
        return values if len(values) > 1 or bracketed else _split(values[0])
    text = _only(name, values)
    return decode_json(text.encode(), name) if field.is_json else text


def _only(name: str, texts: Sequence[str]) -> str:
    """The text that a query gives, perhaps several times."""
    if len(set(texts)) > 1:
        raise BadInput(f"{name} is given {len(texts)} times, with different values")
    return texts[0]


def _from_body(name: str, field: _Field, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if field.is_json and value.lstrip()[:1] in ("{", "["):  # in a form
        return decode_json(value.encode(), name)
    return [value] if field.is_list else value


def _checked(name: str, value: Any, field: _Field) -> Any:
    """The value as its field's type. A text may stand for a number, or for true or false."""
    if isinstance(value, msgspec.Raw):
        return value
    if isinstance(value, list) and len(value) > LIST_LIMIT:
        raise BadInput(f"{name} has {len(value):,} entries; one call takes at most {LIST_LIMIT:,}")
    texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
    for text in texts:
        if "\x00" in text:
            raise BadInput(f"{name}: {shown(text)} contains a NUL character")
    try:
        return msgspec.convert(value, field.type, strict=not texts)
    except msgspec.ValidationError as error:
        place = where(error)
        if not place:
            raise BadInput(f"{name} must be {field.must_be}, not {shown(value)}") from error
        raise BadInput(f"{name}{place} {reason(error)}, in {shown(at(value, place))}") from error


def _keep(given: dict[str, Any], name: str, value: Any) -> None:
    """Adds a value, which must be equal to one that is there already."""
    if name in given and _differ(given[name], value):
        raise BadInput(f"{name} is given twice and differs: {shown(given[name])} and {shown(value)}")
    given[name] = value


def _differ(one: Any, other: Any) -> bool:
    try:
        return one != other
    except RecursionError as error:
        raise BadInput("a parameter is nested too deeply") from error


def read_dynamic_params(
    schemas: Schemas, body: Mapping[str, Any], pairs: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """The parameters of a call whose parameters are not always the same, from its body and its query string.

    `schemas` are those of the known parameters; others pass as they are. Raises BadInput if body and query disagree, or
    if a text cannot stand for a value of its type.
    """
    given = {
        name: _from_text(name, _types(schemas, name), value) if isinstance(value, str) else value
        for name, value in body.items()
        if value is not None
    }
    for name, (texts, bracketed) in _grouped(pairs).items():
        _keep(given, name, _from_texts(name, _types(schemas, name), texts, bracketed))
    return given


def _types(schemas: Schemas, name: str) -> Sequence[str]:
    """The JSON types that a parameter may have; text if its schema does not say, or is not known."""
    types = schemas.get(name, {}).get("type", "string")
    return (types,) if isinstance(types, str) else tuple(types)


def _from_texts(name: str, types: Sequence[str], texts: Sequence[str], bracketed: bool) -> Any:
    if "array" in types and (len(texts) > 1 or bracketed):
        return list(texts)
    text = _only(name, texts)
    if "array" in types and not _is_json(types, text):
        return _split(text)
    return _from_text(name, types, text)


def _from_text(name: str, types: Sequence[str], text: str) -> Any:
    """The value that a text stands for: itself where texts are allowed, else JSON, a list of one, or a scalar."""
    if "string" in types:
        return text
    if _is_json(types, text) or types == ("object",):
        return decode_json(text.encode("utf-8", "surrogatepass"), name)
    if "array" in types:
        return [text]
    scalar = next((_SCALARS[each] for each in types if each in _SCALARS), str)
    try:
        return msgspec.convert(text, scalar, strict=False)
    except msgspec.ValidationError as error:
        must_be = described(inspect.type_info(scalar))
        raise BadInput(f"{name} must be {must_be}, not {shown(text)}") from error


def _is_json(types: Sequence[str], text: str) -> bool:
    first = text.lstrip()[:1]
    return (first == "[" and "array" in types) or (first == "{" and "object" in types)
