"""Shapes on an image: their members, and where they may lie. Units are pixels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.checks import UniqueIds, a_number, an_array, an_object, at, missing, record, refuse

MAX_PIXEL = 1e7
MAX_VERTICES = 10_000
# Browser coordinates are floats: left + width may miss the edge by a rounding error.
_TOLERANCE = 1e-6
_FLAT = 1e-12  # a smaller sine of an angle is a rounding error
_NUMBERS = (int, float)

Shape = dict[str, Any]
Extent = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Canvas:
    """The image: its size, if known, and how far shapes may extend beyond its edges."""

    width: float | None = None
    height: float | None = None
    padding_x: float = 0
    padding_y: float = 0


@dataclass(frozen=True, slots=True)
class GeometryRule:
    """The requirements of the parameters for one geometry."""

    labels: Mapping[str, None]  # an ordered set
    min_width: float = 0
    min_height: float = 0
    min_vertices: int = 0
    max_vertices: int = MAX_VERTICES
    can_rotate: bool = False  # whether boxes may be rotated


FIELDS: Mapping[str, tuple[str, ...]] = {
    "box": ("left", "top", "width", "height"),
    "polygon": ("vertices",),
    "line": ("vertices",),
    "point": ("x", "y"),
    "ellipse": ("center", "rx", "ry"),
    "cuboid": ("vertices",),
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {"box": ("rotation",), "ellipse": ("rotation",)}
FEWEST_VERTICES: Mapping[str, int] = {"polygon": 3, "line": 2, "cuboid": 4}
CORNERS = (
    "face-topleft",
    "face-topright",
    "face-bottomright",
    "face-bottomleft",
    "side-topcorner",
    "side-bottomcorner",
)


def canvas_of(params: Mapping[str, Any]) -> Canvas:
    """Returns the image described by `image_size: {width, height}` or `image_width` and `image_height`."""
    size = params.get("image_size")
    given = {} if size is None else an_object(size, "image_size")
    width, height = given.get("width"), given.get("height")
    if width is not None:
        a_number(width, "image_size.width", 1, MAX_PIXEL)
    if height is not None:
        a_number(height, "image_size.height", 1, MAX_PIXEL)
    padding = _length(params, "padding", 0)
    return Canvas(
        width if width is not None else _length(params, "image_width", 1) or None,
        height if height is not None else _length(params, "image_height", 1) or None,
        _length(params, "paddingX", 0) or padding,
        _length(params, "paddingY", 0) or padding,
    )


def _length(params: Mapping[str, Any], name: str, least: float) -> float:
    value = params.get(name)
    return 0 if value is None else a_number(value, name, least, MAX_PIXEL)


def check_shape(kind: str, given: Mapping[str, Any], path: str, rule: GeometryRule, canvas: Canvas) -> Shape:
    """Returns the members of the shape in canonical form: valid, inside the image, large enough."""
    shape = _READ[kind](given, path)
    if kind == "box" and given.get("rotation") is not None:
        if not rule.can_rotate:
            missing(at(path, "rotation"), "is for tasks with can_rotate")
        # Degrees clockwise around the center, from 0 to 360; an upright box has no rotation.
        turned = a_number(given["rotation"], at(path, "rotation"), -360, 360) % 360
        shape |= {"rotation": turned} if turned else {}
    vertices = shape.get("vertices", ())
    if vertices and not max(FEWEST_VERTICES[kind], rule.min_vertices) <= len(vertices) <= rule.max_vertices:
        wanted = f"{max(FEWEST_VERTICES[kind], rule.min_vertices)} to {rule.max_vertices}"
        missing(at(path, "vertices"), f"has {len(vertices)} vertices, {wanted} are wanted")
    left, top, right, bottom = extent(shape)
    _check_extension(kind, shape, (left, top, right, bottom), path)
    _inside(left, right, canvas.width, canvas.padding_x, path, "x")
    _inside(top, bottom, canvas.height, canvas.padding_y, path, "y")
    width, height = shape.get("width", right - left), shape.get("height", bottom - top)
    if width < rule.min_width - _TOLERANCE:
        missing(path, f"is {width:g} wide, less than min_width {rule.min_width:g}")
    if height < rule.min_height - _TOLERANCE:
        missing(path, f"is {height:g} high, less than min_height {rule.min_height:g}")
    return shape


def _check_extension(kind: str, shape: Shape, around: Extent, path: str) -> None:
    """Checks that a line has a length, and every other shape except a point an area."""
    left, top, right, bottom = around
    if kind == "line":
        if left == right and top == bottom:
            missing(at(path, "vertices"), f"are all the same point ({left:g}, {top:g}); a line has a length")
    elif kind != "point" and (left == right or top == bottom or _is_straight(shape.get("vertices", ()))):
        missing(path, f"is a {kind} without an area")


def _is_straight(vertices: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all these vertices are on one straight line."""
    if not vertices:
        return False
    x, y = vertices[0]["x"], vertices[0]["y"]
    others = ((vertex["x"] - x, vertex["y"] - y) for vertex in vertices)
    first = next((other for other in others if other != (0, 0)), None)
    if first is None:
        return True
    size = math.hypot(*first)
    return all(abs(first[0] * other[1] - first[1] * other[0]) <= _FLAT * size * math.hypot(*other) for other in others)


