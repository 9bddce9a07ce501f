"""GLAD: estimates each person's ability and each task's difficulty together.

J. Whitehill, P. Ruvolo, T. Wu, J. Bergsma, J. Movellan, "Whose Vote Should Count More: Optimal Integration of Labels
from Labelers of Unknown Expertise", NIPS 2009; for several labels as in its supplement: errors are spread evenly.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from refonte_studio.consensus.answers import Answers, Floats, Gold, held_to, softmax, summed

ROUNDS = 100
TOLERANCE = 1e-5
STEPS = 25  # of conjugate gradients in each round
STEP_TOLERANCE = 1e-2
PRIOR_MEAN = 1.0  # of abilities and of the logarithm of easiness; the variance of both is 1


@dataclass(frozen=True)
class _Fit:
    """The answers, and the probability that each of them is right."""

    answers: Answers
    right: Floats

    def loss(self, point: Floats) -> tuple[float, Floats]:
        """Returns the negative expected log-likelihood with the priors, and its gradient."""
        ability, ease = _parted(self.answers, point)
        strength = ability[self.answers.people] * ease[self.answers.tasks]
        others = np.log(max(self.answers.n_labels - 1, 1))
        expected = self.right * log_expit(strength) + (1 - self.right) * (log_expit(-strength) - others)
        slope = self.right - expit(strength)
        by_ability = summed(self.answers.people, slope * ease[self.answers.tasks], self.answers.n_people)
        by_ease = summed(self.answers.tasks, slope * strength, self.answers.n_tasks)
        away = point - PRIOR_MEAN
        return float(0.5 * away @ away - expected.sum()), away - np.concatenate([by_ability, by_ease])


def glad(answers: Answers, gold: Gold) -> Floats:
    """Returns the probability of each label, tasks × labels."""
    point = np.full(answers.n_people + answers.n_tasks, PRIOR_MEAN)
    right, reached = _expected(answers, gold, point), np.inf
    for _ in range(ROUNDS):
        fit = _Fit(answers, right[answers.tasks, answers.labels])
        options = {"maxiter": STEPS}
        found = minimize(fit.loss, point, jac=True, method="CG", tol=STEP_TOLERANCE, options=options)
        point = found.x
        loss = float(found.fun) / max(len(answers), 1)
        if reached - loss < TOLERANCE:
            break
        reached = loss
        right = _expected(answers, gold, point)
    return right


def _parted(answers: Answers, point: Floats) -> tuple[Floats, Floats]:
    # clipped because the exponential would overflow without changing the result
    return point[: answers.n_people], np.exp(np.clip(point[answers.n_people :], -20.0, 20.0))


def _expected(answers: Answers, gold: Gold, point: Floats) -> Floats:
    ability, ease = _parted(answers, point)
    strength = ability[answers.people] * ease[answers.tasks]
    # raising the score of the answer's label by the gain equals lowering all others
    gain = strength + np.log(max(answers.n_labels - 1, 1))
    where = answers.tasks * answers.n_labels + answers.labels
    scores = summed(where, gain, answers.n_tasks * answers.n_labels)
    return held_to(gold, softmax(scores.reshape(answers.n_tasks, answers.n_labels)))
