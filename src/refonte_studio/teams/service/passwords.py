"""Passwords are hashed with Argon2id, slowly on purpose: on threads of their own, never in a transaction."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from refonte_studio.kit.admission import Admission

T = TypeVar("T")
THREADS = 2  # each hash holds 19 MB while it is made
WAIT_S = 5.0  # longer than for other things: people come in crowds, and wait rather than type it again

_hasher = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
# Of a random text that nobody knows; verifying against it takes as long as against a person's.
_NOBODY = "$argon2id$v=19$m=19456,t=3,p=1$7UJIqDOhvrZ2pCNlDwmF/A$u5A3CaGZZSnVqZQWySPNBov7ahJ61IX8uL+tm6vfvu0"


def hash_password(password: str) -> str:
    """The hash to keep. Blocks for some 30 ms."""
    return _hasher.hash(_normal(password))


def verify_password(password: str, password_hash: str) -> bool:
    """Whether the hash is of this password. Blocks for some 30 ms."""
    try:
        return _hasher.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> bytes:
    """The same password from every keyboard: an accented letter may arrive as one character or as two."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogateescape")


class Passwords:
    """Hashing for a server: a few at a time, off the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._admission = Admission("people signing in", THREADS, WAIT_S)

    async def hash(self, password: str) -> str:
        """The hash to keep."""
        return await self._run(lambda: hash_password(password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is of this password; takes as long where there is no hash."""
        return await self._run(lambda: verify_password(password, password_hash or _NOBODY))

    async def _run(self, work: Callable[[], T]) -> T:
        entry = self._admission.enter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._admission.leave(entry)

    def close(self) -> None:
        """Lets the threads end."""
        self._threads.shutdown(wait=False)
