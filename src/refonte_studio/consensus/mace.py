"""MACE: people either know the label or guess one from a personal distribution.

D. Hovy, T. Berg-Kirkpatrick, A. Vaswani, E. Hovy, "Learning Whom to Trust with MACE", NAACL-HLT 2013; with the
variational step and the priors of the paper. It starts from a fixed point instead of a random one, so that the same
answers always give the same result.
"""

import numpy as np
from scipy.special import digamma

from refonte_studio.consensus.answers import Answers, Floats, Gold, held_to, softmax

ROUNDS = 50
COMPETENCE_PRIOR = 0.5
HABIT_PRIOR = 10.0


def mace(answers: Answers, gold: Gold) -> Floats:
    """Returns the probability of each label, tasks × labels."""
    labels = answers.n_labels
    knows = np.full(answers.n_people, 0.5)
    guesses = np.full(answers.n_people, 0.5)
    habit = np.full(len(answers.cell_people), 1.0 / labels)
    for _ in range(ROUNDS):
        right, guessed, known = _expected(answers, gold, knows, guesses, habit)
        knew = answers.by_person @ known
        guessed_by = answers.by_person @ guessed
        total = np.exp(digamma(knew + guessed_by + 2 * COMPETENCE_PRIOR))
        knows, guesses = (np.exp(digamma(count + COMPETENCE_PRIOR)) / total for count in (knew, guessed_by))
        habit_total = np.exp(digamma(guessed_by + labels * HABIT_PRIOR))
        habit = np.exp(digamma(guessed + HABIT_PRIOR)) / habit_total[answers.cell_people]
    right, _, _ = _expected(answers, gold, knows, guesses, habit)
    return right


def _expected(
    answers: Answers, gold: Gold, knows: Floats, guesses: Floats, habit: Floats
) -> tuple[Floats, Floats, Floats]:
    """Returns the probabilities of the labels, and for each cell the expected number of guesses and of known labels."""
    by_habit = guesses[answers.cell_people] * habit
    likely = np.repeat(by_habit[:, None], answers.n_labels, axis=1)
    own = np.arange(len(habit)), answers.cell_labels
    likely[own] += knows[answers.cell_people]
    right = held_to(gold, softmax(answers.by_task @ np.log(likely)))
    counts = answers.by_cell @ right
    known = counts[own] * knows[answers.cell_people] / likely[own]
    return right, counts.sum(axis=1) - known, known
