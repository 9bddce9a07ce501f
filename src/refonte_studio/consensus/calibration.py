"""Computes the confidence of a decision when people's errors are correlated.

People make the same errors on a hard task, so the tenth answer says less than the first. A model that treats answers
as independent is therefore overconfident. Here the evidence e for one label against another, in nats, counts as
log(1 + c·e)/c on each side: the logarithm of a Pólya likelihood, in which the first answers count fully and each
further answer counts less. c is the correlation; 0 means independence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refonte_studio.consensus.answers import Answers, Flags, Floats, Ints
from refonte_studio.consensus.judges import USUAL_CORRELATION

SPREAD = 0.7  # standard deviation of the logarithm of the correlation over 17 published data sets
CANDIDATES = USUAL_CORRELATION * np.exp(np.linspace(-2.5, 2.5, 41))
BLOCK = 2_000_000  # numbers held in memory at once


@dataclass(frozen=True, slots=True)
class Evidence:
    """Tasks × labels, in nats: the evidence for and against the decided label, compared with each label."""

    decided: Ints
    pro: Floats
    contra: Floats
    log_prior: Floats

    def confidence(self, correlation: float) -> Floats:
        """Returns for each task the probability that the decided label is right."""
        odds = discounted(self.pro, correlation) - discounted(self.contra, correlation)
        odds += self.log_prior[self.decided][:, None] - self.log_prior
        odds[np.arange(len(odds)), self.decided] = 0.0
        return 1.0 / np.exp(np.minimum(-odds, 700.0)).sum(axis=1)


def discounted(evidence: Floats, correlation: float) -> Floats:
    return np.log1p(correlation * evidence) / correlation


def weighed(answers: Answers, likely: Floats, log_prior: Floats, decided: Ints) -> Evidence:
    """Returns the evidence of all answers. `likely` is cells × labels."""
    pro = np.zeros((answers.n_tasks, answers.n_labels))
    contra = np.zeros_like(pro)
    order = np.argsort(answers.tasks, kind="stable")
    log_likely = np.log(likely)
    step = max(BLOCK // answers.n_labels, 1)
    for start in range(0, len(order), step):
        some = order[start : start + step]
        tasks, rows = answers.tasks[some], log_likely[answers.cells[some]]
        gain = rows[np.arange(len(some)), decided[tasks]][:, None] - rows
        first = np.flatnonzero(np.diff(tasks, prepend=-1))
        pro[tasks[first]] += np.add.reduceat(np.maximum(gain, 0.0), first, axis=0)
        contra[tasks[first]] += np.add.reduceat(np.maximum(-gain, 0.0), first, axis=0)
    return Evidence(decided, pro, contra, log_prior)


def fitted_correlation(evidence: Evidence, right: Ints, known: Ints) -> float:
    """Returns the correlation that makes the decisions of the tasks `known`, whose labels are `right`, most likely.

    A prior pulls it towards the usual correlation, so that a few known tasks move it only a little.
    """
    some = Evidence(evidence.decided[known], evidence.pro[known], evidence.contra[known], evidence.log_prior)
    hit = some.decided == right
    scores = [_score(some.confidence(float(each)), hit, float(each)) for each in CANDIDATES]
    return float(CANDIDATES[int(np.argmax(scores))])


def _score(confidence: Floats, hit: Flags, correlation: float) -> float:
    held = np.clip(np.where(hit, confidence, 1 - confidence), 1e-9, 1.0)
    return float(np.log(held).sum()) - 0.5 * (float(np.log(correlation / USUAL_CORRELATION)) / SPREAD) ** 2


def expected_calibration_error(confidence: Sequence[float] | Floats, hit: Sequence[bool] | Flags) -> float:
    """Returns the mean difference between confidence and the share that is right, over ten equal bins of confidence.

    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
    """
    sure, was_right = np.asarray(confidence, float), np.asarray(hit, float)
    if not len(sure):
        return 0.0
    which = np.minimum((sure * 10).astype(np.int64), 9)
    return float(np.abs(np.bincount(which, sure - was_right, 10)).sum() / len(sure))
