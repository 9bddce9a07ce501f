"""How far people agree."""

from collections.abc import Sequence

import numpy as np


def nominal_alpha(items: Sequence[int], labels: Sequence[int]) -> float | None:
    """Krippendorff's alpha of labels given to items; None where it is not defined."""
    units, values = np.asarray(items, np.int64), np.asarray(labels, np.int64)
    size = int(values.max(initial=0)) + 1
    per_unit = np.bincount(units)
    kept = per_unit[units] > 1
    units, values = units[kept], values[kept]
    if not len(units):
        return None
    cells, counts = np.unique(units * size + values, return_counts=True)
    of_unit = per_unit[cells // size]
    observed = float((counts * (of_unit - counts) / (of_unit - 1)).sum())
    totals = np.bincount(values, minlength=size).astype(np.float64)
    n = float(totals.sum())
    expected = float((totals * (n - totals)).sum()) / (n - 1)
    return 1 - observed / expected if expected > 0 else None
