"""Claim and submit without HTTP: callers in one process run the use-cases through `db.write`.

    python -m bench.load.without_http sqlite:////path/to/studio.db --keys keys.txt --seconds 10

`scenarios/dispatch.py` compares the calls over HTTP with it; it starts this module after the server has ended.
"""

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict

import uvloop

from bench.environment.processes import module_command, module_environment
from bench.load.closed_loop import add_run_options, report
from bench.load.figures import Figures, Recorder
from bench.load.generator import RESPONSE, read_keys
from refonte_studio.config import Settings
from refonte_studio.db import Database, open_database
from refonte_studio.dispatch import service as work
from refonte_studio.kit.clock import system_clock
from refonte_studio.main import LISTENERS
from refonte_studio.teams import service as teams


async def work_as(db: Database, key: str, recorder: Recorder, stop: asyncio.Event) -> None:
    """Claims and submits as the routes do, as the owner of a key, until nothing is left or `stop` is set."""
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


async def measure(database: str, keys: Sequence[str], warm_up: float, seconds: float) -> Figures:
    """The figures of one concurrent caller for each key."""
    db = await open_database(database, LISTENERS)
    try:
        recorder, stop = Recorder(("claim", "submit")), asyncio.Event()
        callers = [asyncio.create_task(work_as(db, key, recorder, stop)) for key in keys]
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
    """Runs the callers in a process of its own and returns their figures."""
    command = module_command("bench.load.without_http", database, "--keys", "-", "--json")
    command += ["--seconds", str(seconds), "--warm-up", str(warm_up)]
    done = subprocess.run(
        command, env=module_environment(), input="\n".join(keys), stdout=subprocess.PIPE, text=True, check=True
    )
    return Figures.from_json(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="sqlite:///… or postgresql://…, with tasks for these keys")
    add_run_options(parser)
    options = parser.parse_args()
    keys = read_keys(options.keys)
    run = measure(options.database, keys, options.warm_up, options.seconds)
    figures = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(run)
    print(json.dumps(asdict(figures)) if options.json else report(figures))


if __name__ == "__main__":
    main()
