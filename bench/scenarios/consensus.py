"""How accurate and how well calibrated each consensus method is on a data set, and what adaptive consensus saves.

    python -m bench.scenarios.consensus --answers answers.csv --truth truth.csv
    python -m bench.scenarios.consensus --answers answers.csv --truth truth.csv --orders 10 --target 0.95

`answers.csv` has the columns question,worker,answer, and `truth.csv` has question,truth; labels are any texts. The
methods are the server's own code, and only the scores are computed from the truth. No server is started.
"""

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.load.figures import table
from refonte_studio.consensus.adaptive import Replayed, StoppingRules, replays
from refonte_studio.consensus.agreement import alpha
from refonte_studio.consensus.answers import Answers, Flags, Floats, Ints
from refonte_studio.consensus.asking import USUAL_TARGET, usual_least
from refonte_studio.consensus.calibration import expected_calibration_error
from refonte_studio.consensus.labels import DEFAULT, METHODS, Estimate, estimate

SHARE_AIM = 0.6  # of the answers, at the accuracy of all answers


class BadFile(Exception):
    """A file does not have the expected form; the message names the place and the value."""


@dataclass(frozen=True, slots=True)
class Data:
    answers: Answers
    truth: Ints  # by task; -1 where it is not known
    labels: list[str]

    @property
    def known(self) -> Flags:
        """The tasks that have an answer and a truth."""
        return (self.truth >= 0) & (self.answers.per_task > 0)

    def right(self, labels: Ints) -> Flags:
        """For each known task, whether its label is the truth."""
        return (labels == self.truth)[self.known]


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yields the number of each line, and its values in these columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if missing := [name for name in columns if name not in header]:
                raise BadFile(f"{path}:1: no column {missing[0]!r} in the header {','.join(header)!r}")
            positions = [header.index(name) for name in columns]
            for line in reader:
                if not line:
                    continue
                if len(line) != len(header):
                    raise BadFile(f"{path}:{reader.line_num}: {len(line)} values, not {len(header)}: {line!r}")
                values = [line[position].strip() for position in positions]
                if "" in values:
                    raise BadFile(f"{path}:{reader.line_num}: no {columns[values.index('')]} in {line!r}")
                yield reader.line_num, values
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path}: {error}") from error


def read(answers: Path, truth: Path) -> Data:
    """Reads a data set. Labels are numbered in the order of their texts, tasks and people in the order of the file.

    Some data sets have several answers of one person to one question; each of them counts.
    """
    said = [values for _, values in rows(answers, ("question", "worker", "answer"))]
    if not said:
        raise BadFile(f"{answers}: no answers")
    right: dict[str, str] = {}
    for number, (question, label) in rows(truth, ("question", "truth")):
        if right.setdefault(question, label) != label:
            raise BadFile(f"{truth}:{number}: question {question!r} has the truth {right[question]!r}, and {label!r}")
    labels = sorted({*(answer for _, _, answer in said), *right.values()})
    tasks = {question: number for number, question in enumerate(dict.fromkeys(question for question, _, _ in said))}
    people = {worker: number for number, worker in enumerate(dict.fromkeys(worker for _, worker, _ in said))}
    if not tasks.keys() & right.keys():
        raise BadFile(f"{truth}: none of its questions, such as {next(iter(right), '')!r}, has answers")
    label_numbers = {label: number for number, label in enumerate(labels)}
    by_task, by_person, by_label = np.array(
        [(tasks[q], people[w], label_numbers[answer]) for q, w, answer in said], np.int64
    ).T
    known = np.array([label_numbers[right[question]] if question in right else -1 for question in tasks], np.int64)
    return Data(Answers(by_task, by_person, by_label, len(tasks), len(people), len(labels)), known, labels)


def method_rows(data: Data) -> list[list[str]]:
    """A row of scores for each method."""
    found: list[list[str]] = []
    for method in METHODS:
        begun = time.perf_counter()
        estimated = estimate(method, data.answers, data.labels)
        took_s = time.perf_counter() - begun
        name = f"{method} (default)" if method == DEFAULT else method
        found.append([name, *_scores(data, estimated), f"{took_s:.2f}"])
    return found


