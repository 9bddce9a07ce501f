"""Checks that a database keeps every rule, from its rows alone."""

from collections.abc import Callable, Sequence

from refonte_studio.db import Tx
from refonte_studio.invariants import store
from refonte_studio.invariants.model import Finding, Rule
from refonte_studio.invariants.rules.batches import BATCH_RULES
from refonte_studio.invariants.rules.people import PEOPLE_RULES
from refonte_studio.invariants.rules.reviews import REVIEW_RULES
from refonte_studio.invariants.rules.tasks import TASK_RULES

RULES: tuple[Rule, ...] = (*TASK_RULES, *PEOPLE_RULES, *REVIEW_RULES, *BATCH_RULES)


def _nobody(_finding: Finding) -> None:
    """Nobody waits for the findings one by one."""


async def audit(tx: Tx, tell: Callable[[Finding], None] = _nobody) -> Sequence[Finding]:
    """Checks each rule on one snapshot of the data; calls `tell` with each finding as soon as it is known."""
    findings: list[Finding] = []
    for rule in RULES:
        finding = await store.finding(tx, rule)
        tell(finding)
        findings.append(finding)
    return findings
