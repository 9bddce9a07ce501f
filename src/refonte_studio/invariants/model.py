"""What the auditor proves, and what it finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What is true of every database at every moment. `breaches` is SQL: a row (id, found) for each exception."""

    name: str
    promise: str
    breaches: str


@dataclass(frozen=True, slots=True)
class Breach:
    """One exception to a rule: the id of what is wrong, and what was found there."""

    id: str
    found: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule came to."""

    rule: Rule
    count: int  # of breaches, in all
    examples: tuple[Breach, ...]  # the first few
