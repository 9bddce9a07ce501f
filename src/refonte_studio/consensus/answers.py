"""The answers to a question as arrays of numbers, which is the input of the estimators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Gold = Mapping[int, int]  # the index of a task → the index of its known correct label


@dataclass(frozen=True)
class Answers:
    """Answer i: person `people[i]` gave label `labels[i]` to task `tasks[i]`. Indexes start at 0.

    A task may have no answers.
    """

    tasks: Ints
    people: Ints
    labels: Ints
    n_tasks: int
    n_people: int
    n_labels: int

    @classmethod
    def of(
        cls,
        tasks: Sequence[int],
        people: Sequence[int],
        labels: Sequence[int],
        n_tasks: int,
        n_people: int,
        n_labels: int,
    ) -> "Answers":
        """Builds the arrays from lists."""
        numbers = [np.asarray(each, np.int64) for each in (tasks, people, labels)]
        return cls(numbers[0], numbers[1], numbers[2], n_tasks, n_people, n_labels)

    def __len__(self) -> int:
        return len(self.tasks)

    @cached_property
    def per_task(self) -> Ints:
        return np.bincount(self.tasks, minlength=self.n_tasks)

    @cached_property
    def per_person(self) -> Ints:
        return np.bincount(self.people, minlength=self.n_people)

    @cached_property
    def _numbered(self) -> tuple[Ints, Ints]:
        numbers, which = np.unique(self.people * self.n_labels + self.labels, return_inverse=True)
        return numbers, which.astype(np.int64)

    @property
    def cells(self) -> Ints:
        """Returns the cell of each answer: a cell is a person and a label that the person has used."""
        return self._numbered[1]

    @cached_property
    def cell_people(self) -> Ints:
        return self._numbered[0] // self.n_labels

    @cached_property
    def cell_labels(self) -> Ints:
        return self._numbered[0] % self.n_labels

    @cached_property
    def by_task(self) -> csr_array:
        """Tasks × cells: multiplied by a value per cell, it sums the values over the answers of each task."""
        shape = (self.n_tasks, len(self._numbered[0]))
        return csr_array((np.ones(len(self)), (self.tasks, self.cells)), shape=shape)

    @cached_property
    def by_cell(self) -> csr_array:
        return self.by_task.T.tocsr()

    @cached_property
    def by_person(self) -> csr_array:
        """People × cells: multiplied by a value per cell, it sums the values over the cells of each person."""
        cells = np.arange(len(self.cell_people))
        return csr_array((np.ones(len(cells)), (self.cell_people, cells)), shape=(self.n_people, len(cells)))

    @cached_property
    def votes(self) -> Floats:
        """Tasks × labels: the number of answers with that label."""
        where = self.tasks * self.n_labels + self.labels
        counts = np.bincount(where, minlength=self.n_tasks * self.n_labels)
        return counts.reshape(self.n_tasks, self.n_labels).astype(np.float64)

    @cached_property
    def votes_of_own(self) -> Ints:
        """Returns for each answer the number of answers of its task with the same label, itself included."""
        pairs = self.tasks * self.n_labels + self.labels
        _, which, counts = np.unique(pairs, return_inverse=True, return_counts=True)
        return counts[which]

    def only(self, kept: Flags) -> "Answers":
        """Returns the answers marked in `kept`; the indexes of tasks, people and labels stay the same."""
        some = self.tasks[kept], self.people[kept], self.labels[kept]
        return Answers(*some, self.n_tasks, self.n_people, self.n_labels)


def summed(where: Ints, amounts: Floats, length: int) -> Floats:
    """Returns an array of `length` sums: the amounts added up by their index in `where`."""
    return np.bincount(where, amounts, length).astype(np.float64, copy=False)


def shares(votes: Floats) -> Floats:
    """Normalizes each row to a sum of 1; a row of zeros becomes uniform."""
    total = votes.sum(axis=1, keepdims=True)
    return np.where(total > 0, votes / np.where(total > 0, total, 1.0), 1.0 / votes.shape[1])


def softmax(scores: Floats) -> Floats:
    scaled = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def held_to(gold: Gold, probabilities: Floats) -> Floats:
    """Sets the rows of the tasks with a known label to that label, in place, and returns the array."""
    if gold:
        rows = np.fromiter(gold.keys(), np.int64, len(gold))
        probabilities[rows] = 0.0
        probabilities[rows, np.fromiter(gold.values(), np.int64, len(gold))] = 1.0
    return probabilities