def _scores(data: Data, estimated: Estimate) -> list[str]:
    right, sure = data.right(estimated.labels), estimated.confidence[data.known]
    high = sure >= 0.9
    error = expected_calibration_error(sure, right)
    among_sure = f"{right[high].mean():.4f}" if high.any() else "-"
    return [f"{right.mean():.4f}", f"{error:.4f}", f"{sure.mean():.4f}", f"{high.mean():.0%}", among_sure]


def adaptive_scores(data: Data, rules: StoppingRules, orders: int, seed: int) -> Floats:
    """The scores of adaptive consensus, one row for each random order of the answers."""

    def score(played: Replayed) -> Floats:
        right, sure = data.right(played.final.labels), played.final.confidence[data.known]
        at_once = data.right(played.at_once).mean()
        return np.array([right.mean(), at_once, expected_calibration_error(sure, right), played.share])

    return replays(data.answers, rules, orders, seed, score)


def report(data: Data, rules: StoppingRules, orders: int, seed: int) -> None:
    answers = data.answers
    print(
        f"{answers.n_tasks:,} tasks, {data.known.sum():,} with a truth; {answers.n_people:,} people; "
        f"{len(answers):,} answers ({len(answers) / answers.n_tasks:.1f} a task); {answers.n_labels} labels"
    )
    agreed = alpha(answers)
    print(f"Krippendorff's alpha (nominal): {'-' if agreed is None else f'{agreed:.3f}'}\n")
    header = ["method", "accuracy", "calibration error", "mean confidence", "at 0.9 or more", "of them right", "s"]
    print(table([header, *method_rows(data)]))
    print(
        f"\nAdaptive consensus with the default: at least {rules.least} and at most {rules.most} attempts, "
        f"until {rules.target} is reached; {orders} random orders from seed {seed}.\n"
    )
    found = adaptive_scores(data, rules, orders, seed)
    lines: list[list[str]] = [[str(number + 1), *_adaptive(line)] for number, line in enumerate(found)]
    lines.append(["median", *_adaptive([statistics.median(column) for column in found.T])])
    lines.append(["mean", *_adaptive(found.mean(axis=0))])
    print(table([["order", "accuracy", "when decided", "calibration error", "answers used"], *lines]))
    everything = data.right(estimate(DEFAULT, answers).labels).mean()
    print(f"\nWith all answers: {everything:.4f}. Aim: that, with {SHARE_AIM:.0%} of the answers or fewer.")


def _adaptive(scores: Sequence[float] | Floats) -> list[str]:
    accuracy, at_once, error, share = scores
    return [f"{accuracy:.4f}", f"{at_once:.4f}", f"{error:.4f}", f"{share:.1%}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=Path, required=True, help="CSV: question,worker,answer")
    parser.add_argument("--truth", type=Path, required=True, help="CSV: question,truth")
    parser.add_argument("--orders", type=int, default=5, help="random orders of arrival")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", type=float, default=USUAL_TARGET, help="the confidence at which a task is complete")
    parser.add_argument("--min-attempts", type=int, help="by default a third of the most, and at least 2")
    parser.add_argument("--most", type=int, help="attempts; as many as the data set has by default")
    options = parser.parse_args()
    for name, low, high in (
        ("orders", 1, 1000),
        ("target", 0.0, 1.0),
        ("min_attempts", 1, 10_000),
        ("most", 1, 10_000),
    ):
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            parser.error(f"--{name.replace('_', '-')} is {value}; it must be {low} to {high}")
    try:
        data = read(options.answers, options.truth)
    except BadFile as error:
        sys.exit(str(error))
    most = int(data.answers.per_task.max()) if options.most is None else options.most
    least = usual_least(most) if options.min_attempts is None else options.min_attempts
    if most < least:
        parser.error(f"--most is {most}, which is fewer than --min-attempts, {least}")
    report(data, StoppingRules(least, most, options.target), options.orders, options.seed)


if __name__ == "__main__":
    main()
