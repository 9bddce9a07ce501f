"""Which file properties are valid, and how to serve files safely."""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from refonte_studio.kit.errors import BadInput, TooLarge, shown

NAME_LENGTH = 255
METADATA_LENGTH = 100_000
REFERENCE_LENGTH = 500
DEFAULT_TYPE = "application/octet-stream"

_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,80}")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

# Types that browsers show without running anything. All others are offered for download.
_SHOWN = re.compile(r"(image/(png|jpeg|gif|webp|avif|bmp|tiff)|audio/.+|video/.+|text/plain|application/pdf)")


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a file: from `start` inclusive to `end` exclusive."""

    start: int
    end: int


def safe_name(name: str) -> str:
    """Returns the last part of a file's name, without characters that are invalid in file systems or headers."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(character for character in last if character.isprintable()).strip()
    return kept[-NAME_LENGTH:] or "file"


def mime_type(given: str, name: str) -> str:
    """Returns the given type, or the one that the name's extension suggests."""
    bare = given.partition(";")[0].strip().lower()
    if bare and bare != DEFAULT_TYPE and _TYPE.fullmatch(bare):
        return bare
    return mimetypes.guess_type(safe_name(name))[0] or DEFAULT_TYPE


def serving_headers(name: str, mime_type: str) -> dict[str, str]:
    """Returns headers that keep an uploaded file harmless in a browser that is signed in here."""
    how = "inline" if _SHOWN.fullmatch(mime_type) else "attachment"
    return {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, max-age=3600",
        "Accept-Ranges": "bytes",
    }


def check_reference_id(reference_id: str) -> None:
    """Raises BadInput for a reference_id that is blank or too long."""
    if not reference_id.strip():
        raise BadInput(f"reference_id must not be blank, but is {shown(reference_id)}")
    if len(reference_id) > REFERENCE_LENGTH:
        raise BadInput(f"reference_id has at most {REFERENCE_LENGTH} characters, not {len(reference_id):,}")


def check_size(size: int, limit_bytes: int) -> None:
    """Raises TooLarge for a file above the limit."""
    if size > limit_bytes:
        raise TooLarge(f"the file has more than {limit_bytes:,} bytes")


def span(header: str | None, size: int) -> Span | None:
    """Returns the part of a file that a Range header requests; None for the whole file, which is always a valid
    response."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start = int(match[1])
        end = min(size, int(match[2]) + 1) if match[2] else size
    return Span(start, end) if start < end else None


def metadata_of(text: str) -> dict[str, Any]:
    """Parses metadata sent in a form: a JSON object. Raises BadInput for anything else."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadInput(f"metadata must be a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise BadInput(f"metadata must be a JSON object, not {shown(text)}")
    return value


def metadata_json(metadata: Mapping[str, Any]) -> str:
    """Returns metadata in stored form. Raises BadInput if it is nested too deeply or too long."""
    try:
        text = msgspec.json.encode(metadata).decode()
    except RecursionError as error:
        raise BadInput("metadata is nested too deeply") from error
    if len(text) > METADATA_LENGTH:
        raise BadInput(f"metadata has {len(text):,} characters as JSON; at most {METADATA_LENGTH:,} are taken")
    return text
