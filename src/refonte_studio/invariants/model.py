"""Invariants of the database, and the breaches that a check finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """An invariant of every database. `breaches` is SQL that returns a row (id, found) for each exception."""

    name: str
    promise: str
    breaches: str


@dataclass(frozen=True, slots=True)
class Breach:
    """One exception to a rule: the id of the row, and what was found there."""

    id: str
    found: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of checking one rule."""

    rule: Rule
    count: int  # of breaches, in all
    examples: tuple[Breach, ...]  # the first few
