"""What may be said of a file, and how it may be served without being believed."""

import mimetypes
import re
from dataclasses import dataclass
from urllib.parse import quote

from refonte_studio.kit.errors import BadInput, shown

NAME_LENGTH = 255
DEFAULT_TYPE = "application/octet-stream"

_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,80}")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

# What a browser shows without running anything. All else is offered for download.
_SHOWN = re.compile(r"(image/(png|jpeg|gif|webp|avif|bmp|tiff)|audio/.+|video/.+|text/plain|application/pdf)")


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a file: from `start` up to and without `end`."""

    start: int
    end: int


def safe_name(name: str) -> str:
    """The last part of a file's name, without what a file system or a header would choke on."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(character for character in last if character.isprintable()).strip()
    return kept[-NAME_LENGTH:] or "file"


def mime_type(given: str, name: str) -> str:
    """The type that was given, or else the one that the name's ending stands for."""
    bare = given.partition(";")[0].strip().lower()
    if bare and bare != DEFAULT_TYPE and _TYPE.fullmatch(bare):
        return bare
    return mimetypes.guess_type(safe_name(name))[0] or DEFAULT_TYPE


def serving_headers(name: str, mime_type: str) -> dict[str, str]:
    """Headers with which a stranger's file can do no harm in a browser that is signed in here."""
    how = "inline" if _SHOWN.fullmatch(mime_type) else "attachment"
    return {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, max-age=3600",
        "Accept-Ranges": "bytes",
    }


def span(header: str | None, size: int) -> Span | None:
    """The part of a file that a Range header asks for; None for the whole of it. Raises BadInput beyond the end."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None  # none, or of a kind that a server may leave aside
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start = int(match[1])
        end = min(size, int(match[2]) + 1) if match[2] else size
    if start >= end:
        raise BadInput(f"the range {shown(header)} is not within the file's {size:,} bytes")
    return Span(start, end)
