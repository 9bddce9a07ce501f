"""Parameters: each is accepted in the JSON body and in the query string, in every form that clients send."""

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
LARGE_BYTES = 16_384  # a body of so much is read in well under a millisecond
BODY = "the body"  # what errors call it


class Params(msgspec.Struct, kw_only=True):
    """Base of an operation's parameters. A field with a default may be left out; JSON null means left out."""

    ALIASES: ClassVar[Mapping[str, str]] = {}  # other name -> field
    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset()  # required lists that may be empty
    IN_BODY_ALONE: ClassVar[frozenset[str]] = frozenset()  # secrets: addresses are logged and kept on the way
    # Objects that are left unread, as `msgspec.Raw`, where the body is large: to read them would delay other requests.
    UNREAD: ClassVar[frozenset[str]] = frozenset()

    def unread(self, name: str) -> msgspec.Raw | None:
        """The JSON of such an object if it was left unread; None if it was read, or not given."""
        value: Any = getattr(self, name)
        return value if isinstance(value, msgspec.Raw) else None


P = TypeVar("P", bound=Params)


class _Field(msgspec.Struct, frozen=True):
    type: Any
    is_list: bool
    is_json: bool  # an object, which in a query string or a form may be written as JSON
    required: bool
    must_be: str  # in words


@lru_cache(maxsize=512)
def fields_of(spec: type[Params]) -> Mapping[str, _Field]:
    """The parameters of a spec by their names on the wire."""
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
    """The parameters of a query string in order. A name without `=` counts as left out. Raises BadInput for what is
    not UTF-8."""
    try:
        text = "&".join(part for part in query.decode("ascii").split("&") if "=" in part)
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=QUERY_LIMIT)
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadInput(f"the query string cannot be read: {error}") from error


def decode_object(body: bytes, unread: Collection[str] = ()) -> dict[str, Any]:
    """A body that must be a JSON object; an empty one stands for no parameters.

    Of a large body, those members in `unread` that are objects stay `msgspec.Raw`; whoever reads them checks them.
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
    """The parameters of a call from its query string and its body. Raises BadInput naming what is wrong.

    Of a call that only reads, no text in the query may be empty: a filter that says nothing would be no filter.
    """
    fields = fields_of(spec)
    from_query = grouped(pairs)
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
        if isinstance(value, msgspec.Raw) and target in given:  # to be compared
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


def grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[list[str], bool]]:
    """Values by name; `a[]=1` counts as a list of one that is not split."""
    found: dict[str, tuple[list[str], bool]] = {}
    for name, value in pairs:
        bare = name.removesuffix("[]")
        values, bracketed = found.get(bare, ([], False))
        found[bare] = ([*values, value], bracketed or bare != name)
    return found


def split(text: str) -> list[str]:
    """A list that a query writes as one text."""
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _from_query(name: str, field: _Field, values: list[str], bracketed: bool) -> Any:
    if field.is_list:
        return values if len(values) > 1 or bracketed else split(values[0])
    if len(set(values)) > 1:
        raise BadInput(f"{name} is given {len(values)} times, with different values")
    return decode_json(values[0].encode(), name) if field.is_json else values[0]


def _from_body(name: str, field: _Field, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if field.is_json and value.lstrip()[:1] in ("{", "["):  # of a form
        return decode_json(value.encode(), name)
    return [value] if field.is_list else value


def _checked(name: str, value: Any, field: _Field) -> Any:
    """The value in its field's type. A text may stand for a number, or for true or false."""
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
    if name in given and given[name] != value:
        raise BadInput(f"{name} is given twice and differs: {shown(given[name])} and {shown(value)}")
    given[name] = value
