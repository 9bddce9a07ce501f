"""Estimates people's pace from the last days: how much they work per day, when, and with what uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refonte_studio.analytics.model import DAY_HOURS, HISTORY_DAYS, ForecastInput, ProjectPace

Floats = NDArray[np.float64]

BLOCKS = 32  # least number of columns that large teams are grouped into
SCARCE = 8  # with fewer people than this many times those a task needs, each person is a column
WEEK = 7
PRIOR_ATTEMPTS = 5  # weight of the team's time for a task, in attempts of the person
ALIKE = 0.6  # weekdays are alike if their work differs by less than this share of the mean
RHYTHM = 3  # how closely forecasts follow a weekly rhythm, if there is one
LATE_HOURS = 2  # hours before now that show whether a person is at work
LEAST_VARIANCE, MOST_VARIANCE, USUAL_VARIANCE = 0.05, 1.0, 0.3  # of the pace between people
CAUTION = 4.0  # factor by which recent days tell less about a person than independent days would
DRIFT_CV = 0.08  # coefficient of variation of a change that affects the whole future
MINUTE_MS = 60_000.0  # assumed time of a task if nothing is known
SEED = 20_231_101


@dataclass(frozen=True, slots=True)
class RecentDays:
    """The last days of all people. A newcomer's missing days are filled with their own days or a colleague's."""

    work: Floats  # (people, days, hours), milliseconds
    total: Floats  # of each person, over all days
    active: Sequence[bool]  # whether the person has worked in these days
    known: Sequence[int]  # number of days that are the person's own
    within: float  # variance of a person's days, relative to their squared mean
    between: float  # variance of people's means
    same_weekday: float  # weight of another weekday relative to the same one
    together: float  # the probability that people's days vary together

    @property
    def common(self) -> float:
        """The variance of a change that affects all people and all days to come."""
        return DRIFT_CV**2 + self.together**2 * self.within / HISTORY_DAYS

    @property
    def any(self) -> bool:
        return any(self.active)

    def weights(self, work: Floats, day: int) -> Floats:
        """For each column, the probability that a future day resembles each past day. Day 0 begins now.

        With a weekly rhythm, the likely days are those of the same weekday, or of a weekday with as much work.
        """
        totals = work.sum(axis=2)
        by_weekday = np.stack([totals[:, first::WEEK].mean(axis=1) for first in range(WEEK)], axis=1)
        weekdays = np.arange(HISTORY_DAYS) % WEEK
        coming = -(day + 1) % WEEK
        far = np.abs(by_weekday[:, weekdays] - by_weekday[:, [coming]])
        alike = (far <= ALIKE * by_weekday.mean(axis=1, keepdims=True)) | (weekdays == coming)
        return np.where(alike, 1.0, self.same_weekday)

    def today(self, work: Floats, unlike: float) -> Floats:
        """The same for the day that begins now: days that began like today are more likely."""
        late = work[:, :, DAY_HOURS - LATE_HOURS :].sum(axis=2)
        before = np.concatenate([late[:, 1:], np.full((len(late), 1), np.nan)], axis=1)
        near = np.abs(before - late[:, :1]) <= late.max(axis=1, keepdims=True) / 2
        return self.weights(work, 0) * np.where(np.isnan(before) | near, 1.0, unlike)


@dataclass(frozen=True, slots=True)
class Column:
    """One person, or several people who may work on the same batches."""

    members: Sequence[int]
    lines: frozenset[int]
    work: Floats  # (days, hours)
    variance: float  # of the logarithm of the pace


def history_of(known: ForecastInput) -> RecentDays:
    """People's recent days, with missing days filled in."""
    own = [np.array(worker.work, dtype=np.float64).reshape(-1, DAY_HOURS) for worker in known.workers]
    for person in _without_pace(known, own):
        own[person] = own[person][:0]
    active = [bool(days.sum() > 0) for days in own]
    totals = [days.sum(axis=1) for days in own]
    within, same_weekday = _rhythm([day for day, works in zip(totals, active, strict=True) if works])
    between = _between([day for day, works in zip(totals, active, strict=True) if works], within)
    work = _filled(own, active)
    return RecentDays(
        work=work,
        total=work.sum(axis=(1, 2)),
        active=active,
        known=[len(days) for days in own],
        within=within,
        between=between,
        same_weekday=same_weekday,
        together=_together([day for day in totals if len(day) == HISTORY_DAYS], weekly=same_weekday < 0.5),
    )


def _without_pace(known: ForecastInput, own: Sequence[Floats]) -> set[int]:
    """The people of batches on which none of them worked recently, so that their own days say nothing."""
    idle = {person for person, days in enumerate(own) if days.sum() == 0}
    return {person for line in known.lines if idle.issuperset(line.people) for person in line.people}


