"""A SQLite file and its connections, which are reopened when the file at the path has changed.

A file that is moved or replaced under a running server stays open and writable. Without checking the path, the server
would acknowledge writes that nobody will ever read.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

BUSY_MS = 5_000  # how long to wait for a lock held by another process
BUSY_AGAIN_MS = 250  # the same, after a wait that failed
TRUST_S = 0.25  # how long a check of the path is valid for reads; commits always check it before and after

Use = Literal["read", "write"]

# The statements of a claim create small temporary tables; on disk, each would cost more than the rest of the claim.
_PRAGMAS: dict[Use, tuple[str, ...]] = {
    "read": ("journal_mode = WAL", "query_only = ON", "cache_size = -8000"),
    "write": (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -32000",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 0",  # checkpoints are made by `SqliteDatabase`, not during a commit that callers wait for
    ),
}

_Identity = tuple[int, int, int, int]
_REPLACED = "its file was replaced while it was in use"

_TROUBLES = {
    sqlite3.SQLITE_FULL: "its disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_BUSY: "another program keeps it locked",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked",
    sqlite3.SQLITE_PROTOCOL: "another program keeps it locked",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
    sqlite3.SQLITE_PERM: "its file cannot be opened",
    sqlite3.SQLITE_AUTH: "its file cannot be opened",
    sqlite3.SQLITE_IOERR: "its disk fails to read or to write",
    sqlite3.SQLITE_CORRUPT: "its file is damaged",
    sqlite3.SQLITE_NOTADB: "its file is damaged",
    sqlite3.SQLITE_NOMEM: "there is no memory left for it",
}
_SPOILT = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)


class Misplaced(Exception):
    """The file at the path is not the one that was opened; the message describes the problem for operators."""


class InUse(Misplaced):
    """The file was replaced while somebody still reads the old one."""


def trouble_with(error: BaseException, use: Use) -> str | None:
    """Describes the problem of the database for operators; None if it is not the cause, for example because of a
    bug."""
    if isinstance(error, Misplaced):
        return str(error)
    if not isinstance(error, sqlite3.Error):
        return None
    if use == "read" and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY:
        return None  # a read-only use-case tried to write
    if "no such table" in str(error):
        return "it lacks the server's tables"
    return _TROUBLES.get(_code(error))


def is_locked(error: BaseException) -> bool:
    """Whether a lock was waited for in vain."""
    return isinstance(error, InUse) or (isinstance(error, sqlite3.Error) and _code(error) == sqlite3.SQLITE_BUSY)


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)  # errors raised by the module itself have no code
    return code & 0xFF


class SqliteRow(sqlite3.Row):
    def values(self) -> tuple[Any, ...]:
        """In the order of the columns, as a mapping has them."""
        return tuple(self)


@dataclass(slots=True)
class _Open:
    connection: sqlite3.Connection
    busy_ms: int


class SqliteFile:
    """The file at a path, and its connections, which are lent out. Thread-safe."""

    def __init__(self, path: str) -> None:
        self._path = path
        # never creates a file, because an empty one is not a database
        self._uri = f"{Path(path).absolute().as_uri()}?mode=rw"
        self._returned = threading.Condition()
        self._idle: dict[Use, list[_Open]] = {"read": [], "write": []}
        self._lent = 0
        self._identity: _Identity | None = None
        self._seen_at = 0.0
        self._spoilt = False

    @contextmanager
    def connection(self, use: Use, busy_ms: int) -> Generator[sqlite3.Connection]:
        """Yields a connection for a group of writes or a read. Raises Misplaced or sqlite3's errors."""
        opened = self._borrow(use, busy_ms)
        try:
            if opened is None:
                opened = self._opened(use, busy_ms)
            if opened.busy_ms != busy_ms:
                opened.connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
                opened.busy_ms = busy_ms
            yield opened.connection
        finally:
            with self._returned:
                self._lent -= 1
                if opened is not None:
                    self._idle[use].append(opened)
                self._returned.notify_all()

    def check(self) -> None:
        """Raises Misplaced if the file at the path is not the one that was opened."""
        if self._identity not in (None, self._look()):
            raise Misplaced(_REPLACED)

    def distrust(self, error: BaseException) -> None:
        """Reopens all connections if that may help after this error."""
        if isinstance(error, sqlite3.Error) and _code(error) in _SPOILT:
            self._spoilt = True

    def close(self) -> None:
        """Closes connections that are not lent out."""
        with self._returned:
            self._close_idle()

    def _borrow(self, use: Use, busy_ms: int) -> _Open | None:
        with self._returned:
            while self._stale(use):
                if self._lent == 0:
                    self._start_over()
                elif not self._returned.wait(busy_ms / 1_000):
                    raise InUse(_REPLACED)
            self._lent += 1
            return self._idle[use].pop() if self._idle[use] else None

    def _stale(self, use: Use) -> bool:
        """Whether the connections may belong to another file than the one at the path."""
        if self._spoilt or self._identity is None:
            return self._spoilt
        trusted = use == "read" and time.monotonic() - self._seen_at < TRUST_S
        return not trusted and self._look() != self._identity

    def _look(self) -> _Identity:
        """Returns the identity of the files at the path. The write-ahead log counts too, because neither works without
        the other."""
        try:
            file = os.stat(self._path)
        except OSError as error:
            self._seen_at = 0.0
            missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            raise Misplaced("its file is gone" if missing else "its file cannot be reached") from error
        try:
            beside = os.stat(f"{self._path}-wal")
        except FileNotFoundError:
            return file.st_dev, file.st_ino, 0, 0
        self._seen_at = time.monotonic()
        return file.st_dev, file.st_ino, beside.st_dev, beside.st_ino

    def _start_over(self) -> None:
        """Closes all connections, so that the next ones open the file that is at the path now.

        The old file's write-ahead log is first moved into that file and emptied, because SQLite would otherwise apply
        it to the new file.
        """
        for opened in (self._idle["write"] or self._idle["read"])[:1] if self._replaced() else ():
            (refused, *_) = opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if refused:
                raise InUse(_REPLACED)
        self._close_idle()
        self._identity, self._spoilt = None, False

    def _replaced(self) -> bool:
        return self._identity is not None and self._look()[:2] != self._identity[:2]

    def _close_idle(self) -> None:
        for waiting in self._idle.values():
            while waiting:
                with suppress(sqlite3.Error):
                    waiting.pop().connection.close()

    def _opened(self, use: Use, busy_ms: int) -> _Open:
        before = self._look()
        connection = sqlite3.connect(
            self._uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        opened: _Open | None = None
        try:
            connection.row_factory = SqliteRow
            for pragma in (f"busy_timeout = {busy_ms}", *_PRAGMAS[use]):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # opens the files
            with self._returned:
                now = self._look()
                self._identity = self._identity or now
                if now != self._identity or now[:2] != before[:2]:
                    raise Misplaced(_REPLACED)
            opened = _Open(connection, busy_ms)
            return opened
        finally:
            if opened is None:
                connection.close()
