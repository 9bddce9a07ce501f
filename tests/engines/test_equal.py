"""Both engines are equal: the same calls have the same responses, in the same order, and leave the same rows."""

import random
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from refonte_studio.db import Tx, open_database
from refonte_studio.db.schema import metadata
from refonte_studio.invariants.service import audit
from refonte_studio.kit import ids
from refonte_studio.main import LISTENERS
from tests.conftest import empty
from tests.engines.random_calls import ACTIONS, RandomCalls, RecordedCall
from tests.invariants import check, snapshot
from tests.world import Clock, World

CALLS = 600
SEEDS = range(6)
# What each engine has of its own: hints where to look, what they are stamped with, and a number of no meaning.
OWN = {"dispatch_cursors": None, "task_slots": {"opened"}, "batch_deltas": {"id"}}

ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{12}\b")


class _Known:
    """Secrets, and the random part of ids, that come again in the next run."""

    def __init__(self) -> None:
        self._count = 0

    def randbits(self, bits: int) -> int:
        return 0

    def token_urlsafe(self, size: int) -> str:
        self._count += 1
        return f"{self._count:0{size}d}"


async def _rows(tx: Tx) -> list[str]:
    """Every row of every table, in an order that no engine has chosen."""
    found: list[str] = []
    for table in metadata.sorted_tables:
        own = OWN.get(table.name, set())
        if own is None:
            continue
        columns = ", ".join(column.name for column in table.columns if column.name not in own)
        rows = [dict(row).values() for row in await tx.all(f"SELECT {columns} FROM {table.name}")]
        found += sorted(f"{table.name}: {[_plain(value) for value in row]}" for row in rows)
    return found


def _plain(value: Any) -> Any:
    """SQLite has numbers for true and false."""
    return int(value) if isinstance(value, bool) else value


def _named(lines: list[str]) -> list[str]:
    """With ids by their moment and their rank in it: an engine may make one that it has no use for."""
    names: dict[str, str] = {}
    ranks: Counter[str] = Counter()
    for found in sorted({match[0] for line in lines for match in ID.finditer(line)}):
        moment = found[:12]
        ranks[moment] += 1
        names[found] = f"{moment}-{ranks[moment]}"
    return [ID.sub(lambda match: names[match[0]], line) for line in lines]


async def _played(url: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[RecordedCall], list[str]]:
    """What was said, and all of it with the rows that it left, a line each."""
    monkeypatch.setattr(ids, "secrets", _Known())
    monkeypatch.setattr(ids._source, "_time_ms", 0)
    db = await open_database(url, LISTENERS)
    try:
        world = await World.make(db, Clock())
        said = await RandomCalls(world, random.Random(seed)).run(CALLS)
        await world.close()
        check(await db.read(snapshot))
        assert [finding for finding in await db.read(audit) if finding.count] == []
        return said, _named([*map(str, said), *await db.read(_rows)])
    finally:
        await db.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_engines_answer_the_same_and_keep_the_same(
    seed: int, sqlite_template: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copy(sqlite_template, tmp_path / "studio.db")
    await empty(postgres_url)
    ours, our_lines = await _played(f"sqlite:///{tmp_path / 'studio.db'}", seed, monkeypatch)
    theirs, their_lines = await _played(postgres_url, seed, monkeypatch)
    for number, (one, other) in enumerate(zip(our_lines, their_lines, strict=False)):
        assert one == other, f"line {number}; the calls are {len(ours)} and {len(theirs)}, then come the rows"
    assert len(our_lines) == len(their_lines)
    succeeded = Counter(said.doing for said in ours if said.status in (200, 204))
    assert set(succeeded) >= set(ACTIONS), f"never with success: {set(ACTIONS) - set(succeeded)}"
    assert all(said.status < 500 for said in ours)
