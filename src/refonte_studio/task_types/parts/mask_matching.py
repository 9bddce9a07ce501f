"""The similarity of masks, and the pixels that several attempts give an object."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from refonte_studio.consensus import geometry
from refonte_studio.task_types.parts.masks import counts_of, foreground
from refonte_studio.task_types.parts.object_matching import Annotation, Array, Cluster, Compare, Features, Matcher

# Pixels are compared for pairs with overlapping bounding boxes, up to this number of pairs.
MAX_MASKS = 1_000


class MaskMatcher(Matcher):
    """Compares masks by intersection over union of pixels; combines them by a vote of all attempts on each pixel."""

    def __init__(self, labels: int) -> None:
        self.labels = labels

    def group(self, annotation: Annotation, /) -> tuple[int, int]:
        height, width = annotation["rle"]["size"]
        return height, width

    def measured(self, group: Any, annotations: Sequence[Annotation], /) -> tuple[Array, Features]:
        runs = np.empty(len(annotations), dtype=object)
        runs[:] = [foreground(each["rle"]["counts"]) for each in annotations]
        boxes = np.array([_around(each, group[0]) for each in runs], dtype=float)
        sizes = np.array([int((each[:, 1] - each[:, 0]).sum()) for each in runs])
        return (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes, runs, sizes)

    def compare(self, _group: Any, /) -> Compare:
        return _pixels

    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        height, width = cluster.typical["rle"]["size"]
        runs = [foreground(each["rle"]["counts"]) for each in cluster.annotations()]
        found = geometry.majority_stretches(runs, cluster.weights(), cluster.half)
        if not len(found):
            return None
        if np.array_equal(found, runs[0]):
            return dict(cluster.typical)
        counts = counts_of(found, height * width)
        return {**cluster.typical, "rle": {"size": [height, width], "counts": counts}}


def _around(runs: Array, height: int) -> tuple[float, float, float, float]:
    """Returns the bounding box of stretches of pixels, which run down column by column."""
    if not len(runs):
        return 0, 0, 0, 0
    left, right = runs[0, 0] // height, (runs[-1, 1] - 1) // height + 1
    if (runs[:, 0] // height != (runs[:, 1] - 1) // height).any():  # continues from one column into the next
        return left, 0, right, height
    return left, (runs[:, 0] % height).min(), right, ((runs[:, 1] - 1) % height).max() + 1


def _pixels(features: Features, mine: Array, theirs: Array) -> Array:
    boxes, runs, sizes = features
    around = geometry.overlaps(boxes[mine], boxes[theirs])
    found = np.zeros(len(around))
    near = np.argsort(-around, kind="stable")[:MAX_MASKS]
    for index in near[around[near] > 0].tolist():
        one, other = mine[index], theirs[index]
        shared = geometry.shared_pixels(runs[one], runs[other])
        either = int(sizes[one] + sizes[other]) - shared
        found[index] = shared / either if either else 1.0
    return found
