"""The same work without HTTP: callers in one process who run the use-cases of claim and submit through `db.write`.

    python -m bench.load.without_http sqlite:////path/to/studio.db --keys keys.txt --seconds 10

It is what the calls over HTTP are held against. Started by `scenarios/dispatch.py`, after the server has ended.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import uvloop

from bench.environment.processes import module_command, module_environment
from bench.load.closed_loop import RESPONSE, report
from bench.load.figures import Figures, Recorder
from refonte_studio.config import Settings
from refonte_studio.db import Database, open_database
from refonte_studio.dispatch import service as work
from refonte_studio.kit.clock import system_clock
from refonte_studio.main import LISTENERS
from refonte_studio.teams import service as teams


async def direct(db: Database, key: str, recorder: Recorder, stop: asyncio.Event) -> None:
    """One caller's claims and submits, as the routes run them, until there is nothing left or `stop` is set."""
    found = await db.read(teams.caller_of_key, key, system_clock())
    assert found is not None
    caller, lease_ms = found[0], Settings().lease_s * 1_000
    while not stop.is_set():
        began = time.perf_counter()
        held = await db.write(work.claim_next, caller, None, None, lease_ms, system_clock())
        claimed = time.perf_counter()
        if held is None:
            return
        await db.write(work.submit, caller, held.claim.id, RESPONSE["response"], system_clock())
        if recorder.is_open:
            recorder.took_s["claim"].append(claimed - began)
            recorder.took_s["submit"].append(time.perf_counter() - claimed)


async def measured(database: str, keys: Sequence[str], warm_up: float, seconds: float) -> Figures:
    """What so many callers get done side by side."""
    db = await open_database(database, LISTENERS)
    try:
        recorder, stop = Recorder(("claim", "submit")), asyncio.Event()
        callers = [asyncio.create_task(direct(db, key, recorder, stop)) for key in keys]
        await asyncio.wait(callers, timeout=warm_up)
        cpu_s, began = time.process_time(), time.perf_counter()
        recorder.is_open = True
        await asyncio.wait(callers, timeout=seconds)
        recorder.is_open = False
        cpu_s, took_s = time.process_time() - cpu_s, time.perf_counter() - began
        if any(caller.done() and caller.exception() is None for caller in callers):
            raise SystemExit("the tasks ran out")
        stop.set()
        await asyncio.gather(*callers)
    finally:
        await db.close()
    return recorder.figures(took_s, cpu_s)


def drive(database: str, keys: Sequence[str], seconds: float, *, warm_up: float = 1.0) -> Figures:
    """A run in a process of its own."""
    command = module_command("bench.load.without_http", database, "--keys", "-", "--json")
    command += ["--seconds", str(seconds), "--warm-up", str(warm_up)]
    done = subprocess.run(
        command, env=module_environment(), input="\n".join(keys), stdout=subprocess.PIPE, text=True, check=True
    )
    return Figures.from_json(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="sqlite:///… or postgresql://…, with tasks for these keys")
    parser.add_argument("--keys", required=True, help="file with one API key a line; - for standard input")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds before that do not count")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    keys = (sys.stdin.read() if options.keys == "-" else Path(options.keys).read_text()).split()
    run = measured(options.database, keys, options.warm_up, options.seconds)
    figures = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(run)
    print(json.dumps(asdict(figures)) if options.json else report(figures))


if __name__ == "__main__":
    main()
