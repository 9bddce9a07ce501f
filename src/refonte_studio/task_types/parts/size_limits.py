"""Limits on the total size of a response, in addition to the limits of its parts."""

from typing import Any

from refonte_studio.task_types.parts.checks import missing

MAX_RUNS = 1_000_000
MAX_VERTICES = 200_000
MAX_FRAMES = 100_000
MAX_CHARACTERS = 2_000_000
MAX_VALUES = 200_000

# By the name of the containing list; everything else that is neither an object nor an array is a value.
_LISTS = {"counts": "runs", "vertices": "vertices", "frames": "frames"}
_LIMITS = {
    "runs": MAX_RUNS,
    "vertices": MAX_VERTICES,
    "frames": MAX_FRAMES,
    "characters": MAX_CHARACTERS,
    "values": MAX_VALUES,
}


def check_totals(response: object) -> None:
    """Raises BadInput if the response has more runs, vertices, frames, characters or other values than allowed.

    The runs of a compressed mask count as characters here; `parts.masks` counts them after decoding.
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
    """Returns what a frame contains in addition to the few numbers of every frame."""
    return {"vertices": frame["vertices"]} if isinstance(frame, dict) and "vertices" in frame else None


def _count_items(items: list[Any], totals: dict[str, int], waiting: list[Any]) -> None:
    for item in items:
        if isinstance(item, dict | list):
            waiting.append(item)
        else:
            totals["values"] += 1
            totals["characters"] += len(item) if isinstance(item, str) else 0
