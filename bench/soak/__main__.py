"""Whether dispatch is ever wrong: people at work in real server processes that are killed over and over.

    python -m bench.soak --seconds 60
    python -m bench.soak --seconds 1800 --postgresql --servers 2

Labelers claim, submit, skip, release, hold too long, send things twice, lose their connections; managers reset
priorities, switch pipelines, take people away and bring them back, cancel, add tasks; the servers are ended by
`kill -9` (now and then by SIGTERM) and started again, and PostgreSQL's connections are cut. Afterwards the auditor
reads the database, and every acknowledged submission is looked up in it. Prints what happened. Exit code 1 if
anything was wrong, with the seed, which makes the same choices again (not the same coincidences).
"""

import argparse
import asyncio
import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import uvloop

from bench.soak.labelers import Labeler
from bench.soak.managers import STEADY, GivenUp, Manager, PeopleManager, Supplier, Team
from bench.soak.proof import audited, compare_attempts, compare_counts, keep_auditing, opened
from bench.soak.servers import Server, a_postgresql, keep_cutting, keep_killing
from bench.soak.shared import Holders, Ledger, Load
from refonte_studio.db.migrate import migrate

MANAGERS = 2
SUPPLIERS = 3
CALLBACKS_REFUSED = 0.1  # so that they are tried again
DRAIN_S = 120.0  # what people get to hear the answers of their last calls


class Soak:
    """One run, from the empty database to the proof."""

    def __init__(self, options: argparse.Namespace, database_url: str, folder: Path) -> None:
        self.options = options
        self.database_url = database_url
        self.servers = [Server(database_url, folder, options.lease_s) for _ in range(options.servers)]
        self.ledger = Ledger(folder / "acknowledged.db")
        ports = [server.port for server in self.servers]
        self.load = Load(options.seed, ports, self.ledger, Holders(STEADY), options.lease_s, options.pause_ms / 1_000)
        self.labelers = [Labeler(self.load, number) for number in range(options.labelers)]
        self.team = Team(self.load, self.labelers)
        self.told = 0
        self.known = self.made = self.batches = 0

    async def run(self) -> None:
        await self.servers[0].start()
        await self.team.set_up(await self.servers[0].set_up_link())
        await asyncio.gather(*(server.start() for server in self.servers[1:]))
        await self.team.make_projects()
        async with _receiver(self) as callback_url:
            await self._work(callback_url)
            await self._prove()

    async def _work(self, callback_url: str) -> None:
        suppliers = [Supplier(self.load, self.team, callback_url, number) for number in range(SUPPLIERS)]
        people = [PeopleManager(self.load, self.team, number, MANAGERS) for number in range(MANAGERS)]
        managers = [Manager(self.load, self.team, number) for number in range(MANAGERS)]
        everybody = (*self.labelers, *suppliers, *people, *managers)
        working = [asyncio.create_task(each.run()) for each in everybody]
        db = await opened(self.database_url)
        beside = [asyncio.create_task(each) for each in (keep_auditing(db, self.load), *self._harm())]
        came = asyncio.create_task(self.load.faults.came.wait())
        await asyncio.wait([came, *working, *beside], timeout=self.options.seconds, return_when=asyncio.FIRST_COMPLETED)
        self.load.ending = True
        for task in (came, *beside):
            task.cancel()
        for server in self.servers:
            await server.serves()
        _, late = await asyncio.wait(working, timeout=DRAIN_S)
        for task in late:
            self.load.faults.add(f"somebody did not come to an end: {task.get_coro()}")
            task.cancel()
        for result in await asyncio.gather(*working, *beside, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError | GivenUp):
                self.load.faults.add(f"the soak itself failed: {result!r}")
        await db.close()

    def _harm(self) -> list[object]:
        chance = self.load.chance
        harm: list[object] = [
            keep_killing(server, chance(f"server {number}"), self.load.events, self.load.faults.add)
            for number, server in enumerate(self.servers)
        ]
        if not self.database_url.startswith("sqlite"):
            harm.append(keep_cutting(self.database_url, chance("connections"), self.load.events))
        return harm

    async def _prove(self) -> None:
        report = await asyncio.to_thread(audited, self.database_url)
        if not report.endswith("The database keeps every rule.\n"):
            self.load.faults.add(report)
        db = await opened(self.database_url)
        try:
            self.known, self.made = await compare_attempts(db, self.ledger, self.load.faults)
            with suppress(GivenUp):
                self.batches = await compare_counts(db, self.team.admin, self.load.faults)
        finally:
            await db.close()
        for server in self.servers:
            if code := await server.end():
                self.load.faults.add(f"a server ended with {code} after SIGTERM")
            for trace in server.traces():
                self.load.faults.add(trace)

    def close(self) -> None:
        for server in self.servers:
            server.close()
        self.ledger.close()