def _inside(low: float, high: float, size: float | None, padding: float, path: str, axis: str) -> None:
    slack = _TOLERANCE * max(1, size or 1)
    if low < -padding - slack:
        missing(path, f"reaches to {axis} = {low:g}, outside the image")
    if size is not None and high > size + padding + slack:
        side = "wide" if axis == "x" else "high"
        missing(path, f"reaches to {axis} = {high:g}, outside the image, which is {size:g} pixels {side}")


def _pixel(given: Mapping[str, Any], name: str, path: str) -> int | float:
    value = given[name]
    if type(value) in _NUMBERS and -MAX_PIXEL <= value <= MAX_PIXEL:  # paths are built only when needed
        return value
    return a_number(given[name], at(path, name), -MAX_PIXEL, MAX_PIXEL)


def _extension(given: Mapping[str, Any], name: str, path: str) -> int | float:
    found = _pixel(given, name, path)
    if found <= 0:
        refuse(at(path, name), found, "is not more than 0")
    return found


def _read_box(given: Mapping[str, Any], path: str) -> Shape:
    return {
        "left": _pixel(given, "left", path),
        "top": _pixel(given, "top", path),
        "width": _extension(given, "width", path),
        "height": _extension(given, "height", path),
    }


def _read_point(given: Mapping[str, Any], path: str) -> Shape:
    return {"x": _pixel(given, "x", path), "y": _pixel(given, "y", path)}


def _read_ellipse(given: Mapping[str, Any], path: str) -> Shape:
    here = at(path, "center")
    return {
        "center": _read_point(record(given["center"], here, ("x", "y")), here),
        "rx": _extension(given, "rx", path),
        "ry": _extension(given, "ry", path),
        "rotation": a_number(given.get("rotation", 0), at(path, "rotation"), -360, 360),
    }


def _plain_vertices(given: object) -> list[Shape] | None:
    """Returns valid vertices, checked all at once; None if they have to be checked one by one."""
    if not isinstance(given, list) or not 0 < len(given) <= MAX_VERTICES:
        return None
    if set(map(type, given)) != {dict} or set(map(len, given)) != {2}:
        return None
    found: list[Shape] = [{"x": vertex.get("x"), "y": vertex.get("y")} for vertex in given]
    numbers = [number for vertex in found for number in vertex.values()]
    if not set(map(type, numbers)) <= {int, float}:
        return None
    # NaN is neither inside nor outside the limits, hence the sum.
    within = min(numbers) >= -MAX_PIXEL and max(numbers) <= MAX_PIXEL and math.isfinite(sum(numbers))
    return found if within else None


def _vertices(
    given: Mapping[str, Any], path: str, fields: tuple[str, ...], most: int = MAX_VERTICES
) -> list[tuple[dict[str, Any], str]]:
    here = at(path, "vertices")
    vertices = an_array(given["vertices"], here, least=1, most=most)
    return [(record(vertex, at(here, index), fields), at(here, index)) for index, vertex in enumerate(vertices)]


def _read_vertices(given: Mapping[str, Any], path: str) -> Shape:
    plain = _plain_vertices(given["vertices"])
    if plain is not None:
        return {"vertices": plain}
    return {"vertices": [_read_point(vertex, here) for vertex, here in _vertices(given, path, ("x", "y"))]}


