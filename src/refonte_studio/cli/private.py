"""Keeps files written by the server and the command private to their user."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o007
_BESIDE = ("", "-wal", "-shm", "-journal")  # companions of a SQLite file


def make_private() -> None:
    """Makes files and folders created from now on, by this process and its children, accessible to its user only."""
    os.umask(0o077)


def close_to_others(file: Path) -> None:
    """Removes other users' access to a SQLite file created by an earlier version, and to its folder if it contains
    nothing else. Access of the file's group remains."""
    if os.name != "posix":
        return
    known = [file.with_name(file.name + ending) for ending in _BESIDE]
    closed = [path for path in known if path.exists() and _closed(path)]
    with suppress(PermissionError):
        if set(file.parent.iterdir()) <= set(known) and _closed(file.parent):
            closed.append(file.parent)
    for path in closed:
        print(
            f"refonte-studio: {path} was accessible to every user of this machine; this has been changed",
            file=sys.stderr,
        )


def _closed(path: Path) -> bool:
    mode = path.stat().st_mode & 0o777
    if not mode & _OTHERS:
        return False
    with suppress(PermissionError):  # owned by another user, who is responsible for it
        path.chmod(mode & ~_OTHERS)
        return True
    return False
