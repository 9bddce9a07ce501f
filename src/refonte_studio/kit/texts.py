"""Validates texts sent by clients."""

from typing import Any

from refonte_studio.kit.errors import BadInput, shown


def plain_text(name: str, value: Any, most: int) -> str:
    """Returns text that the database can store and find. Raises BadInput naming the field for anything else."""
    if not isinstance(value, str):
        raise BadInput(f"{name} must be text, not {kind_of(value)}")
    if not value.strip():
        raise BadInput(f"{name} must not be blank")
    if len(value) > most:
        raise BadInput(f"{name} has {len(value):,} characters; at most {most:,} are taken")
    if "\x00" in value:
        raise BadInput(f"{name}: {shown(value)} contains a NUL character")
    return value


def kind_of(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return shown(value)
