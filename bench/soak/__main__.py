"""Tries to prove dispatch wrong: people work with real server processes that are killed over and over.

    python -m bench.soak --seconds 60
    python -m bench.soak --seconds 1800 --postgresql --servers 2

Labelers claim, submit, skip, release, let leases expire, send requests twice and lose their connections. Managers reset
priorities, switch pipelines, remove people and bring them back, cancel tasks and add tasks. The servers are killed with
`kill -9` (sometimes with SIGTERM) and started again, and PostgreSQL's connections are cut. Afterwards, the auditor
checks the database, and each acknowledged submission is looked up in it. Prints what happened. If anything was wrong,
the exit code is 1, and the report has the seed, which repeats the random choices but not the timing.
"""

import argparse
import asyncio
import os
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import uvloop

from bench.environment.postgres import started_postgres
from bench.soak.caller import GivenUp, SoakState
from bench.soak.holders import Holders
from bench.soak.labelers import Labeler
from bench.soak.ledger import Ledger
from bench.soak.managers import Manager, PeopleManager
from bench.soak.proof import audit_report, compare_attempts, compare_counts, keep_auditing, open_unharmed
from bench.soak.servers import Server, keep_cutting, keep_killing
from bench.soak.suppliers import Supplier
from bench.soak.team import STEADY, Team
from refonte_studio.db.migrate import migrate

MANAGERS = 2
SUPPLIERS = 3
CALLBACKS_REFUSED = 0.1  # so that they are retried
DRAIN_S = 120.0  # for the responses to the last calls


class Soak:
    """One run, from the empty database to the proof."""

    def __init__(self, options: argparse.Namespace, database_url: str, folder: Path) -> None:
        self.options = options
        self.database_url = database_url
        self.servers = [Server(database_url, folder, options.lease_s) for _ in range(options.servers)]
        self.ledger = Ledger(folder / "acknowledged.db")
        ports = [server.port for server in self.servers]
        self.state = SoakState(
            options.seed, ports, self.ledger, Holders(STEADY), options.lease_s, options.pause_ms / 1_000
        )
        self.labelers = [Labeler(self.state, number) for number in range(options.labelers)]
        self.team = Team(self.state, self.labelers)
        self.told = 0
        self.known = self.made = self.batches = 0

    async def run(self) -> None:
        await self.servers[0].start()
        await self.team.set_up(await self.servers[0].set_up_link())
        await asyncio.gather(*(server.start() for server in self.servers[1:]))
        await self.team.make_projects()
        async with _callback_receiver(self) as callback_url:
            await self._work(callback_url)
            await self._prove()

    async def _work(self, callback_url: str) -> None:
        suppliers = [Supplier(self.state, self.team, callback_url, number) for number in range(SUPPLIERS)]
        people = [PeopleManager(self.state, self.team, number, MANAGERS) for number in range(MANAGERS)]
        managers = [Manager(self.state, self.team, number) for number in range(MANAGERS)]
        everybody = (*self.labelers, *suppliers, *people, *managers)
        working = [asyncio.create_task(each.run()) for each in everybody]
        db = await open_unharmed(self.database_url)
        beside = [asyncio.create_task(each) for each in (keep_auditing(db, self.state), *self._harm())]
        came = asyncio.create_task(self.state.faults.came.wait())
        await asyncio.wait([came, *working, *beside], timeout=self.options.seconds, return_when=asyncio.FIRST_COMPLETED)
        self.state.ending = True
        for task in (came, *beside):
            task.cancel()
        for server in self.servers:
            await server.serves()
        _, late = await asyncio.wait(working, timeout=DRAIN_S)
        for task in late:
            self.state.faults.add(f"somebody did not come to an end: {task.get_coro()}")
            task.cancel()
        for result in await asyncio.gather(*working, *beside, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError | GivenUp):
                self.state.faults.add(f"the soak itself failed: {result!r}")
        await db.close()

    def _harm(self) -> list[Coroutine[None, None, None]]:
        chance = self.state.chance
        harm: list[Coroutine[None, None, None]] = [
            keep_killing(server, chance(f"server {number}"), self.state.events, self.state.faults.add)
            for number, server in enumerate(self.servers)
        ]
        if not self.database_url.startswith("sqlite"):
            harm.append(keep_cutting(self.database_url, chance("connections"), self.state.events))
        return harm

    async def _prove(self) -> None:
        report = await asyncio.to_thread(audit_report, self.database_url)
        if not report.endswith("The database keeps every rule.\n"):
            self.state.faults.add(report)
        db = await open_unharmed(self.database_url)
        try:
            self.known, self.made = await compare_attempts(db, self.ledger, self.state.faults)
            with suppress(GivenUp):
                self.batches = await compare_counts(db, self.team.admin, self.state.faults)
        finally:
            await db.close()
        for server in self.servers:
            if code := await server.stop():
                self.state.faults.add(f"a server ended with {code} after SIGTERM")
            for trace in server.traces():
                self.state.faults.add(trace)

    def close(self) -> None:
        for server in self.servers:
            server.close()
        self.ledger.close()


@asynccontextmanager
async def _callback_receiver(soak: Soak) -> AsyncGenerator[str]:
    """Receives callbacks at the URL that it yields; refuses some of them."""
    chance = soak.state.chance("receiver")

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
    state = soak.state
    by_status: dict[str, Counter[int]] = {}
    for (kind, status), count in state.responses.items():
        by_status.setdefault(kind, Counter())[status] += count
    lines = [
        f"{os.cpu_count()} processors; {soak.database_url.partition(':')[0]}, {len(soak.servers)} server(s), "
        f"{len(soak.labelers)} labelers, {took_s:.0f} s, seed {state.seed}",
        "",
        *(f"{event:<48}{count:>12,}" for event, count in sorted(state.events.items())),
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
    if state.faults.count:
        shown = "\n".join(f"  {fault}" for fault in state.faults.kept)
        lines += ["", f"WRONG {state.faults.count:,} times, with --seed {state.seed}:", shown]
    else:
        lines += ["", "Every rule was kept, and nothing acknowledged is lost."]
    return "\n".join(lines)


async def run_soak(options: argparse.Namespace, database_url: str, folder: Path) -> bool:
    """Runs the soak and prints its report. Returns whether there was no fault."""
    await asyncio.to_thread(migrate, database_url)
    soak = Soak(options, database_url, folder)
    try:
        began = time.monotonic()
        await soak.run()
        print(report(soak, time.monotonic() - began), flush=True)
        return soak.state.faults.count == 0
    finally:
        soak.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL in a temporary folder")
    parser.add_argument("--database", default="", help="URL of an empty database; a temporary SQLite file by default")
    parser.add_argument("--servers", type=int, choices=(1, 2), default=0, help="2 by default, but 1 on SQLite")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--labelers", type=int, default=64)
    parser.add_argument("--lease-s", type=int, default=3, help="how long a claim is held")
    parser.add_argument("--pause-ms", type=float, default=0.0, help="between two tasks of a labeler, on average")
    parser.add_argument("--keep", default="", metavar="DIR", help="folder where the database and the logs stay")
    options = parser.parse_args()
    sqlite = not options.postgresql and not options.database.startswith("postgres")
    options.servers = options.servers or (1 if sqlite else 2)
    if sqlite and options.servers > 1:
        parser.error("SQLite serves one process")
    with ExitStack() as stack:
        folder = Path(options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        url = options.database or f"sqlite:///{folder / 'studio.db'}"
        if options.postgresql:
            url = stack.enter_context(started_postgres(settings={})).url
        well = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(run_soak(options, url, folder))
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