@asynccontextmanager
async def _receiver(soak: Soak) -> AsyncIterator[str]:
    """Whom callbacks go to; refuses some of them."""
    chance = soak.load.chance("receiver")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
                refused = chance.random() < CALLBACKS_REFUSED
                soak.told += not refused
                writer.write(b"HTTP/1.1 %d As told\r\ncontent-length: 0\r\n\r\n" % (500 if refused else 200))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


def report(soak: Soak, took_s: float) -> str:
    load = soak.load
    by_status: dict[str, Counter[int]] = {}
    for (kind, status), count in load.answers.items():
        by_status.setdefault(kind, Counter())[status] += count
    lines = [
        f"{os.cpu_count()} processors; {soak.database_url.partition(':')[0]}, {len(soak.servers)} server(s), "
        f"{len(soak.labelers)} labelers, {took_s:.0f} s, seed {load.seed}",
        "",
        *(f"{event:<48}{count:>12,}" for event, count in sorted(load.events.items())),
        f"{'callbacks delivered':<48}{soak.told:>12,}",
        "",
        *(
            f"{kind:<48}" + "  ".join(f"{status}: {count:,}" for status, count in sorted(counts.items()))
            for kind, counts in sorted(by_status.items())
        ),
        "",
        f"{'acknowledged submissions':<48}{soak.known:>12,}   {soak.known / took_s:,.0f} a second",
        f"{'attempts in the database':<48}{soak.made:>12,}   of which {soak.made - soak.known:,} had their answer lost",
        f"{'batches whose counts were compared':<48}{soak.batches:>12,}",
        f"{'most memory':<48}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:>12,.0f} MB here; "
        + ", ".join(f"{server.most_mb:,.0f} MB in a server" for server in soak.servers),
    ]
    if load.faults.count:
        shown = "\n".join(f"  {fault}" for fault in load.faults.kept)
        lines += ["", f"WRONG {load.faults.count:,} times, with --seed {load.seed}:", shown]
    else:
        lines += ["", "Every rule was kept, and nothing acknowledged is lost."]
    return "\n".join(lines)


async def soak_on(options: argparse.Namespace, folder: Path) -> bool:
    """Runs the soak, prints its report; whether all was well."""
    async with AsyncExitStack() as stack:
        url = options.database or f"sqlite:///{folder / 'studio.db'}"
        if options.postgresql:
            url = await stack.enter_async_context(a_postgresql())
        await asyncio.to_thread(migrate, url)
        soak = Soak(options, url, folder)
        stack.callback(soak.close)
        began = time.monotonic()
        await soak.run()
        print(report(soak, time.monotonic() - began), flush=True)
        return soak.load.faults.count == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of its own, from a wheel")
    parser.add_argument("--database", default="", help="URL of an empty database; a new SQLite file unless given")
    parser.add_argument("--servers", type=int, choices=(1, 2), default=0, help="2 unless on SQLite, which takes 1")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--labelers", type=int, default=64)
    parser.add_argument("--lease-s", type=int, default=3, help="how long a claim is held")
    parser.add_argument("--pause-ms", type=float, default=0.0, help="between two tasks of a labeler, on average")
    parser.add_argument("--keep", default="", metavar="DIR", help="where the database and the logs stay")
    options = parser.parse_args()
    sqlite = not options.postgresql and not options.database.startswith("postgres")
    options.servers = options.servers or (1 if sqlite else 2)
    if sqlite and options.servers > 1:
        parser.error("SQLite serves one process")
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = Path(options.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        well = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(soak_on(options, folder))
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
