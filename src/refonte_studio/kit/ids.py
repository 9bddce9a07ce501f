"""Generates and checks ids and secrets."""

import hashlib
import re
import secrets
import threading

_ID = re.compile(r"[0-9a-f]{24}")


class IdSource:
    """Generates ids: 24 lower-case hexadecimal digits. The first 48 bits are the time in milliseconds, the last 48 a
    counter that starts at a random value.

    Ids of one process sort by creation; ids of several processes sort to the millisecond.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._time_ms = 0
        self._tail = 0

    def next(self, now: int) -> str:
        return self.run(now, 1)[0]

    def run(self, now: int, count: int) -> list[str]:
        """Returns `count` ids in ascending order."""
        with self._lock:
            if now > self._time_ms:
                self._time_ms = now
                self._tail = secrets.randbits(46)  # two bits of headroom, so that the counter never wraps
            first = self._tail
            self._tail += count
            prefix = f"{self._time_ms:012x}"
        return [f"{prefix}{tail:012x}" for tail in range(first + 1, first + count + 1)]


_source = IdSource()
new_id = _source.next
new_ids = _source.run


def is_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None


def new_secret() -> str:
    """Returns 192 random bits as URL-safe text."""
    return secrets.token_urlsafe(24)


def digest(secret: str) -> str:
    """Hashes a random secret for storage. Because it is random, it needs neither a salt nor a slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
