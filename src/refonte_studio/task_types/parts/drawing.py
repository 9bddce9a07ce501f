"""Types that draw shapes on an image: their parameters, and everything about their responses."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.annotation_task import AnnotationTask
from refonte_studio.task_types.parts.attributes import (
    ATTRIBUTE_PARAMETERS,
    Attribute,
    attributes_between,
    attributes_likeness,
    attributes_of,
    check_attributes,
    sample_attributes,
)
from refonte_studio.task_types.parts.checks import (
    UniqueIds,
    a_choice,
    a_flag,
    a_number,
    a_whole,
    an_object,
    annotations_of,
    at,
    missing,
    missing_value,
    one_of,
    record,
    refuse,
)
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.geometry import (
    FIELDS,
    MAX_PIXEL,
    MAX_VERTICES,
    OPTIONAL,
    SCHEMAS,
    Canvas,
    GeometryRule,
    canvas_of,
    check_shape,
    sample_shape,
)
from refonte_studio.task_types.parts.object_matching import (
    Annotation,
    Array,
    Cluster,
    Compare,
    Features,
    Matcher,
    groups_of,
    likeness,
)
from refonte_studio.task_types.parts.parameters import Parameter, flag, free, mapping, mixed, need_one, number, whole
from refonte_studio.task_types.parts.shapes import (
    TURNED_BOX,
    between,
    compare,
    compare_directed,
    half_alike_at,
    measured,
    outline_cost,
)

_MAX_ASKED_VERTICES = 1_000

SIZE_PARAMETERS: Mapping[str, Parameter] = {
    "image_size": Parameter(
        "The image's size in whole pixels, {width, height}; shapes must then lie inside it.",
        {"type": "object", "properties": {"width": {"type": "integer"}, "height": {"type": "integer"}}},
    ),
    "image_width": whole("The image's width in pixels; the same as image_size.width."),
    "image_height": whole("The image's height in pixels; the same as image_size.height."),
    "padding": number("How many pixels shapes may reach beyond the image's edges."),
    "paddingX": number("As padding, to the left and right only."),
    "paddingY": number("As padding, above and below only."),
}
BASE_ANNOTATION_PARAMETERS: Mapping[str, Parameter] = {
    "base_annotations": free("Annotations that labelers start from."),
    "can_add_base_annotations": flag("Whether labelers may add to the base annotations."),
    "can_edit_base_annotations": flag("Whether labelers may change the base annotations."),
    "can_edit_base_annotation_labels": flag("Whether labelers may change the labels of the base annotations."),
    "can_edit_base_annotation_positions": flag("Whether labelers may move the base annotations."),
    "can_edit_base_annotation_attributes": flag("Whether labelers may change the attributes of base annotations."),
    "can_delete_base_annotations": flag("Whether labelers may delete base annotations."),
    "can_remove_base_annotations": flag("The same as can_delete_base_annotations."),
    "can_add_annotations": flag("Whether labelers may add annotations."),
    "can_edit_annotations": flag("Whether labelers may change annotations."),
    "can_edit_annotation_labels": flag("Whether labelers may change the labels of annotations."),
    "can_edit_annotation_positions": flag("Whether labelers may move annotations."),
    "can_delete_annotations": flag("Whether labelers may delete annotations."),
}
DRAWING_PARAMETERS: Mapping[str, Parameter] = {
    "geometries": mapping(
        "What to draw: by geometry (box, polygon, line, point, cuboid, ellipse), objects {objects_to_annotate, "
        "min_width, min_height, min_vertices, max_vertices}. The objects' names, nested ones too, are the labels."
    ),
    "objects_to_annotate": mixed("The labels: names, or objects {choice, subchoices}."),
    "with_labels": flag("Whether labels are shown beside the shapes."),
    "min_width": number("Pixels that a shape must be wide."),
    "min_height": number("Pixels that a shape must be high."),
    "min_vertices": whole("Vertices that a polygon or line must have."),
    "max_vertices": whole("Vertices that a polygon or line may have."),
    "splines": flag("Whether lines are drawn as splines."),
    "can_rotate": flag("Whether boxes may be turned: they may then have a rotation, in degrees around their middle."),
    "links": mapping("Which annotations belong together, shown to labelers."),
    "linking_rules": free("Rules for links, shown to labelers."),
    "global_attributes": mapping("Attributes of the whole image, shown to labelers."),
    "label_descriptions": mapping("A sentence per label, shown to labelers."),
    "z_order_labels": mixed("Labels from back to front."),
    "annotation_grouping": free("How annotations are grouped in the editor."),
    "allowed_geometries": mixed("Geometries to offer in the editor."),
    "default_geometry": Parameter("The geometry that the editor starts with.", {"type": "string"}),
    "image_metadata": mapping("Facts about the image; kept and given back."),
    **SIZE_PARAMETERS,
    **BASE_ANNOTATION_PARAMETERS,
    **ATTRIBUTE_PARAMETERS,
}


def rules_of(params: Mapping[str, Any]) -> Mapping[str, GeometryRule]:
    """Returns the rules by geometry of a type with several geometries."""
    geometries = params.get("geometries")
    if not geometries:
        missing_value("geometries")
    rules: dict[str, GeometryRule] = {}
    for kind, spec in an_object(geometries, "geometries").items():
        path = at("geometries", one_of(kind, "geometries", FIELDS))
        own = {} if spec is None else an_object(spec, path)
        objects = own.get("objects_to_annotate")
        if objects is None and params.get("objects_to_annotate") is not None:
            own, path = {**own, "objects_to_annotate": params["objects_to_annotate"]}, ""
        if own.get("can_rotate") is None and params.get("can_rotate") is not None:
            own = {**own, "can_rotate": params["can_rotate"]}
        rules[kind] = _rule(kind, own, path)
    return rules


def rule_of(kind: str, params: Mapping[str, Any]) -> GeometryRule:
    """Returns the rule of a type with one geometry, from its top-level parameters or from `geometries`."""
    geometries = params.get("geometries")
    own = {} if geometries is None else an_object(geometries, "geometries").get(kind)
    own = {} if own is None else an_object(own, f"geometries.{kind}")
    if own.get("objects_to_annotate") is not None:
        return _rule(kind, {**params, **own}, f"geometries.{kind}")
    return _rule(kind, {**own, **params}, "")


def _rule(kind: str, spec: Mapping[str, Any], path: str) -> GeometryRule:
    prefix = f"{path}." if path else ""
    objects = spec.get("objects_to_annotate")
    if objects is None:
        missing_value(*dict.fromkeys((f"{prefix}objects_to_annotate", "objects_to_annotate")))
    labels = dict.fromkeys(names(objects, f"{prefix}objects_to_annotate"))
    if kind in ("polygon", "line"):
        fewest, most = spec.get("min_vertices"), spec.get("max_vertices")
        fewest = 0 if fewest is None else a_whole(fewest, f"{prefix}min_vertices", 0, _MAX_ASKED_VERTICES)
        least = max(fewest, 3 if kind == "polygon" else 2)
        most = MAX_VERTICES if most is None else a_whole(most, f"{prefix}max_vertices", least)
        return GeometryRule(labels, min_vertices=fewest, max_vertices=most)
    if kind == "point":
        return GeometryRule(labels)
    sides = [spec.get(name) for name in ("min_width", "min_height")]
    width, height = (
        0 if side is None else a_number(side, f"{prefix}{name}", 0, MAX_PIXEL)
        for name, side in zip(("min_width", "min_height"), sides, strict=True)
    )
    turns = spec.get("can_rotate")
    return GeometryRule(labels, width, height, can_rotate=turns is not None and a_flag(turns, f"{prefix}can_rotate"))


def check_room(rules: Mapping[str, GeometryRule], canvas: Canvas) -> None:
    """Checks that the smallest requested shapes fit into the image."""
    for rule in rules.values():
        if canvas.width is not None and rule.min_width > canvas.width:
            refuse("min_width", rule.min_width, f"is more than the image's width of {canvas.width:g}")
        if canvas.height is not None and rule.min_height > canvas.height:
            refuse("min_height", rule.min_height, f"is more than the image's height of {canvas.height:g}")


class ShapeMatcher(Matcher):
    """Compares and combines shapes of the same geometry (see `parts.shapes`), and attributes (see `parts.answers`)."""

    def __init__(self, rules: Mapping[str, GeometryRule], canvas: Canvas, attributes: Mapping[str, Attribute]) -> None:
        self._attributes, self._half_alike = attributes, half_alike_at(canvas)
        self._turns = any(rule.can_rotate for rule in rules.values())
        self.labels = len({label for rule in rules.values() for label in rule.labels})

    def group(self, annotation: Annotation, /) -> str:
        return TURNED_BOX if annotation["type"] == "box" and self._turns else annotation["type"]

    def measured(self, group: Any, annotations: Sequence[Annotation], /) -> tuple[Array, Features]:
        return measured(group, annotations)

    def compare(self, group: Any, /) -> Compare:
        return compare(group, self._half_alike)

    def detail(self, one: Annotation, other: Annotation, /) -> float:
        return attributes_likeness(self._attributes, one, other)

    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        typical = {name: value for name, value in cluster.typical.items() if name != "attributes"}
        shape = between(typical["type"], cluster.annotations(), cluster.weights(), typical)
        alike = cluster.like_typical()
        answers = attributes_between(self._attributes, alike.given(lambda each: each.get("attributes")), alike.panel)
        return {**typical, **(shape or {}), **({"attributes": answers} if answers else {})}


class DirectedShapeMatcher(ShapeMatcher):
    """A ShapeMatcher for which a line's direction matters."""

    def compare(self, group: Any, /) -> Compare:
        return compare_directed(group, self._half_alike)


