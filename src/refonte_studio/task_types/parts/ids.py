"""Ids of the parts of a response, unique in it."""


def fresh_id(wanted: str, used: set[str]) -> str:
    """The id, numbered where another object has it already; it is used from then on."""
    fresh, number = wanted, 2
    while fresh in used:
        fresh, number = f"{wanted[:100]}-{number}", number + 1
    used.add(fresh)
    return fresh
