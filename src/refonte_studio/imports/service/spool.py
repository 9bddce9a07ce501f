"""Buffers the checked lines of an import until all have arrived: in memory while they are few, on disk beyond."""

from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

import msgspec

from refonte_studio.tasks.model import Draft

MEMORY_BYTES = 4_000_000
_LENGTH_BYTES = 8


class PreparedAttempt(msgspec.Struct, frozen=True, array_like=True):
    """A checked external attempt; `labeler` is the number of its labeler within the import."""

    labeler: int
    response: str
    started_at: int
    submitted_at: int


class Prepared(msgspec.Struct, frozen=True, array_like=True):
    """A line of an import that passed every check."""

    line: int
    target: int  # the number of its target within the import
    draft: Draft
    answers: tuple[PreparedAttempt, ...]  # in order of submission


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Prepared]).decode


class Spool:
    """Chunks of lines, written once and read again for each try of the transaction."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, lines: Sequence[Prepared]) -> None:
        chunk = _encode(lines)
        self._file.write(len(chunk).to_bytes(_LENGTH_BYTES, "big"))
        self._file.write(chunk)

    def chunks(self) -> Iterator[list[Prepared]]:
        """Yields every chunk, from the first."""
        self._file.seek(0)
        while head := self._file.read(_LENGTH_BYTES):
            yield _decode(self._file.read(int.from_bytes(head, "big")))
