"""How much a response may hold in all, whatever its parts may hold each."""

from typing import Any

from refonte_studio.task_types.parts.checks import missing

MAX_RUNS = 1_000_000
MAX_VERTICES = 200_000
MAX_FRAMES = 100_000
MAX_CHARACTERS = 2_000_000
MAX_VALUES = 200_000

# By the name of the list that holds them; everything else that is not an object or an array is a value.
_LISTS = {"counts": "runs", "vertices": "vertices", "frames": "frames"}
_LIMITS = {
    "runs": MAX_RUNS,
    "vertices": MAX_VERTICES,
    "frames": MAX_FRAMES,
    "characters": MAX_CHARACTERS,
    "values": MAX_VALUES,
}


def check_totals(response: object) -> None:
    """Raises BadInput if the response holds more runs, vertices, frames, characters or other values than are allowed.

    The runs of a compressed mask count as characters here; `_masks` counts them once they are read.
    """
    totals = dict.fromkeys(_LIMITS, 0)
    waiting: list[Any] = [response]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            _count_members(each, totals, waiting)
        elif isinstance(each, list):
            _count_items(each, totals, waiting)
    for what, total in totals.items():
        if total > _LIMITS[what]:
            missing("response", f"has {total:,} {what} in all, at most {_LIMITS[what]:,} are allowed")


def _count_members(members: dict[str, Any], totals: dict[str, int], waiting: list[Any]) -> None:
    for name, value in members.items():
        if isinstance(value, str):
            totals["characters"] += len(value)
            totals["values"] += 1
        elif isinstance(value, list) and name in _LISTS:
            totals[_LISTS[name]] += len(value)
            if name == "frames":
                waiting.extend(_drawn(frame) for frame in value)
        elif isinstance(value, dict | list):
            waiting.append(value)
        else:
            totals["values"] += 1


def _drawn(frame: object) -> Any:
    """What a frame holds beyond the few numbers that every frame has."""
    return {"vertices": frame["vertices"]} if isinstance(frame, dict) and "vertices" in frame else None


def _count_items(items: list[Any], totals: dict[str, int], waiting: list[Any]) -> None:
    for item in items:
        if isinstance(item, dict | list):
            waiting.append(item)
        else:
            totals["values"] += 1
            totals["characters"] += len(item) if isinstance(item, str) else 0
