"""Counts votes only over the labels that were given, for questions with too many labels for an array tasks × labels."""

import numpy as np

from refonte_studio.consensus.answers import Answers, Floats, Gold, Ints
from refonte_studio.consensus.calibration import discounted
from refonte_studio.consensus.judges import USUAL_ACCURACY, USUAL_CORRELATION


def vote_over_pairs(answers: Answers, gold: Gold) -> tuple[Ints, Floats, float]:
    """Returns the label and the confidence of each task, and the assumed accuracy of everybody."""
    pairs, votes = np.unique(answers.tasks * answers.n_labels + answers.labels, return_counts=True)
    tasks, names = pairs // answers.n_labels, pairs % answers.n_labels
    # sorted by most votes, then by label: the first row of each task is its label
    order = np.lexsort((names, -votes, tasks))
    first = order[np.flatnonzero(np.diff(tasks[order], prepend=-1))]
    labels = np.full(answers.n_tasks, -1, np.int64)
    labels[tasks[first]] = names[first]
    most = np.zeros(answers.n_tasks)
    most[tasks[first]] = votes[first]
    nats = np.log(USUAL_ACCURACY / (1 - USUAL_ACCURACY) * (answers.n_labels - 1))
    pro = discounted(nats * most, USUAL_CORRELATION)
    contra = discounted(nats * votes.astype(np.float64), USUAL_CORRELATION)
    named = np.bincount(tasks, minlength=answers.n_tasks)
    # the sum includes the decided label, which adds exactly 1
    odds = np.bincount(tasks, np.exp(contra - pro[tasks]), answers.n_tasks) + (answers.n_labels - named) * np.exp(-pro)
    confidence = np.where(labels >= 0, 1.0 / np.maximum(odds, 1.0), 0.0)
    for task, label in gold.items():
        labels[task], confidence[task] = label, 1.0
    return labels, confidence, USUAL_ACCURACY