def _read_cuboid(given: Mapping[str, Any], path: str) -> Shape:
    corners = UniqueIds()
    return {
        "vertices": [
            {**_read_point(vertex, here), "description": corners.add(vertex["description"], at(here, "description"))}
            for vertex, here in _vertices(given, path, ("x", "y", "description"), most=8)
        ]
    }


_READ: Mapping[str, Callable[[Mapping[str, Any], str], Shape]] = {
    "box": _read_box,
    "polygon": _read_vertices,
    "line": _read_vertices,
    "point": _read_point,
    "ellipse": _read_ellipse,
    "cuboid": _read_cuboid,
}


def box_corners(box: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Returns the corners of a box, rotated around its center."""
    turn = math.radians(box.get("rotation", 0))
    x, y = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
    sides = [(dx * box["width"] / 2, dy * box["height"] / 2) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return [
        (x + a * math.cos(turn) - b * math.sin(turn), y + a * math.sin(turn) + b * math.cos(turn)) for a, b in sides
    ]


def extent(shape: Mapping[str, Any]) -> Extent:
    """Returns the smallest upright box around a checked shape."""
    if shape.get("rotation") and "width" in shape:
        corners = box_corners(shape)
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)
    if "width" in shape:
        return shape["left"], shape["top"], shape["left"] + shape["width"], shape["top"] + shape["height"]
    if "vertices" in shape:
        xs = [vertex["x"] for vertex in shape["vertices"]]
        ys = [vertex["y"] for vertex in shape["vertices"]]
        return min(xs), min(ys), max(xs), max(ys)
    if "center" in shape:
        turn = math.radians(shape["rotation"])
        half_x = math.hypot(shape["rx"] * math.cos(turn), shape["ry"] * math.sin(turn))
        half_y = math.hypot(shape["rx"] * math.sin(turn), shape["ry"] * math.cos(turn))
        x, y = shape["center"]["x"], shape["center"]["y"]
        return x - half_x, y - half_y, x + half_x, y + half_y
    return shape["x"], shape["y"], shape["x"], shape["y"]


def sample_shape(kind: str, rule: GeometryRule, canvas: Canvas) -> Shape:
    """Returns a shape in the upper left of the image, as large as the rule requires."""
    width = max(rule.min_width, (canvas.width or 200) / 2)
    height = max(rule.min_height, (canvas.height or 200) / 2)
    if kind == "box":
        return {"left": 0, "top": 0, "width": width, "height": height}
    if kind == "point":
        return {"x": width / 2, "y": height / 2}
    if kind == "ellipse":
        center = {"x": width / 2, "y": height / 2}
        return {"center": center, "rx": width / 2, "ry": height / 2, "rotation": 0}
    if kind == "cuboid":
        xs, ys = (0, width / 2, width / 2, 0, width, width), (height / 4, height / 4, height, height, 0, height / 2)
        return {"vertices": [{"x": x, "y": y, "description": d} for x, y, d in zip(xs, ys, CORNERS, strict=True)]}
    count = max(FEWEST_VERTICES[kind], rule.min_vertices)
    if kind == "line":
        return {"vertices": [{"x": width * i / (count - 1), "y": height * i / (count - 1)} for i in range(count)]}
    bottom = [{"x": width * (count - 2 - i) / (count - 2), "y": height} for i in range(count - 2)]
    return {"vertices": [{"x": 0, "y": 0}, {"x": width, "y": 0}, *bottom]}


_POINT = schema.closed({"x": schema.NUMBER, "y": schema.NUMBER})
_CORNER = schema.closed({"x": schema.NUMBER, "y": schema.NUMBER, "description": schema.NAME})
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "box": {
        "left": schema.NUMBER,
        "top": schema.NUMBER,
        "width": schema.POSITIVE,
        "height": schema.POSITIVE,
        "rotation": schema.NUMBER,
    },
    "polygon": {"vertices": schema.array(_POINT, 3)},
    "line": {"vertices": schema.array(_POINT, 2)},
    "point": {"x": schema.NUMBER, "y": schema.NUMBER},
    "ellipse": {"center": _POINT, "rx": schema.POSITIVE, "ry": schema.POSITIVE, "rotation": schema.NUMBER},
    "cuboid": {"vertices": schema.array(_CORNER, 4)},
}
