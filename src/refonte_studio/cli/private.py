"""Keeps what the server and the command write from other users of the machine."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o007
_BESIDE = ("", "-wal", "-shm", "-journal")  # of a SQLite file


def make_private() -> None:
    """Files and folders that this process makes from now on, and its children, are for its own user alone."""
    os.umask(0o077)


def close_to_others(file: Path) -> None:
    """Takes from other users a SQLite file that an earlier version let everybody read, and its folder if there is
    nothing else in it. What the file's group may do stays."""
    if os.name != "posix":
        return
    known = [file.with_name(file.name + ending) for ending in _BESIDE]
    closed = [path for path in known if path.exists() and _closed(path)]
    with suppress(PermissionError):
        if set(file.parent.iterdir()) <= set(known) and _closed(file.parent):
            closed.append(file.parent)
    for path in closed:
        print(f"refonte-studio: {path} was open to every user of this machine, and is not any more", file=sys.stderr)


def _closed(path: Path) -> bool:
    mode = path.stat().st_mode & 0o777
    if not mode & _OTHERS:
        return False
    with suppress(PermissionError):  # it is another user's, who knows why
        path.chmod(mode & ~_OTHERS)
        return True
    return False
