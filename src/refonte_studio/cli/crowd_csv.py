"""CSV files as data sets come: each row with the line of the file on which it begins, and what is wrong with it."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from refonte_studio.kit.errors import BadInput, shown

_FIELD = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
_RECORD = re.compile(rf"{_FIELD}(?:,{_FIELD})*")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# What Python's reader says, and what that means to whoever wrote the file.
_MEANINGS = (
    ("unexpected end of data", "a quote is opened here and closed nowhere"),
    ("expected after", "something stands between a closing quote and the next comma"),
    ("field limit", f"a field has more than {csv.field_size_limit():,} characters"),
)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A row, or what is wrong with it; a blank line is a row without fields."""

    line: int  # on which it begins, from 1
    fields: list[str]
    error: str | None = None


def rows(lines: Iterable[bytes]) -> Iterator[CsvRow]:
    """The rows of a file whose lines end as on any system. Raises BadInput for what is not UTF-8, naming the line."""
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
    """What is wrong with the quotes of a record that the reader took; it takes more than CSV is."""
    if any("\ufeff" in one for one in fields):
        return "a byte-order mark stands inside the file, as where two files are joined"
    if not any('"' in one for one in fields) or _RECORD.fullmatch(record.rstrip("\r\n")):
        return None
    return f"quotes must stand around a whole field, with no blank outside, and be doubled inside it: {shown(record)}"


@dataclass(slots=True)
class _CountedLines:
    """The lines of a file, decoded, with how many there were and those since `record` was cleared."""

    source: Iterable[bytes]
    number: int = 0
    record: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for several in self.source:  # split at line feeds alone, and so several where a carriage return ends a line
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
