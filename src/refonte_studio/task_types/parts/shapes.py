"""Shapes on an image: how alike they are, and the shape that lies between several.

| geometry | likeness | of several |
| --- | --- | --- |
| box | intersection over union | the median of each edge |
| box that may be turned | of the outlines, likewise | the median of center, sides and rotation |
| ellipse | of the outlines, likewise | the median of center, radii and rotation |
| polygon | of the outlines, likewise | the most typical one |
| cuboid | of the boxes around them, times how near their corners are | the median of each corner |
| point | by distance: a half at a fiftieth of the image's diagonal (10 pixels where it is not known) | the median |
| line | by mean distance along it: a half at that distance, or at a tenth of its length | the median of each vertex |

Lines with different numbers of vertices, and cuboids with different corners, give the most typical one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from refonte_studio.consensus import geometry
from refonte_studio.consensus.medians import weighted_median
from refonte_studio.task_types.parts.geometry import Canvas, box_corners, extent
from refonte_studio.task_types.parts.object_matching import Array, Compare, Features

Shape = dict[str, Any]
Shapes = Sequence[Mapping[str, Any]]

TURNED_BOX = "turned box"  # a box in a task with rotatable boxes

_UNKNOWN_DIAGONAL = 500.0
_POINT_SHARE = 0.02
_LINE_SHARE = 0.1
# Outlines are compared cell by cell if their bounding boxes have this much in common, up to this number of pairs.
_NEAR_BOXES = 0.2
_MAX_OUTLINES = 2_000
_STEPS_AN_OUTLINE = 15
_NEAR = 4  # typical number of objects close enough to one to be compared with it


def outline_cost(objects: float) -> float:
    """Estimates the microseconds of comparing the outlines of this many objects with as many others."""
    return _STEPS_AN_OUTLINE * min(objects * min(objects, _NEAR), _MAX_OUTLINES)


def half_alike_at(canvas: Canvas) -> float:
    """Returns the distance, in pixels, at which points have similarity one half."""
    known = canvas.width is not None and canvas.height is not None
    diagonal = math.hypot(canvas.width or 0, canvas.height or 0) if known else _UNKNOWN_DIAGONAL
    return _POINT_SHARE * diagonal


def measured(kind: str, shapes: Shapes) -> tuple[Array, Features]:
    """Returns the centers of the shapes, and the features to compare."""
    boxes = np.array([extent(shape) for shape in shapes], dtype=float)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    if kind == "line":
        points = [_points(shape) for shape in shapes]
        return centers, (
            np.array([geometry.spaced(each) for each in points]),
            np.array([geometry.length(each) for each in points]),
        )
    if kind in ("polygon", "ellipse", TURNED_BOX):
        return centers, (boxes, np.array([geometry.filled(_outline(shape)) for shape in shapes]))
    if kind == "cuboid":
        return centers, (boxes, _objects([_corners(shape) for shape in shapes]))
    return centers, (boxes,)


def _points(shape: Mapping[str, Any]) -> Array:
    return np.array([(vertex["x"], vertex["y"]) for vertex in shape["vertices"]], dtype=float)


def _outline(shape: Mapping[str, Any]) -> Array:
    if "vertices" in shape:
        return _points(shape)
    if "width" in shape:
        return np.array(box_corners(shape), dtype=float)
    center = shape["center"]
    return geometry.ellipse(center["x"], center["y"], shape["rx"], shape["ry"], shape["rotation"])


def _corners(shape: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    return {vertex["description"]: (vertex["x"], vertex["y"]) for vertex in shape["vertices"]}


def _objects(values: Sequence[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def compare(kind: str, half_alike: float) -> Compare:
    """Returns a function for the similarity of shapes of this geometry."""
    if kind == "point":
        return lambda features, mine, theirs: geometry.nearness(_distance(features[0], mine, theirs), half_alike)
    if kind == "line":
        return _lines(half_alike, _either_way)
    return {TURNED_BOX: _outlines, "polygon": _outlines, "ellipse": _outlines, "cuboid": _cuboids}.get(kind, _boxes)


def compare_directed(kind: str, half_alike: float) -> Compare:
    """Like `compare`, but the direction of a line matters."""
    return _lines(half_alike, geometry.apart) if kind == "line" else compare(kind, half_alike)


def _boxes(features: Features, mine: Array, theirs: Array) -> Array:
    return geometry.overlaps(features[0][mine], features[0][theirs])


def _distance(points: Array, mine: Array, theirs: Array) -> Array:
    return np.hypot(points[mine, 0] - points[theirs, 0], points[mine, 1] - points[theirs, 1])


def _lines(half_alike: float, apart: Callable[[Array, Array], Array]) -> Compare:
    def alike(features: Features, mine: Array, theirs: Array) -> Array:
        points, lengths = features
        reach = np.maximum(half_alike, _LINE_SHARE * np.maximum(lengths[mine], lengths[theirs]))
        return geometry.nearness(apart(points[mine], points[theirs]), reach)

    return alike


def _either_way(one: Array, other: Array) -> Array:
    return np.minimum(geometry.apart(one, other), geometry.apart(one, other[:, ::-1]))


def _outlines(features: Features, mine: Array, theirs: Array) -> Array:
    boxes, cells = features
    around = geometry.overlaps(boxes[mine], boxes[theirs])
    found = np.zeros(len(around))
    near = np.flatnonzero(around >= _NEAR_BOXES)
    near = near[np.argsort(-around[near], kind="stable")][:_MAX_OUTLINES]
    one, other = mine[near], theirs[near]
    found[near] = geometry.outline_overlaps(boxes[one], cells[one], boxes[other], cells[other])
    return found


def _cuboids(features: Features, mine: Array, theirs: Array) -> Array:
    boxes, places = features[0], features[1].tolist()
    found = geometry.overlaps(boxes[mine], boxes[theirs])
    found[np.argsort(-found, kind="stable")[_MAX_OUTLINES:]] = 0.0
    for index in np.flatnonzero(found > 0).tolist():
        one, other = int(mine[index]), int(theirs[index])
        size = (_diagonal(boxes[one]) + _diagonal(boxes[other])) / 2
        found[index] *= _corner_likeness(places[one], places[other], size)
    return found


def _diagonal(box: Array) -> float:
    return math.hypot(box[2] - box[0], box[3] - box[1])


def _corner_likeness(
    one: Mapping[str, tuple[float, float]], other: Mapping[str, tuple[float, float]], size: float
) -> float:
    """Returns the mean over all corners that either has: 1 for the same position, 0 for the whole object's size
    apart."""
    names = {**one, **other}
    near = [1 - math.dist(one[name], other[name]) / size for name in names if name in one and name in other]
    return sum(max(0.0, each) for each in near) / len(names)


def between(kind: str, shapes: Shapes, weights: Sequence[float], typical: Mapping[str, Any]) -> Shape | None:
    """Returns the members of the shape between several, or None if only the most typical one is possible."""
    return _BETWEEN[kind](shapes, weights, typical) if kind in _BETWEEN else None


def _median(values: Sequence[float], weights: Sequence[float]) -> int | float:
    """Returns the weighted median, rounded to a millionth; whole if all values are."""
    found = weighted_median(values, weights)
    return found if found in values else int(found) if float(found).is_integer() else round(found, 6)


def _turned_box(shapes: Shapes, weights: Sequence[float], typical: Mapping[str, Any]) -> Shape:
    # A box rotated by 180 degrees is the same, so all rotations are taken within 90 degrees of the typical one's.
    turned = typical.get("rotation", 0)
    told = [
        (
            shape["left"] + shape["width"] / 2,
            shape["top"] + shape["height"] / 2,
            shape["width"],
            shape["height"],
            turned + (shape.get("rotation", 0) - turned + 90) % 180 - 90,
        )
        for shape in shapes
    ]
    found = tuple(weighted_median(values, weights) for values in zip(*told, strict=True))
    for shape, each in zip(shapes, told, strict=True):
        if each == found:  # no rounding if an attempt has exactly this shape
            sides = {name: shape[name] for name in ("left", "top", "width", "height")}
            return {**sides, "rotation": shape.get("rotation", 0)}
    x, y, width, height, rotation = found
    sides = {"left": x - width / 2, "top": y - height / 2, "width": width, "height": height, "rotation": rotation % 360}
    return {name: int(side) if float(side).is_integer() else round(side, 6) for name, side in sides.items()}


def _box(shapes: Shapes, weights: Sequence[float], typical: Mapping[str, Any]) -> Shape:
    """Returns the box of the medians of the edges, so that it lies among all boxes and is no smaller than the
    smallest."""
    if any("rotation" in shape for shape in shapes):
        return _turned_box(shapes, weights, typical)
    edges = [extent(shape) for shape in shapes]
    left, top, right, bottom = (weighted_median(values, weights) for values in zip(*edges, strict=True))
    for shape, edge in zip(shapes, edges, strict=True):
        if edge == (left, top, right, bottom):  # no rounding if an attempt has exactly this shape
            return {name: shape[name] for name in ("left", "top", "width", "height")}
    sides = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return {name: int(side) if float(side).is_integer() else round(side, 6) for name, side in sides.items()}


def _point(shapes: Shapes, weights: Sequence[float], _: Mapping[str, Any]) -> Shape:
    return {axis: _median([shape[axis] for shape in shapes], weights) for axis in ("x", "y")}


def _ellipse(shapes: Shapes, weights: Sequence[float], typical: Mapping[str, Any]) -> Shape | None:
    # An ellipse rotated by 180 degrees is the same, so all rotations are taken within 90 degrees of the typical one's.
    turned = typical["rotation"]
    turns = [turned + (shape["rotation"] - turned + 90) % 180 - 90 for shape in shapes]
    rotation = _median(turns, weights)
    exact = next((shape["rotation"] for shape, turn in zip(shapes, turns, strict=True) if turn == rotation), rotation)
    return {
        "center": _point([shape["center"] for shape in shapes], weights, typical),
        **{name: _median([shape[name] for shape in shapes], weights) for name in ("rx", "ry")},
        "rotation": exact if -360 <= exact <= 360 else typical["rotation"],
    }


def _line(shapes: Shapes, weights: Sequence[float], typical: Mapping[str, Any]) -> Shape | None:
    if len({len(shape["vertices"]) for shape in shapes}) > 1:
        return None
    lines = [_along(shape["vertices"], typical["vertices"]) for shape in shapes]
    return {"vertices": [_point(vertices, weights, typical) for vertices in zip(*lines, strict=True)]}


def _along(line: Sequence[Any], typical: Sequence[Any]) -> Sequence[Any]:
    """Returns the line in the direction of the typical one."""

    def apart(vertices: Sequence[Any]) -> float:
        pairs = zip(vertices, typical, strict=True)
        return sum(math.hypot(mine["x"] - theirs["x"], mine["y"] - theirs["y"]) for mine, theirs in pairs)

    return min((line, line[::-1]), key=apart)


def _cuboid(shapes: Shapes, weights: Sequence[float], typical: Mapping[str, Any]) -> Shape | None:
    corners = [_corners(shape) for shape in shapes]
    if any(each.keys() != corners[0].keys() for each in corners):
        return None
    found: list[dict[str, Any]] = []
    for vertex in typical["vertices"]:
        places = [{"x": x, "y": y} for x, y in [each[vertex["description"]] for each in corners]]
        found.append({**_point(places, weights, vertex), "description": vertex["description"]})
    return {"vertices": found}


_BETWEEN: Mapping[str, Callable[[Shapes, Sequence[float], Mapping[str, Any]], Shape | None]] = {
    "box": _box,
    "point": _point,
    "ellipse": _ellipse,
    "line": _line,
    "cuboid": _cuboid,
}
