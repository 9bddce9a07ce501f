"""Decodes incoming JSON strictly, with errors that say what is wrong and where.

In addition to the JSON grammar, an object must not repeat a key, because readers disagree about which value counts.
"""

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from typing import Any

import msgspec

from refonte_studio.kit.errors import BadInput, shown

NEAR_BYTES = 20  # of text, shown on either side of an error
_STRING = re.compile(rb'"([^"]*)"(\s*:)?')
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_AT_BYTE = re.compile(r"\(byte (\d+)\)$")
# The order matters: UTF-32's little-endian mark starts with that of UTF-16.
_OTHER_ENCODINGS = (
    (BOM_UTF32_LE, "UTF-32"),
    (BOM_UTF32_BE, "UTF-32"),
    (BOM_UTF16_LE, "UTF-16"),
    (BOM_UTF16_BE, "UTF-16"),
)
_encode = msgspec.json.Encoder().encode


def decode_json(text: bytes, what: str, kind: Any = Any, keys_differ: bool = False) -> Any:
    """Returns the value of a JSON text, which errors call `what`. Raises BadInput for any invalid text.

    With `keys_differ`, the caller checks for repeated keys itself.
    """
    try:
        value = msgspec.json.decode(text, type=kind)
        if not keys_differ and not _has_plainly_different_keys(text):
            _repeats.decode(text.decode())
    except RecursionError as error:
        raise BadInput(f"{what} is nested too deeply") from error
    except _Repeated as error:
        raise BadInput(f"{what} is not valid JSON: an object has the key {shown(error.key)} twice") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"{what} is not valid JSON: {_reason(text, str(error))}") from error
    return value


def check_utf8(text: bytes, what: str) -> None:
    """Raises BadInput with the position if the text is not UTF-8 or starts with a byte order mark."""
    problem = _encoding_problem(text)
    if problem is not None:
        raise BadInput(f"{what} {problem}")


class _Repeated(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _check_keys(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Repeated(key)
            seen.add(key)


# Python's decoder, used only to inspect the keys of each object.
_repeats = json.JSONDecoder(object_pairs_hook=_check_keys, parse_int=len, parse_float=len)


def _has_plainly_different_keys(text: bytes) -> bool:
    """Whether no key occurs twice anywhere in the text: a cheap test that settles most small texts."""
    if b"\\" in text or len(text) > 4_096:
        return False
    keys = [key for key, colon in _STRING.findall(text) if colon]
    return len(set(keys)) == len(keys)


def _reason(text: bytes, said: str) -> str:
    problem = _encoding_problem(text)
    if problem is not None:
        return f"it {problem}"
    lone = _LONE_SURROGATE.search(text)
    if lone is not None:
        return f"{lone[0].decode()} at byte {lone.start()} is half of a surrogate pair"
    if "truncated" in said:
        return "it ends in the middle of a value" if text.strip() else "it is empty"
    at = _AT_BYTE.search(said)
    if at is None:
        return "a number in it is out of range" if "out of range" in said else said.partition(" - at ")[0][:200]
    place = int(at[1])
    near = text[max(0, place - NEAR_BYTES) : place + NEAR_BYTES].decode(errors="replace")
    words = said.removeprefix("JSON is malformed: ").removesuffix(at[0]).strip()
    return f"{words} at byte {place}, near {shown(near)}"


def _encoding_problem(text: bytes) -> str | None:
    for mark, name in _OTHER_ENCODINGS:
        if text.startswith(mark):
            return f"is {name}; send UTF-8"
    if text.startswith(BOM_UTF8):
        return "begins with a byte order mark; send it without"
    try:
        text.decode()
    except UnicodeDecodeError as error:
        if b"\x00" in text[:2]:
            return "looks like UTF-16; send UTF-8"
        if error.end == len(text) and error.reason == "unexpected end of data":
            return f"ends in the middle of a UTF-8 character, at byte {error.start}"
        return f"is not UTF-8: byte 0x{text[error.start]:02x} at {error.start}"
    if b"\x00" in text[:2]:
        return "looks like UTF-16; send UTF-8"
    return None


def as_json(name: str, value: Any) -> str:
    """Encodes a value that was decoded from JSON. Raises BadInput if it is nested too deeply."""
    try:
        return _encode(value).decode()
    except RecursionError as error:
        raise BadInput(f"{name} is nested too deeply") from error
