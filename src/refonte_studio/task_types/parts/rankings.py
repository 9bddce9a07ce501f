"""Rankings with ties: `[[ids], …]`, the best first."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from refonte_studio.consensus.medians import first_greatest
from refonte_studio.consensus.ranking import tied
from refonte_studio.task_types.parts.checks import an_array, at, listed, missing, one_of, refuse
from refonte_studio.task_types.parts.panel import Panel

Ranking = Sequence[Sequence[str]]


def check_ranking(given: object, ids: Sequence[str], path: str) -> list[list[str]]:
    """Checks that every id has one position; ties are sorted in the order of `ids`. A bare id has a position of its
    own."""
    found: list[list[str]] = []
    met: set[str] = set()
    for index, place in enumerate(an_array(given, path, 1)):
        here = at(path, index)
        shared: list[Any] = [place] if isinstance(place, str) else an_array(place, here, 1)
        for each in shared:
            name = one_of(each, here, ids)
            if name in met:
                refuse(here, name, "is ranked twice")
            met.add(name)
        found.append(sorted(shared, key=ids.index))
    left = [each for each in ids if each not in met]
    if left:
        missing(path, f"leaves out {listed(left)}")
    return found


def ranking_likeness(one: Ranking, other: Ranking) -> float:
    """Returns the share of pairs that both rank in the same order; a tie agrees by half with either order.

    This is Kendall's tau (1938) with ties, from 0 (reversed) to 1 (equal). Rankings of different tasks are compared by
    common ids; with fewer than two of them, the similarity is one half, as for random orders.
    """
    mine, theirs = _places(one), _places(other)
    pairs = list(combinations(sorted(mine.keys() & theirs.keys()), 2))
    if not pairs:
        return 1.0 if mine == theirs else 0.5
    apart = sum(abs(_sign(mine[a] - mine[b]) - _sign(theirs[a] - theirs[b])) for a, b in pairs)
    return 1 - apart / (2 * len(pairs))


def settle_ranking(given: Sequence[Ranking], ids: Sequence[str], panel: Panel) -> tuple[list[list[str]], float]:
    """Returns the ranking that more than half of the weight gives, or else the Bradley-Terry ranking, and its
    confidence."""
    exact = [panel.share([each == one for each in given]) for one in given]
    favourite = first_greatest(exact)
    if exact[favourite] > 0.5:
        found = [list(place) for place in given[favourite]]
    else:
        found = [sorted(place, key=ids.index) for place in tied(given, panel.weights)]
    return found, panel.support([ranking_likeness(each, found) for each in given])


def _places(ranking: Ranking) -> dict[str, int]:
    return {name: index for index, place in enumerate(ranking) for name in place}


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
