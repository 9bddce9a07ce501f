"""Labeled intervals of time: their similarity, and the interval between several."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from refonte_studio.consensus.geometry import common_time
from refonte_studio.consensus.medians import weighted_median
from refonte_studio.task_types.parts.attributes import Attribute, attributes_between, attributes_likeness
from refonte_studio.task_types.parts.object_matching import Annotation, Array, Cluster, Compare, Features, Matcher


class IntervalMatcher(Matcher):
    """Compares by intersection over union of the times; combines by the medians of start and end."""

    def __init__(self, labels: int, attributes: Mapping[str, Attribute]) -> None:
        self.labels, self._attributes = labels, attributes

    def group(self, _annotation: Annotation, /) -> None:
        return None

    def measured(self, _group: Any, annotations: Sequence[Annotation], /) -> tuple[Array, Features]:
        times = np.array([(each["start_s"], each["end_s"]) for each in annotations], dtype=float)
        middles = times.mean(axis=1)
        return np.column_stack([middles, np.zeros(len(middles))]), (times,)

    def compare(self, _group: Any, /) -> Compare:
        return lambda features, mine, theirs: common_time(features[0][mine], features[0][theirs])

    def detail(self, one: Annotation, other: Annotation, /) -> float:
        return attributes_likeness(self._attributes, one, other)

    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        typical = {name: value for name, value in cluster.typical.items() if name != "attributes"}
        weights, events = cluster.weights(), cluster.annotations()
        times = {name: weighted_median([each[name] for each in events], weights) for name in ("start_s", "end_s")}
        alike = cluster.like_typical()
        answers = attributes_between(self._attributes, alike.given(lambda each: each.get("attributes")), alike.panel)
        return {**typical, **times, **({"attributes": answers} if answers else {})}
