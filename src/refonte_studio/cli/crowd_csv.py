"""Reads CSV files of data sets: each row with its first line number and any error."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from refonte_studio.kit.errors import BadInput, shown

_FIELD = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
_RECORD = re.compile(rf"{_FIELD}(?:,{_FIELD})*")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Messages of Python's reader, and their meaning for the author of the file.
_MEANINGS = (
    ("unexpected end of data", "a quote is opened here and never closed"),
    ("expected after", "there is text between a closing quote and the next comma"),
    ("field limit", f"a field has more than {csv.field_size_limit():,} characters"),
)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row or its error. A blank line is a row without fields."""

    line: int  # number of its first line, starting at 1
    fields: list[str]
    error: str | None = None


def rows(lines: Iterable[bytes]) -> Iterator[CsvRow]:
    """Yields the rows of a file with any kind of line end. Raises BadInput naming the line for text that is not
    UTF-8."""
    text = _CountedLines(lines)
    reader = csv.reader(text, strict=True)
    while True:
        text.record.clear()
        line = text.number + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield CsvRow(line, [], _meaning(error))
            continue
        yield CsvRow(line, fields, _strayed(fields, "".join(text.record)))


def _meaning(error: csv.Error) -> str:
    said = str(error)
    return next((meaning for part, meaning in _MEANINGS if part in said), f"this is not CSV: {said}")


def _strayed(fields: list[str], record: str) -> str | None:
    """Returns an error for misplaced quotes in a record that the reader accepted: it accepts more than CSV."""
    if any("\ufeff" in one for one in fields):
        return "there is a byte-order mark inside the file, as if two files were joined"
    if not any('"' in one for one in fields) or _RECORD.fullmatch(record.rstrip("\r\n")):
        return None
    return f"quotes must enclose a whole field, without spaces outside, and be doubled inside it: {shown(record)}"


@dataclass(slots=True)
class _CountedLines:
    """The decoded lines of a file; counts them, and collects those since `record` was cleared."""

    source: Iterable[bytes]
    number: int = 0
    record: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        # the source splits at line feeds only, so it may contain several lines that end with carriage returns
        for several in self.source:
            for line in several.splitlines(keepends=True):
                self.number += 1
                self.record.append(self._decoded(line))
                yield self.record[-1]

    def _decoded(self, line: bytes) -> str:
        if self.number == 1 and line.startswith(_UTF_16):
            raise BadInput("the file is UTF-16; save it as UTF-8")
        try:
            return line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(f"line {self.number} is not UTF-8: {shown(line[:60])}") from error
