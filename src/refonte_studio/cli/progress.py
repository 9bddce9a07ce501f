"""Reports the progress of a long command: a bar on a terminal, otherwise a line every few seconds."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

LINE_S = 5  # between two lines


Advance = Callable[[int], None]
"""Reports this much additional progress."""


@contextmanager
def progress(doing: str, unit: str, total: int | None) -> Generator[Advance]:
    """Shows progress of `doing` on standard error, in units; `total` is None if unknown."""
    if not sys.stderr.isatty():
        yield _ProgressLines(doing, unit, total).advance
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    counted = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counted, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda count: bar.advance(task, count)


class _ProgressLines:
    def __init__(self, doing: str, unit: str, total: int | None) -> None:
        self._doing, self._unit = doing, unit
        self._of = "" if total is None else f" of {total:,}"
        self._done = 0
        self._next = time.monotonic() + LINE_S

    def advance(self, count: int) -> None:
        self._done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_S
            print(f"{self._doing}: {self._done:,}{self._of} {self._unit}", file=sys.stderr)
