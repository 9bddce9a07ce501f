"""Form bodies, as `curl -d` and older clients send them, turned into the object that a JSON body would be.

Values stay texts. Parameters read them as they read texts in a query string.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from refonte_studio.kit.errors import BadInput, shown

URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FIELDS = 5_000
DEPTH = 10  # of brackets after a name
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def form_pairs(content_type: str, body: bytes) -> list[tuple[str, str]] | None:
    """The names and values of a form; None if the body is not a form.

    `curl -d '{"a": 1}'` labels its JSON as a form, so a body that starts like a JSON object or list is not a form.
    Raises BadInput for a form that cannot be read.
    """
    kind, options = parse_options_header(content_type)
    if kind == MULTIPART:
        return _multipart(body, options.get("boundary") or "")
    if kind != URL_ENCODED or body.lstrip()[:1] in (b"{", b"["):
        return None
    try:
        text = body.decode().strip()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadInput(f"the form cannot be read: {error}") from error
    return pairs


def _multipart(body: bytes, boundary: str) -> list[tuple[str, str]]:
    if not boundary:
        raise BadInput("the form cannot be read: its content type names no boundary")
    reader = _Reader()
    try:
        with PushMultipartParser(boundary, max_segment_count=FIELDS) as parser:
            for event in parser.parse(body):
                reader.take(event)
    except (MultipartError, UnicodeDecodeError) as error:
        raise BadInput(f"the form cannot be read: {error}") from error
    return reader.pairs


class _Reader:
    """Collects names and values from the events of the parser."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self._name = ""
        self._value = b""

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if event is None:  # the end of a field
            self.pairs.append((self._name, self._value.decode()))
        elif not isinstance(event, MultipartSegment):
            self._value += event
        elif event.filename is not None:
            raise BadInput(f"the form has a file, {shown(event.filename)}, which this call does not take")
        else:
            self._name, self._value = event.name or "", b""


def form_object(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The object that a form stands for: repeated names, `a[]` and `a[0]` make lists, and `a[b]` makes an object.

    Raises BadInput for a name that is used in more than one of these ways.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        match = _NAME.fullmatch(name)
        if match is None:
            raise BadInput(f"the form has a field of the name {shown(name)}")
        keys = re.findall(r"\[([^\[\]]*)\]", match[2])
        if len(keys) > DEPTH:
            raise BadInput(f"the form's field {shown(name)} is nested too deeply")
        _put(found, match[1], keys, value, name)
    return {key: _with_lists(value) for key, value in found.items()}


def _put(holder: dict[str, Any], key: str, rest: Sequence[str], value: str, name: str) -> None:
    if not rest:
        if key not in holder:
            holder[key] = value
            return
        known = holder[key]
        if isinstance(known, dict):
            raise _mixed(name)
        holder[key] = [*known, value] if isinstance(known, list) else [known, value]
    elif rest[0] == "":
        items = holder.setdefault(key, [])
        if not isinstance(items, list):
            raise _mixed(name)
        _append(items, rest[1:], value, name)
    else:
        inner = holder.setdefault(key, {})
        if not isinstance(inner, dict):
            raise _mixed(name)
        _put(inner, rest[0], rest[1:], value, name)


def _append(items: list[Any], rest: Sequence[str], value: str, name: str) -> None:
    """`a[][b]=1&a[][c]=2` is one object; a member that the object already has starts the next object."""
    if not rest:
        items.append(value)
        return
    last = items[-1] if items else None
    if not isinstance(last, dict) or (len(rest) == 1 and rest[0] in last):
        last = {}
        items.append(last)
    _put(last, rest[0], rest[1:], value, name)


def _with_lists(value: Any) -> Any:
    """The value, with every object whose keys are 0, 1, 2 … turned into a list."""
    if isinstance(value, list):
        return [_with_lists(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _with_lists(each) for key, each in value.items()}
    if made and set(made) == {str(number) for number in range(len(made))}:
        return [made[str(number)] for number in range(len(made))]
    return made


def _mixed(name: str) -> BadInput:
    return BadInput(f"the form gives {shown(name)} in two ways that cannot be brought together")
