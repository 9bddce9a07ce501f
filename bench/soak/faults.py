"""The faults that a soak finds."""

import asyncio

FAULTS_KEPT = 50


class Faults:
    """What happened and must not. The first fault ends the soak."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[str] = []
        self.came = asyncio.Event()

    def add(self, fault: str) -> None:
        self.count += 1
        if len(self.kept) < FAULTS_KEPT:
            self.kept.append(fault)
        self.came.set()
