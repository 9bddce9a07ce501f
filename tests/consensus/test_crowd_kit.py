"""The published methods give the results of crowd-kit. The file of its values says how they were made."""

import json
from pathlib import Path

import numpy as np
import pytest

from refonte_studio.consensus.answers import Answers
from refonte_studio.consensus.labels import estimate

ORACLE = json.loads((Path(__file__).parent / "oracle" / "crowd_kit.json").read_text())
TASKS, PEOPLE, LABELS = np.array(ORACLE["answers"], np.int64).T
ANSWERS = Answers(TASKS, PEOPLE, LABELS, 80, 9, 3)

# how near: the likelihood is flat near its top, and the two do not stop at the same place
NEAR = {"majority": 1e-4, "weighted": 1e-4, "one_coin": 0.02, "dawid_skene": 2e-3, "glad": 1e-3, "mace": 1e-3}


@pytest.mark.parametrize("method", NEAR)
def test_a_published_method_gives_what_crowd_kit_gives(method: str):
    expected = np.array(ORACLE["probabilities"][method])
    found = estimate(method, ANSWERS).probabilities
    assert found is not None
    assert np.abs(found - expected).max() < NEAR[method]
    clear = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 2 * NEAR[method]
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[clear].all()
