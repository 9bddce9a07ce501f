"""Votes: each answer counts the same, or by how often its person agrees with the majority."""

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Gold, held_to, shares, summed


def majority(answers: Answers, gold: Gold) -> Floats:
    """Returns each label's share of the task's answers, tasks × labels."""
    return held_to(gold, shares(answers.votes.copy()))


def weighted(answers: Answers, gold: Gold) -> Floats:
    """Returns weighted shares: an answer weighs the share of its person's answers that agree with the majority.

    If several labels tie for the majority, each counts in part. Known as worker agreement with aggregate (Wawa).
    """
    votes = answers.votes
    most = (votes == votes.max(axis=1, keepdims=True)) & (votes > 0)
    right = held_to(gold, shares(most.astype(np.float64)))
    agreed = right[answers.tasks, answers.labels]
    total = summed(answers.people, agreed, answers.n_people)
    weight = total / np.maximum(answers.per_person, 1)
    where = answers.tasks * answers.n_labels + answers.labels
    sums = summed(where, weight[answers.people], answers.n_tasks * answers.n_labels)
    return held_to(gold, shares(sums.reshape(votes.shape)))
