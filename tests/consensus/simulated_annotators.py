"""Simulates annotators who respond to simulated tasks, reproducibly for a seed."""

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Ints


def simulate_answers(
    seed: int,
    tasks: int,
    people: int,
    each: int,
    labels: int = 3,
    right: tuple[float, float] = (0.55, 0.9),
    spammers: int = 0,
    hard: float = 0.0,
) -> tuple[Answers, Ints]:
    """Responses and the truth.

    Spammers respond by habit, whatever the task. On hard tasks, everyone guesses, and one label is the likeliest.
    """
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, labels, tasks)
    accuracy = draw.uniform(*right, people)
    habits = draw.dirichlet(np.ones(labels), people)
    temptation = draw.dirichlet(np.ones(labels), tasks)
    is_hard = draw.random(tasks) < hard
    who = np.array([draw.permutation(people)[:each] for _ in range(tasks)]).ravel()
    what = np.repeat(np.arange(tasks), each)
    chances: Floats = np.repeat(((1 - accuracy[who]) / (labels - 1))[:, None], labels, axis=1)
    chances[np.arange(len(who)), truth[what]] = accuracy[who]
    chances = np.where(is_hard[what][:, None], temptation[what], chances)
    chances = np.where((who < spammers)[:, None], habits[who], chances)
    said = (draw.random(len(who))[:, None] > np.cumsum(chances, axis=1)).sum(axis=1).clip(max=labels - 1)
    return Answers(what, who.astype(np.int64), said.astype(np.int64), tasks, people, labels), truth
