"""Objects that move through a video: the similarity of their tracks, and the track between several."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from refonte_studio.consensus import geometry
from refonte_studio.task_types.parts.geometry import Canvas, GeometryRule, extent
from refonte_studio.task_types.parts.object_matching import Annotation, Array, Cluster, Compare, Features, Matcher
from refonte_studio.task_types.parts.panel import identity
from refonte_studio.task_types.parts.shapes import between, half_alike_at

# Tracks are compared on a sample of frames, evenly distributed.
COMPARED_FRAMES = 24
# Frame by frame only if the bounding boxes of the whole tracks overlap, up to this number of pairs.
MAX_TRACKS = 2_000


class TrackMatcher(Matcher):
    """Compares by the similarity of the bounding boxes of shapes on the frames where either object is visible.

    Of boxes and points, the result has the frames that more than half of those who found the object have, with the
    median shape; other tracks give the most typical one.
    """

    def __init__(self, rules: Mapping[str, GeometryRule], canvas: Canvas) -> None:
        self.labels = len({label for rule in rules.values() for label in rule.labels})
        self._half_alike = half_alike_at(canvas)
        # The frames to compare, by geometry: those of the first measured tracks, used for all later ones.
        self._wanted: dict[str, Mapping[int, int]] = {}

    def group(self, annotation: Annotation, /) -> str:
        return annotation["type"]

    def measured(self, group: Any, annotations: Sequence[Annotation], /) -> tuple[Array, Features]:
        wanted = self._wanted.setdefault(group, _spread(annotations))
        boxes = np.full((len(annotations), len(wanted), 4), np.nan)
        whole = np.zeros((len(annotations), 4))
        for row, each in enumerate(annotations):
            extents = np.array([extent(frame) for frame in each["frames"]], dtype=float)
            whole[row] = np.concatenate([extents[:, :2].min(axis=0), extents[:, 2:].max(axis=0)])
            for frame, box in zip(each["frames"], extents, strict=True):
                if frame["key"] in wanted:
                    boxes[row, wanted[frame["key"]]] = box
        times = np.array([(each["frames"][0]["key"], each["frames"][-1]["key"] + 1) for each in annotations], float)
        codes = np.array([hash(identity(each["frames"])) for each in annotations])
        return (whole[:, :2] + whole[:, 2:]) / 2, (boxes, whole, times, codes)

    def compare(self, group: Any, /) -> Compare:
        near = self._near_points if group in ("point", "line") else geometry.overlaps

        def alike(features: Features, mine: Array, theirs: Array) -> Array:
            boxes, whole, times, codes = features
            coarse = near(whole[mine], whole[theirs]) * geometry.common_time(times[mine], times[theirs])
            first = np.argsort(-coarse, kind="stable")[:MAX_TRACKS]
            one, other = boxes[mine[first]], boxes[theirs[first]]
            seen, either = _seen(one) & _seen(other), (_seen(one) | _seen(other)).sum(axis=1)
            each = np.zeros(seen.shape)
            each[seen] = near(one[seen], other[seen])
            found = np.zeros(len(coarse))
            # Tracks on none of the compared frames are compared by their times and bounding boxes.
            found[first] = np.where(either, each.sum(axis=1) / np.maximum(either, 1), coarse[first])
            found[codes[mine] == codes[theirs]] = 1.0
            return found

        return alike

    def _near_points(self, one: Array, other: Array) -> Array:
        ends = [np.hypot(one[:, at] - other[:, at], one[:, at + 1] - other[:, at + 1]) for at in (0, 2)]
        return geometry.nearness((ends[0] + ends[1]) / 2, self._half_alike)

    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        typical = dict(cluster.typical)
        frames = _between(typical["type"], cluster) if typical["type"] in ("box", "point") else []
        return {**typical, "frames": frames} if frames else typical


def _spread(annotations: Sequence[Annotation]) -> Mapping[int, int]:
    """Returns an evenly distributed, numbered sample of the frames."""
    keys = sorted({frame["key"] for each in annotations for frame in each["frames"]})
    return {key: index for index, key in enumerate(keys[:: -(-len(keys) // COMPARED_FRAMES)])}


def _seen(boxes: Array) -> Array:
    return ~np.isnan(boxes[:, :, 0])


def _between(kind: str, cluster: Cluster) -> list[dict[str, Any]]:
    """Returns the frames that more than half of the members have, with the shape between theirs."""
    weights = cluster.weights()
    shown: dict[int, list[tuple[Mapping[str, Any], float]]] = {}
    for track, weight in zip(cluster.annotations(), weights, strict=True):
        for frame in track["frames"]:
            shown.setdefault(frame["key"], []).append((frame, weight))
    found: list[dict[str, Any]] = []
    for key, frames in sorted(shown.items()):
        if sum(weight for _, weight in frames) > sum(weights) / 2:
            shape = between(kind, [frame for frame, _ in frames], [weight for _, weight in frames], frames[0][0])
            found.append({"key": key, **(shape or {})})
    return found