def _filled(own: Sequence[Floats], active: Sequence[bool]) -> Floats:
    """The days of all people. A missing day is drawn from the person's own days and one day of a colleague."""
    rng = np.random.default_rng(SEED)
    pool = [days for days, works in zip(own, active, strict=True) if works]
    filled = np.zeros((len(own), HISTORY_DAYS, DAY_HOURS))
    for person, days in enumerate(own):
        filled[person, : len(days)] = days
        for day in range(len(days), HISTORY_DAYS):
            mine = rng.random() < len(days) / (len(days) + 1)
            source = days if mine or not pool else pool[rng.integers(len(pool))]
            if len(source):
                filled[person, day] = source[rng.integers(len(source))]
    return filled


def _rhythm(totals: Sequence[Floats]) -> tuple[float, float]:
    """How much a person's days vary, and the weight of other weekdays, estimated from people who have worked."""
    same, other = [], []
    for days in totals:
        squared = (days / days.mean())[:, None] - (days / days.mean())[None, :]
        apart = np.abs(np.arange(len(days))[:, None] - np.arange(len(days))[None, :])
        same += list((squared**2)[(apart > 0) & (apart % WEEK == 0)])
        other += list((squared**2)[apart % WEEK != 0])
    if not other:
        return USUAL_VARIANCE, 1.0
    elsewhere = float(np.mean(other))
    if not same or elsewhere == 0:
        return elsewhere / 2, 1.0
    ratio = min(1.0, float(np.mean(same)) / elsewhere)
    return (ratio if ratio < 0.5 else 1.0) * elsewhere / 2, max(ratio**RHYTHM, 1e-3)


def _between(totals: Sequence[Floats], within: float) -> float:
    """How much people's means vary, beyond the sampling error of few days."""
    if len(totals) < 3:
        return USUAL_VARIANCE
    means = np.array([days.mean() for days in totals])
    few = float(np.mean([within / len(days) for days in totals]))
    return float(np.clip(means.var() / means.mean() ** 2 - few, LEAST_VARIANCE, MOST_VARIANCE))


def _together(totals: Sequence[Floats], *, weekly: bool) -> float:
    """How strongly people's days vary together, beyond the weekly rhythm: from 0 (not at all) to 1 (completely)."""
    if len(totals) < 2:
        return 0.0
    days = np.stack(totals)
    if weekly:
        weeks = days.reshape(len(days), -1, WEEK)
        days = (weeks - weeks.mean(axis=1, keepdims=True)).reshape(days.shape)
    alone = float(days.var(axis=1).sum())
    wholly = float(days.std(axis=1).sum()) ** 2
    if wholly <= alone:
        return 0.0
    return math.sqrt(float(np.clip((days.sum(axis=0).var() - alone) / (wholly - alone), 0.0, 1.0)))


def columns_of(known: ForecastInput, history: RecentDays) -> list[Column]:
    """The people who may work on any of the batches, grouped where that makes no difference."""
    lines: dict[int, list[int]] = {}
    scarce: set[int] = set()
    for place, line in enumerate(known.lines):
        if line.remaining == 0:
            continue
        for person in line.people:
            lines.setdefault(person, []).append(place)
        if line.wanted > 1 and len(line.people) <= SCARCE * line.wanted:
            scarce.update(line.people)
    if not lines or not history.any:
        return []
    crews: dict[tuple[tuple[int, ...], int | None], list[int]] = {}
    for person, places in lines.items():
        crews.setdefault((tuple(places), person if person in scarce else None), []).append(person)
    block = max(1, len(lines) // BLOCKS)
    found: list[Column] = []
    for (places, _), people in crews.items():
        for start in range(0, len(people), block):
            members = people[start : start + block]
            found.append(_column(history, members, frozenset(places)))
    return found


def _column(history: RecentDays, members: Sequence[int], lines: frozenset[int]) -> Column:
    work = history.work[list(members)]
    means = work.sum(axis=(1, 2))
    total = float(means.sum())
    unsure = [
        1 / (1 / history.between + history.known[person] / max(CAUTION * history.within, 1e-6)) for person in members
    ]
    share = float((means**2 * np.array(unsure)).sum()) / total**2 if total else 0.0
    return Column(members, lines, work.sum(axis=0), math.log1p(share))


def task_time(known: ForecastInput, history: RecentDays, members: Sequence[int], project_id: str) -> float:
    """The mean time that a task of the project takes these people, in milliseconds.

    The weight of a person's own times grows with their number. Without any, the project's mean counts, or the team's.
    """
    everywhere = _mean(known, project_id)
    tasks, work_ms = 0.0, 0.0
    for person in members:
        own = known.workers[person].pace.get(project_id, ProjectPace(0, 0.0))
        task_ms = (own.active_ms + PRIOR_ATTEMPTS * everywhere) / (own.attempts + PRIOR_ATTEMPTS)
        works_ms = float(history.total[person]) or 1.0
        tasks, work_ms = tasks + works_ms / task_ms, work_ms + works_ms
    return work_ms / tasks


def _mean(known: ForecastInput, project_id: str) -> float:
    own = known.paces.get(project_id)
    if own is not None and own.attempts:
        return max(1.0, own.active_ms / own.attempts)
    attempts = sum(pace.attempts for pace in known.paces.values())
    return max(1.0, sum(pace.active_ms for pace in known.paces.values()) / attempts) if attempts else MINUTE_MS
