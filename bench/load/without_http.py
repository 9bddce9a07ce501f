"""Claim and submit without HTTP: callers in one process run what the handlers of the two operations run.

    python -m bench.load.without_http sqlite:////path/to/studio.db --keys keys.txt --seconds 10

`scenarios/dispatch.py` compares the calls over HTTP with it; it starts this module after the server has ended.
"""

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict

import uvloop

from bench.environment.processes import module_command, module_environment
from bench.load.closed_loop import add_run_options, report
from bench.load.figures import Figures, Recorder
from bench.load.generator import RESPONSE, read_keys
from refonte_studio.config import Settings
from refonte_studio.db import Tx, open_database
from refonte_studio.dispatch.routes import loop
from refonte_studio.kit.caller import Caller, HashedCredential
from refonte_studio.kit.clock import system_clock
from refonte_studio.kit.ids import digest
from refonte_studio.kit.response_pacer import ResponsePacer
from refonte_studio.main import AUTHENTICATOR, LISTENERS
from refonte_studio.teams import service as teams
from refonte_studio.web import Call, Studio


def _call(studio: Studio, credential: HashedCredential, caller: Caller) -> Call:
    """A request of the owner of a key, as the handlers get it once HTTP is done with."""

    async def sign_in(_tx: Tx) -> tuple[Caller, None]:
        return caller, None

    call = Call(studio, studio.clock(), {}, None, "", _no_body)
    call.hashed_credential, call.sign_in = credential, sign_in
    return call


async def _no_body() -> AsyncIterator[bytes]:
    for part in ():
        yield part


async def work_as(studio: Studio, key: str, recorder: Recorder, stop: asyncio.Event) -> None:
    """Claims and submits as the routes do, as the owner of a key, until nothing is left or `stop` is set."""
    found = await studio.db.read(teams.caller_of_key, key, studio.clock())
    assert found is not None
    credential, lease_ms = HashedCredential("key", digest(key)), studio.settings.lease_s * 1_000
    while not stop.is_set():
        began = time.perf_counter()
        held = await loop.claim(_call(studio, credential, found[0]), None, None, lease_ms)
        claimed = time.perf_counter()
        if held is None:
            return
        await loop.submit(_call(studio, credential, found[0]), held.claim.id, RESPONSE["response"])
        if recorder.is_open:
            recorder.took_s["claim"].append(claimed - began)
            recorder.took_s["submit"].append(time.perf_counter() - claimed)


async def measure(database: str, keys: Sequence[str], warm_up: float, seconds: float) -> Figures:
    """The figures of one concurrent caller for each key."""
    db = await open_database(database, LISTENERS)
    try:
        studio = Studio(db, Settings(), system_clock, AUTHENTICATOR, {ResponsePacer: ResponsePacer()})
        recorder, stop = Recorder(("claim", "submit")), asyncio.Event()
        callers = [asyncio.create_task(work_as(studio, key, recorder, stop)) for key in keys]
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
