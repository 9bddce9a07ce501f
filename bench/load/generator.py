"""Runs a load generator as a process of its own, beside the process that prepares and observes the run."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.environment.processes import module_environment

RESPONSE = {"response": {"category": "a"}}  # what labelers submit for every task
BEGIN, END = "begin", "end"  # lines that a load generator prints around its measurement


def run_generator(
    command: Sequence[str], keys: Sequence[str], *, on_begin: Callable[[], None], on_end: Callable[[], None]
) -> Any:
    """Runs the command with the keys on its standard input and returns the JSON that it prints last.

    Calls `on_begin` and `on_end` when the measurement begins and ends. Raises SystemExit if the generator fails.
    """
    process = subprocess.Popen(
        command, env=module_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write("\n".join(keys))
        process.stdin.close()
        seen: list[str] = []
        result = ""
        for line in map(str.strip, process.stdout):
            if line in (BEGIN, END):
                seen.append(line)
                (on_begin if line == BEGIN else on_end)()
            else:
                result = line
    if process.returncode or seen != [BEGIN, END]:
        raise SystemExit("the load generator failed")
    return json.loads(result)


def read_keys(source: str) -> list[str]:
    """The API keys in a file, one per line, or on standard input if `source` is "-"."""
    return (sys.stdin.read() if source == "-" else Path(source).read_text()).split()
