"""What several answers to one question give, and how alike two answers are, for each kind of question.

| kind | result | likeness of two answers |
| --- | --- | --- |
| category, boolean | the judge's decision | the same or not |
| several choices | the judge's decision on each choice | F1: twice what is in common by what there is |
| number, integer, rating | weighted median | how near they are, by the range there is |
| angle | medoid around the circle | how near they are around it |
| date, time, datetime | weighted median | the same or not |
| time_range | weighted medians of start and end | time in common by time in all |
| ranking | Bradley and Terry's order of strength | Kendall's tau |
| text, any | the answer more than half give, else the medoid | edits that make one the other |

A result that no judge decides on is as sure as the attempts resemble it (see `consensus.medians.support`). Where some
leave a question open, most decide whether it stays open, and an answer is as sure as its givers are many.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from refonte_studio.consensus import ranking
from refonte_studio.consensus.geometry import common_time
from refonte_studio.consensus.medians import medoid, middle, support, weighted_median
from refonte_studio.consensus.texts import edit_similarity, text_cost, typical_text
from refonte_studio.task_types.parts.panel import Panel, identity, label
from refonte_studio.task_types.parts.questions import Question

Likeness = Callable[[Any, Any], float]


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """The combined answer; None stands for a question that stays open."""

    value: Any
    confidence: float


def settle_answer(asked: Question, name: str, given: Sequence[Any], panel: Panel) -> QuestionAnswer:
    """Combines several answers to a question, which judges know by `name`. None is no answer."""
    present = [value is not None for value in given]
    if not panel.most(present):
        return QuestionAnswer(None, panel.support([0.0 if each else 1.0 for each in present]))
    share = panel.share(present)
    if asked.kind == "category" and asked.multiple:
        found = settle_choices(name, given, max(asked.fewest, 1), asked.most, panel)
        return QuestionAnswer(found.value, found.confidence * share)
    if is_decided(asked):
        value, decision = panel.decide(name, given, choices_of(asked))
        return QuestionAnswer(value, decision.confidence * share)
    places = [place for place, each in enumerate(present) if each]
    values, weights = [given[place] for place in places], panel.part(places)
    value = _MIDDLES[asked.kind](asked, values, weights)
    likeness = likeness_of(asked)
    return QuestionAnswer(value, support(weights, [likeness(each, value) for each in values]) * share)


def is_decided(asked: Question) -> bool:
    """Whether a judge decides on the answer as a whole."""
    return asked.kind == "boolean" or (asked.kind == "category" and not asked.multiple)


def choices_of(asked: Question) -> int | None:
    return 2 if asked.options is None else len(asked.options)


def settle_choices(
    name: str, given: Sequence[Sequence[Any] | None], fewest: int, most: int, panel: Panel
) -> QuestionAnswer:
    """Returns the choices that a judge, asked about each one that anybody made, considers correct.

    Where limits apply, the probabilities decide which choices stay. The choices are listed in order of first
    occurrence. The confidence is the mean over the choices that anybody made.
    """
    options: dict[Hashable, Any] = {}
    for value in (value for answer in given for value in answer or ()):
        options.setdefault(identity(value), value)
    sure: dict[Hashable, float] = {}
    for option, value in options.items():
        said = [None if answer is None else _holds(answer, option) for answer in given]
        is_right, decision = panel.decide(f"{name}/{choice_name(value)}", said, 2)
        sure[option] = decision.confidence if is_right is True else -decision.confidence
    if not options:
        return QuestionAnswer([], panel.support([1.0] * len(given)))
    probability = {option: p if p > 0 else 1 + p for option, p in sure.items()}
    order = sorted(options, key=lambda option: (sure[option] <= 0, -round(probability[option], 9)))
    agreed = sum(1 for option in options if sure[option] > 0)
    kept = set(order[: max(fewest, min(agreed, most))])
    confidence = sum(probability[each] if each in kept else 1 - probability[each] for each in options) / len(options)
    return QuestionAnswer([options[option] for option in options if option in kept], confidence)


def _holds(answer: Sequence[Any], option: Hashable) -> bool:
    return any(identity(value) == option for value in answer)


def choice_name(value: Any) -> str:
    return value if isinstance(value, str) else label(value)


def likeness_of(asked: Question) -> Likeness:
    """Returns a function for the similarity, 0 to 1, of two answers to the question; neither may be None."""
    if asked.kind == "category" and asked.multiple:
        return set_likeness
    if asked.kind in ("number", "integer", "rating"):
        return lambda one, other: closeness(one, other, asked.least, asked.greatest)
    return _LIKENESS.get(asked.kind, _same)


def value_cost(values: Sequence[Any]) -> float:
    """Estimates the microseconds that comparing two such answers takes on average."""
    return 10 + text_cost([value for value in values if isinstance(value, str)])


def set_likeness(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Returns the F1 of two sets of choices; 1 if both are empty."""
    mine, theirs = {identity(each) for each in one}, {identity(each) for each in other}
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine or theirs else 1.0


