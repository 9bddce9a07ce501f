"""Ids of the parts of a response, unique within it."""


def fresh_id(wanted: str, used: set[str]) -> str:
    """Returns the id, numbered if another object already uses it, and marks it as used."""
    fresh, number = wanted, 2
    while fresh in used:
        fresh, number = f"{wanted[:100]}-{number}", number + 1
    used.add(fresh)
    return fresh
