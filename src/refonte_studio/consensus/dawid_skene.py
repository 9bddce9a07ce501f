"""Dawid and Skene: estimates each person's confusion matrix and each task's label in alternation (EM).

A. P. Dawid, A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm", Applied
Statistics 28(1), 1979. One-coin: Y. Zhang, X. Chen, D. Zhou, M. I. Jordan, "Spectral Methods Meet EM", JMLR 17, 2016.
"""

from collections.abc import Callable

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Gold, held_to, shares, softmax, summed

ROUNDS = 100
TOLERANCE = 1e-5
TINY = 1e-10


def dawid_skene(answers: Answers, gold: Gold) -> Floats:
    """Returns the probability of each label, tasks × labels; each person has a confusion matrix."""
    return expectation_maximization(answers, gold, _confusions)


def one_coin(answers: Answers, gold: Gold) -> Floats:
    """Returns the probability of each label, tasks × labels; each person has one accuracy for all labels."""
    return expectation_maximization(answers, gold, _coins)


def expectation_maximization(answers: Answers, gold: Gold, maximize: Callable[[Answers, Floats], Floats]) -> Floats:
    """Runs EM from the shares of the votes and returns the probability of each label, tasks × labels.

    `maximize` returns cells × labels: the likelihood of the cell's label if that label is right.
    """
    right = held_to(gold, shares(answers.votes.copy()))
    for _ in range(ROUNDS):
        log_prior = np.log(np.maximum(right.mean(axis=0), TINY))
        before = right
        right = held_to(gold, softmax(answers.by_task @ np.log(maximize(answers, right)) + log_prior))
        if np.abs(right - before).max(initial=0.0) < TOLERANCE:
            break
    return right


def _confusions(answers: Answers, right: Floats) -> Floats:
    counts = np.maximum(answers.by_cell @ right, TINY)
    return counts / (answers.by_person @ counts)[answers.cell_people]


def _coins(answers: Answers, right: Floats) -> Floats:
    agreed = summed(answers.people, right[answers.tasks, answers.labels], answers.n_people)
    skill = agreed / np.maximum(answers.per_person, 1)
    likely = np.repeat(((1 - skill) / max(answers.n_labels - 1, 1))[answers.cell_people, None], answers.n_labels, 1)
    likely[np.arange(len(likely)), answers.cell_labels] = skill[answers.cell_people]
    return np.clip(likely, TINY, 1 - TINY)
