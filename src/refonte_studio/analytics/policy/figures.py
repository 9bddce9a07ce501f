"""Computes figures from counts, and agreement between labelers, without a database."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt

from refonte_studio.analytics.model import AttemptFigures, Cell, Confusion, Pair, Votes
from refonte_studio.kit.clock import DAY_MS, MINUTE_MS, parse_time
from refonte_studio.kit.errors import BadInput, shown
from refonte_studio.kit.names import name_key

HOUR_MS = 60 * MINUTE_MS
Z_95 = 1.959964


def period(start: str | None, end: str | None, now: int) -> tuple[int | None, int]:
    """Returns the start (included) and the end (excluded). Raises BadInput for bad times or a start after the end."""
    begins = parse_time("from", start) if start else None
    ends = parse_time("to", end) if end else now + 1  # what was submitted just now counts
    if begins is not None and begins > ends:
        raise BadInput("from must not be after to; without to, the period ends now")
    return begins, ends


def wilson(passed: int, of: int) -> tuple[float, float, float] | None:
    """Returns the share passed and its 95 % Wilson interval; None if `of` is 0."""
    if of == 0:
        return None
    share, square = passed / of, Z_95**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z_95 * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return share, middle - half if passed else 0.0, middle + half if passed < of else 1.0


def per_active_hour(done: AttemptFigures) -> float | None:
    return done.timed * HOUR_MS / done.active_ms if done.active_ms else None


def per_calendar_day(done: AttemptFigures, start: int | None, end: int) -> float | None:
    """Attempts per calendar day of the period, or since the first attempt if it has no start; at least one day."""
    if done.first is None:
        return None
    return done.timed * DAY_MS / max(DAY_MS, end - (done.first if start is None else start))


# ------------------------------------------------------------------------------------------ confusion


def the_question(asked: str | None, known: Mapping[str, int]) -> str:
    """The question that a request means: the one it names, or the only one. Raises BadInput naming the questions."""
    if asked is None and len(known) == 1:
        return next(iter(known))
    if asked is not None and asked in known:
        return asked
    if not known:
        raise BadInput("no attempt of this period answers a question with categories")
    names = ", ".join(shown(name) for name in list(known)[:10])
    raise BadInput(
        f"question is required, one of {names}"
        if asked is None
        else f"there is no question {shown(asked)}, but {names}"
    )


def confusion(question: str, votes: Sequence[tuple[str, Votes, Votes]], apart: Sequence[str]) -> Confusion:
    """Counts pairs of (result, answer) from (teammate, votes of the result, votes of the attempt), most frequent first.

    The people in `apart` also get a matrix of their own.
    """
    counts: Counter[tuple[str, str]] = Counter()
    each: dict[str, Counter[tuple[str, str]]] = {person: Counter() for person in apart}
    for person, right, said in votes:
        if question in right and question in said:
            pair = (right[question], said[question])
            counts[pair] += 1
            if person in each:
                each[person][pair] += 1
    return Confusion(question, _cells(counts), {person: _cells(mine) for person, mine in each.items()})


def _cells(counts: Counter[tuple[str, str]]) -> list[Cell]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Cell(result, answer, count) for (result, answer), count in ordered]


# --------------------------------------------------------------------------------------- disagreement


@dataclass(slots=True)
class _Meetings:
    """What two people answered to the same tasks."""

    alike: list[float] = field(default_factory=list[float])
    labels: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """One person's answer to a task, with its votes if it consists of categories."""

    teammate_id: str
    votes: Votes
    response: object


def pairs(
    tasks: Sequence[Sequence[PersonAnswer]], alike: Callable[[int, PersonAnswer, PersonAnswer], float], comparisons: int
) -> tuple[list[Pair], bool]:
    """All pairs of people with a common task, and whether `comparisons` was too low for all of them.

    `alike` compares answers to a task (given by its index) that are not votes.
    """
    met: dict[tuple[str, str], _Meetings] = defaultdict(_Meetings)
    for place, answers in enumerate(tasks):
        for one, other in combinations(sorted(answers, key=lambda said: said.teammate_id), 2):
            if one.teammate_id == other.teammate_id:
                continue
            if comparisons == 0:
                return [_pair(who, found) for who, found in met.items()], True
            comparisons -= 1
            meetings = met[one.teammate_id, other.teammate_id]
            shared = [name for name in one.votes if name in other.votes]
            for name in shared:
                meetings.labels.setdefault(name, []).append((one.votes[name], other.votes[name]))
            if shared:
                same = sum(one.votes[name] == other.votes[name] for name in shared)
                meetings.alike.append(same / len(shared))
            else:
                meetings.alike.append(alike(place, one, other))
    return [_pair(who, found) for who, found in met.items()], False


def _pair(who: tuple[str, str], found: _Meetings) -> Pair:
    together = len(found.alike)
    return Pair(
        one=who[0],
        other=who[1],
        together=together,
        agreed=sum(likeness >= 1 for likeness in found.alike),
        agreement=sum(found.alike) / together,
        kappa=kappa(found.labels),
    )


def kappa(labels: Mapping[str, Sequence[tuple[str, str]]]) -> float | None:
    """Cohen's kappa (1960) of the labels that two people gave. Chance agreement is computed for each question."""
    total = sum(map(len, labels.values()))
    if total == 0:
        return None
    same, by_chance = 0, 0.0
    for given in labels.values():
        same += sum(one == other for one, other in given)
        mine, theirs = Counter(one for one, _ in given), Counter(other for _, other in given)
        by_chance += sum(count * theirs[label] for label, count in mine.items()) / len(given)
    if by_chance >= total:
        return None
    return (same - by_chance) / (total - by_chance)


def worst_first(found: Sequence[Pair], at_least: int, limit: int) -> list[Pair]:
    """Returns the pairs with enough common tasks, least agreement first."""
    enough = [pair for pair in found if pair.together >= at_least]
    return sorted(enough, key=lambda pair: (pair.agreement, -pair.together, pair.one, pair.other))[:limit]


# ------------------------------------------------------------------------------------------- forecast


def put_first(queue: Sequence[str], among: Sequence[str], names: Sequence[str]) -> list[str]:
    """The queue with the named batches first among the positions of `among`.

    Raises BadInput for a name that is unknown, not pending, not in `among`, or repeated.
    """
    known, chosen = frozenset(queue), frozenset(among)
    names = [name_key(name) for name in names]
    for name in names:
        if name not in known:
            raise BadInput(f"there is no pending batch {shown(name)}")
        if name not in chosen:
            raise BadInput(f"batch {shown(name)} is not one of those that trade places: the group's or the project's")
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise BadInput(f"batch {', '.join(map(shown, repeated[:10]))} is named more than once")
    ahead = frozenset(names)
    incoming = iter([*names, *(name for name in queue if name in chosen and name not in ahead)])
    return [next(incoming) if name in chosen else name for name in queue]
