"""Parameters: each is accepted in the JSON body and in the query string, in every form that clients send."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect

from refonte_studio.kit.errors import BadInput, shown

LIST_LIMIT = 1_000
QUERY_LIMIT = 5_000  # parameters in one query string
LARGE_BYTES = 16_384  # a body of so much is read in well under a millisecond
PLAIN_LENGTH = 300  # characters of what a parameter is said to be expected to be


class Params(msgspec.Struct, kw_only=True):
    """Base of an operation's parameters. A field with a default may be left out; JSON null means left out."""

    ALIASES: ClassVar[Mapping[str, str]] = {}  # other name -> field
    MAY_BE_EMPTY: ClassVar[frozenset[str]] = frozenset()  # required lists that may be empty
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
    is_json: bool  # an object, which in a query string is written as JSON
    required: bool


@lru_cache(maxsize=512)
def fields_of(spec: type[Params]) -> Mapping[str, _Field]:
    """The parameters of a spec by their names on the wire."""
    found: dict[str, _Field] = {}
    for field in msgspec.structs.fields(spec):
        kinds = _kinds(inspect.type_info(field.type))
        found[field.encode_name] = _Field(
            type=field.type,
            is_list=any(isinstance(kind, inspect.ListType) for kind in kinds),
            is_json=any(isinstance(kind, (inspect.DictType, inspect.StructType)) for kind in kinds),
            required=field.required,
        )
    return found


def _kinds(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.UnionType):
        return [inner for part in kind.types for inner in _kinds(part)]
    if isinstance(kind, inspect.Metadata):
        return _kinds(kind.type)
    return [kind]


def query_pairs(query: bytes) -> list[tuple[str, str]]:
    """The parameters of a query string in order. Raises BadInput for what is not UTF-8."""
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=QUERY_LIMIT)
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadInput(f"the query string cannot be read: {error}") from error


def decode_json(body: bytes, kind: Any = Any) -> Any:
    """A JSON body. Raises BadInput for anything else, however deep or odd."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"the body is not valid JSON: {error}") from error
    except RecursionError as error:
        raise BadInput("the body is nested too deeply") from error


def decode_object(body: bytes, unread: Collection[str] = ()) -> dict[str, Any]:
    """A body that must be a JSON object; an empty one stands for no parameters.

    Of a large body, those members in `unread` that are objects stay `msgspec.Raw`.
    """
    if not body.strip():
        return {}
    if unread and len(body) > LARGE_BYTES and body.lstrip()[:1] == b"{":
        return _decode_partly(body, unread)
    value = decode_json(body)
    if not isinstance(value, dict):
        raise BadInput(f"the body must be a JSON object, not {shown(value)}")
    return value


def _decode_partly(body: bytes, unread: Collection[str]) -> dict[str, Any]:
    members: dict[str, msgspec.Raw] = decode_json(body, dict[str, msgspec.Raw])
    return {
        name: value if name in unread and bytes(memoryview(value)[:1]) == b"{" else decode_json(bytes(value))
        for name, value in members.items()
    }


def read_params(spec: type[P], pairs: list[tuple[str, str]], body: dict[str, Any]) -> P:
    """The parameters of a call from its query string and its body. Raises BadInput naming what is wrong."""
    fields = fields_of(spec)
    known = {*fields, *spec.ALIASES}
    from_query = _group(pairs)
    unknown = sorted({name for name in from_query if name not in known} | {name for name in body if name not in known})
    if unknown:
        raise BadInput(f"unknown parameter{'s' if len(unknown) > 1 else ''}: {', '.join(map(shown, unknown))}")
    given: dict[str, Any] = {}
    for name, (values, bracketed) in from_query.items():
        target = spec.ALIASES.get(name, name)
        _keep(given, target, _checked(target, _from_query(name, fields[target], values, bracketed), fields[target]))
    for name, value in body.items():
        target = spec.ALIASES.get(name, name)
        if value is None:
            continue
        if fields[target].is_list and isinstance(value, str):
            value = [value]
        if isinstance(value, msgspec.Raw) and target in given:  # to be compared
            value = decode_json(bytes(value))
        _keep(given, target, _checked(name, value, fields[target]))
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


def _group(pairs: list[tuple[str, str]]) -> dict[str, tuple[list[str], bool]]:
    """Values by name; `a[]=1` counts as a list of one that is not split."""
    grouped: dict[str, tuple[list[str], bool]] = {}
    for name, value in pairs:
        bare = name.removesuffix("[]")
        values, bracketed = grouped.get(bare, ([], False))
        grouped[bare] = ([*values, value], bracketed or bare != name)
    return grouped


def _from_query(name: str, field: _Field, values: list[str], bracketed: bool) -> Any:
    if field.is_list:
        if len(values) > 1 or bracketed:
            return values
        return [part.strip() for part in values[0].split(",")] if values[0].strip() else []
    if len(set(values)) > 1:
        raise BadInput(f"{name} is given {len(values)} times, with different values")
    if field.is_json:
        return decode_json(values[0].encode())
    try:
        return msgspec.convert(values[0], field.type, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"{name}: {_plain(error)}, got {shown(values[0])}") from error


def _checked(name: str, value: Any, field: _Field) -> Any:
    """The value in its field's type."""
    if isinstance(value, msgspec.Raw):
        return value
    if isinstance(value, list) and len(value) > LIST_LIMIT:
        raise BadInput(f"{name} has {len(value):,} entries; one call takes at most {LIST_LIMIT:,}")
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and "\x00" in text:
            raise BadInput(f"{name}: {shown(text)} contains a NUL character")
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        raise BadInput(f"{name}: {_plain(error)}, got {shown(value)}") from error


def _plain(error: msgspec.ValidationError) -> str:
    """What is expected, without the null that stands for a parameter left out; cut, as it may quote what was given."""
    text = str(error).replace(" | null`", "`")
    return text if len(text) <= PLAIN_LENGTH else f"{text[:PLAIN_LENGTH]}…"


def _keep(given: dict[str, Any], name: str, value: Any) -> None:
    if name in given and given[name] != value:
        raise BadInput(f"{name} is given twice and differs: {shown(given[name])} and {shown(value)}")
    given[name] = value
