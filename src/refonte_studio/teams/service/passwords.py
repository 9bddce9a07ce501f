"""Hashes passwords with Argon2id, which is deliberately slow: in separate threads, never in a transaction."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from refonte_studio.kit.admission import Admission
from refonte_studio.teams.policy.accounts import checked_password

T = TypeVar("T")
THREADS = 2  # each hash uses 19 MB of memory
WAIT_S = 5.0  # longer than elsewhere: people sign in at the same time of day, and prefer waiting to typing again

_hasher = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
# The hash of a random text that nobody knows; verifying against it takes as long as against a person's hash.
_NOBODY = "$argon2id$v=19$m=19456,t=3,p=1$7UJIqDOhvrZ2pCNlDwmF/A$u5A3CaGZZSnVqZQWySPNBov7ahJ61IX8uL+tm6vfvu0"


def hash_password(password: str) -> str:
    """Returns the hash to store. Blocks for about 30 ms."""
    return _hasher.hash(_normal(password))


def verify_password(password: str, password_hash: str) -> bool:
    """Whether the hash belongs to this password. Blocks for about 30 ms."""
    try:
        return _hasher.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> bytes:
    """Returns the same text whatever the keyboard: an accented letter may arrive as one character or as two."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogateescape")


class Passwords:
    """Hashes and verifies passwords in a few threads, outside the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._admission = Admission("people signing in", THREADS, WAIT_S)

    async def check(self, field: str, password: str) -> None:
        """Raises BadInput unless this may be a new password. The first call reads the list of common passwords."""
        await self._run(lambda: checked_password(field, password))

    async def hash(self, field: str, password: str) -> str:
        """Returns the hash to store of a new password. Raises BadInput unless it may be one."""
        return await self._run(lambda: hash_password(checked_password(field, password)))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash belongs to this password. Takes as long without a hash."""
        return await self._run(lambda: verify_password(password, password_hash or _NOBODY))

    async def _run(self, work: Callable[[], T]) -> T:
        entry = self._admission.enter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._admission.leave(entry)

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False)