class DrawnTask(AnnotationTask):
    """A type whose response is `{annotations: [{uuid, label, type, …shape, attributes?}]}`.

    To combine several responses, shapes of the same geometry are matched and combined (see `parts.shapes`); the judge
    decides on the label and on each attribute that is a choice.
    """

    kinds: ClassVar[Sequence[str]]
    parameters: ClassVar[Mapping[str, Parameter]] = DRAWING_PARAMETERS

    @abstractmethod
    def rules(self, params: Mapping[str, Any]) -> Mapping[str, GeometryRule]:
        """Returns what may be drawn, by geometry."""

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachment", "attachments")
        check_room(self.rules(params), canvas_of(params))
        attributes_of(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        rules, canvas, attributes = self.rules(params), canvas_of(params), attributes_of(params)
        uuids = UniqueIds()
        return {
            "annotations": [
                _annotation(each, f"response.annotations[{index}]", rules, canvas, attributes, uuids)
                for index, each in enumerate(annotations_of(response)[1])
            ]
        }

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        canvas, attributes = canvas_of(params), attributes_of(params)
        kind, rule = next(iter(self.rules(params).items()))
        label = next(iter(rule.labels))
        sample = {"uuid": "sample-1", "label": label, "type": kind, **sample_shape(kind, rule, canvas)}
        answers = sample_attributes(attributes, label)
        return {"annotations": [{**sample, "attributes": answers} if answers else sample]}

    def comparing_cost(self, responses: Sequence[dict[str, Any]], mean: float, /) -> float:
        kinds = {each["type"] for response in responses for each in response["annotations"]}
        return outline_cost(mean) if kinds & {"polygon", "ellipse", "cuboid"} else 0.0

    def matcher(self, params: dict[str, Any], /) -> Matcher:
        return ShapeMatcher(self.rules(params), canvas_of(params), attributes_of(params))

    def score(self, params: dict[str, Any], expected: dict[str, Any], response: dict[str, Any]) -> float:
        """Like `similarity`, but a line drawn in the wrong direction is wrong."""
        matcher = DirectedShapeMatcher(self.rules(params), canvas_of(params), attributes_of(params))
        return likeness(matcher, groups_of(matcher, [expected, response]), 0, 1)

    def response_schema(self) -> dict[str, Any]:
        return schema.annotated(schema.any_of([_annotation_schema(kind) for kind in self.kinds]))


def _annotation(
    given: object,
    path: str,
    rules: Mapping[str, GeometryRule],
    canvas: Canvas,
    attributes: Mapping[str, Attribute],
    uuids: UniqueIds,
) -> dict[str, Any]:
    kind = an_object(given, path).get("type")
    kind = missing(at(path, "type")) if kind is None else one_of(kind, at(path, "type"), rules)
    found = record(given, path, ("uuid", "label", "type", *FIELDS[kind]), ("attributes", *OPTIONAL.get(kind, ())))
    checked = {
        "uuid": uuids.add(found["uuid"], at(path, "uuid")),
        "label": a_choice(found["label"], at(path, "label"), rules[kind].labels),
        "type": kind,
        **check_shape(kind, found, path, rules[kind], canvas),
    }
    answers = check_attributes(attributes, checked["label"], found.get("attributes"), at(path, "attributes"))
    return {**checked, "attributes": answers} if answers else checked


def _annotation_schema(kind: str) -> dict[str, Any]:
    optional = OPTIONAL.get(kind, ())
    members = {"uuid": schema.NAME, "label": schema.NAME, "type": {"const": kind}}
    return schema.closed(
        {**members, **{name: SCHEMAS[kind][name] for name in FIELDS[kind]}},
        {**{name: SCHEMAS[kind][name] for name in optional}, "attributes": schema.ATTRIBUTES},
    )


class OneShapeTask(DrawnTask):
    """A drawing type with one geometry, whose labels are in `objects_to_annotate`."""

    kind: ClassVar[str]

    def rules(self, params: Mapping[str, Any]) -> Mapping[str, GeometryRule]:
        return {self.kind: rule_of(self.kind, params)}
