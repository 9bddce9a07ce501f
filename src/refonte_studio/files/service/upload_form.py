"""Parses a multipart form with a file as it streams in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from refonte_studio.files.policy import check_size
from refonte_studio.kit.errors import BadInput, shown

FIELDS = 1_100
FIELD_BYTES = 200_000
AROUND_BYTES = 2_000_000  # of a form, in addition to its file


@dataclass(slots=True)
class Form:
    """The fields of a form other than the file."""

    filename: str | None = None  # None: the form has no file
    mime_type: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)


async def read_form(
    content_type: str,
    chunks: AsyncIterator[bytes],
    known: Collection[str],
    limit_bytes: int,
    write: Callable[[bytes | bytearray], Awaitable[None]],
) -> Form:
    """Passes the bytes of the field `file` to `write` as they arrive; returns the other, known fields.

    Raises BadInput for an invalid form, and TooLarge above the limit.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get("boundary")
    if kind != "multipart/form-data" or not boundary:
        raise BadInput(f"the body must be multipart/form-data, not {shown(content_type)}")
    reader = _FormAssembler(known, write)
    size = 0
    try:
        with PushMultipartParser(boundary, max_segment_count=FIELDS) as parser:
            async for chunk in chunks:
                size += len(chunk)
                check_size(size - AROUND_BYTES, limit_bytes)
                for event in parser.parse(chunk):
                    await reader.take(event)
    except MultipartError as error:
        raise BadInput(f"the form cannot be read: {error}") from error
    return reader.form


class _FormAssembler:
    """Handles the parser's events: passes the file's bytes to `write`, and collects all other fields in the form."""

    def __init__(self, known: Collection[str], write: Callable[[bytes | bytearray], Awaitable[None]]) -> None:
        self._known = known
        self._write = write
        self._field = ""
        self._text: bytearray | None = None  # of a field other than the file
        self.form = Form()

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._text is None:
            await self._write(event)
        else:
            self._text += event
            if len(self._text) > FIELD_BYTES:
                raise BadInput(f"{self._field} has more than {FIELD_BYTES:,} bytes")

    def _begin(self, segment: MultipartSegment) -> None:
        self._field = segment.name or ""
        if self._field != "file":
            if self._field.removesuffix("[]") not in self._known:
                raise BadInput(f"unknown parameter: {shown(self._field)}; the file's own field is 'file'")
            self._text = bytearray()
            return
        if self.form.filename is not None:
            raise BadInput("file is given twice; a form uploads one file")
        self.form.filename = segment.filename or "file"
        self.form.mime_type = segment.content_type or ""
        self._text = None

    def _end(self) -> None:
        if self._text is None:
            return
        try:
            self.form.fields.append((self._field, self._text.decode()))
        except UnicodeDecodeError as error:
            raise BadInput(f"{self._field} is not UTF-8") from error
