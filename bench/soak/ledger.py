"""The acknowledged submissions of a soak."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

LEDGER_ROWS = 2_000  # kept in memory before they are written


class Ledger:
    """The claims and tasks of acknowledged submissions, on disk."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("CREATE TABLE acknowledged (claim BLOB PRIMARY KEY, task BLOB NOT NULL) WITHOUT ROWID")
        self._rows: list[tuple[bytes, bytes]] = []

    def add(self, claim_id: str, task_id: str) -> None:
        self._rows.append((bytes.fromhex(claim_id), bytes.fromhex(task_id)))
        if len(self._rows) >= LEDGER_ROWS:
            self.write()

    def write(self) -> None:
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR IGNORE INTO acknowledged VALUES (?, ?)", self._rows)
        self._file.execute("COMMIT")
        self._rows.clear()

    def __len__(self) -> int:
        self.write()
        return self._file.execute("SELECT COUNT(*) FROM acknowledged").fetchone()[0]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yields claims and their tasks, in the order of the claims' ids."""
        self.write()
        for claim, task in self._file.execute("SELECT claim, task FROM acknowledged ORDER BY claim"):
            yield claim.hex(), task.hex()

    def close(self) -> None:
        self._file.close()