def pair_agreement(said: Sequence[str]) -> float:
    """Returns the share of pairs of labels that are equal; 1 for a single label."""
    pairs = len(said) * (len(said) - 1)
    return sum(count * (count - 1) for count in Counter(said).values()) / pairs if pairs else 1.0


def closeness(one: float, other: float, least: float | None, greatest: float | None) -> float:
    """Returns 1 for equal numbers, 0 for numbers half the range apart; without a range, a tenth of the larger
    number."""
    if one == other:
        return 1.0
    far = max(abs(one), abs(other)) / 10 if least is None or greatest is None else (greatest - least) / 2
    return max(0.0, 1 - abs(one - other) / far) if far else 0.0


def _same(one: Any, other: Any) -> float:
    return float(identity(one) == identity(other))


def _around(one: float, other: float) -> float:
    """Returns 1 for the same direction, 0 for a right angle or more."""
    turn = abs(one - other) % 360
    return max(0.0, 1 - min(turn, 360 - turn) / 90)


def _same_moment(one: str, other: str) -> float:
    return float(_moment(one) == _moment(other))


def _time_in_common(one: Sequence[float], other: Sequence[float]) -> float:
    return 1.0 if list(one) == list(other) else float(common_time(np.array([one], float), np.array([other], float))[0])


def _any_likeness(one: Any, other: Any) -> float:
    if isinstance(one, str) and isinstance(other, str):
        return edit_similarity(one, other)
    if isinstance(one, str | bool) or isinstance(other, str | bool):
        return _same(one, other)
    return closeness(one, other, None, None)


_LIKENESS: Mapping[str, Likeness] = {
    "angle": _around,
    "date": _same_moment,
    "time": _same_moment,
    "datetime": _same_moment,
    "time_range": _time_in_common,
    "ranking": ranking.concordance,
    "text": edit_similarity,
    "any": _any_likeness,
}


def _moment(written: str) -> float:
    """Converts a date, a time of day, or both to a number that grows with it; UTC unless it has a zone."""
    for parse in (date.fromisoformat, datetime.fromisoformat, time.fromisoformat):
        try:
            found = parse(written)
        except ValueError:
            continue
        return _number(found)
    raise ValueError(f"{written!r} is not a moment")


def _number(moment: date | datetime | time) -> float:
    if isinstance(moment, time):
        moment = datetime.combine(date(2000, 1, 2), moment, moment.tzinfo or UTC)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds()


def _median(asked: Question, values: Sequence[Any], weights: Sequence[float]) -> int | float:
    """Returns the median. Whole numbers stay whole: of two in the middle, the one given first."""
    places = middle(values, weights)
    low, high = (values[place] for place in places)
    if low == high or asked.kind != "number":
        return values[min(places)]
    between = (low + high) / 2
    return int(between) if between.is_integer() and isinstance(low, int) and isinstance(high, int) else between


def _mid_angle(_: Question, values: Sequence[float], weights: Sequence[float]) -> float:
    return values[medoid(values, weights, _around)]


def _mid_moment(_: Question, values: Sequence[str], weights: Sequence[float]) -> str:
    """Returns the median; of two in the middle, the one given first."""
    moments = [_moment(value) for value in values]
    wanted = {moments[place] for place in middle(moments, weights)}
    return next(value for value, moment in zip(values, moments, strict=True) if moment in wanted)


def _mid_range(_: Question, values: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    return [weighted_median([value[end] for value in values], weights) for end in (0, 1)]


def _order(_: Question, values: Sequence[Sequence[Any]], weights: Sequence[float]) -> list[Any]:
    named = {identity(each): each for each in values[0]}
    orders = [[identity(each) for each in value] for value in values]
    return [named[each] for each in ranking.ranked(orders, weights)]


def _typical(_: Question, values: Sequence[Any], weights: Sequence[float]) -> Any:
    return values[typical(values, weights)]


def typical(values: Sequence[Any], weights: Sequence[float]) -> int:
    """Returns the index of the most typical value, compared as texts (see `typical_text`)."""
    return typical_text([value if isinstance(value, str) else label(value) for value in values], weights)


_MIDDLES: Mapping[str, Callable[[Question, Sequence[Any], Sequence[float]], Any]] = {
    **dict.fromkeys(("number", "integer", "rating"), _median),
    **dict.fromkeys(("date", "time", "datetime"), _mid_moment),
    "angle": _mid_angle,
    "time_range": _mid_range,
    "ranking": _order,
    "text": _typical,
    "any": _typical,
}
