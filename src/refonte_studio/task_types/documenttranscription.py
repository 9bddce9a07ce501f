"""Find the blocks of a document and copy out their text."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.texts import edit_similarity, text_cost, typical_text
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.annotation_task import AnnotationTask
from refonte_studio.task_types.parts.checks import (
    UniqueIds,
    a_choice,
    a_text,
    a_whole,
    annotations_of,
    at,
    missing_value,
    one_of,
    record,
)
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.drawing import BASE_ANNOTATION_PARAMETERS, SIZE_PARAMETERS
from refonte_studio.task_types.parts.geometry import FIELDS, SCHEMAS, GeometryRule, canvas_of, check_shape, sample_shape
from refonte_studio.task_types.parts.object_matching import Annotation, Array, Cluster, Compare, Features, Matcher
from refonte_studio.task_types.parts.parameters import Parameter, flag, free, mixed, need_one, text
from refonte_studio.task_types.parts.shapes import between, compare, measured

MAX_PAGE = 100_000


class DocumentTranscription(AnnotationTask):
    """Boxes with text on the pages of a document.

    To combine several responses, blocks on the same page are matched by overlap; the judge decides on the label, each
    edge is the median, and the text is the one that more than half give, or else the medoid by edit distance.
    """

    name = "documenttranscription"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "features": mixed("The kinds of block: names, or objects {type: block, label}. Required, or labels."),
        "labels": mixed("The same as features."),
        "language": text("The language of the document."),
        "relationships": free("Which blocks belong together, shown to labelers."),
        "enableAutoTranscription": flag("Given back by older clients; accepted and echoed."),
        "merge_newlines": flag("Whether line breaks are shown as spaces."),
        **SIZE_PARAMETERS,
        **BASE_ANNOTATION_PARAMETERS,
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Copy the heading and every paragraph.",
        "attachment": "https://example.com/letter.pdf",
        "attachment_type": "pdf",
        "features": [{"type": "block", "label": "heading"}, {"type": "block", "label": "paragraph"}],
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {
                "uuid": "7c62cc2e-ddc3-4c0e-8d8a-7f2e3b1a9f10",
                "label": "heading",
                "type": "block",
                "page": 0,
                "left": 80,
                "top": 64,
                "width": 420,
                "height": 38,
                "text": "Notice of meeting",
            }
        ]
    }

    either: ClassVar[Sequence[tuple[str, ...]]] = (("features", "labels"),)

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachment", "attachments")
        _rule(params)
        canvas_of(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        rule, canvas, uuids = _rule(params), canvas_of(params), UniqueIds()
        checked: list[dict[str, Any]] = []
        for index, each in enumerate(annotations_of(response)[1]):
            path = at("response.annotations", index)
            found = record(each, path, ("uuid", "label", "type", "page", *FIELDS["box"], "text"))
            block = {
                "uuid": uuids.add(found["uuid"], at(path, "uuid")),
                "label": a_choice(found["label"], at(path, "label"), rule.labels),
                "type": one_of(found["type"], at(path, "type"), ("block",)),
                "page": a_whole(found["page"], at(path, "page"), 0, MAX_PAGE),
            }
            shape = check_shape("box", found, path, rule, canvas)
            checked.append({**block, **shape, "text": a_text(found["text"], at(path, "text"))})
        return {"annotations": checked}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        rule = _rule(params)
        block = {"uuid": "sample-1", "label": next(iter(rule.labels)), "type": "block", "page": 0}
        return {"annotations": [{**block, **sample_shape("box", rule, canvas_of(params)), "text": "Sample"}]}

    def comparing_cost(self, responses: Sequence[dict[str, Any]], mean: float, /) -> float:
        texts = [block["text"] for response in responses for block in response["annotations"]]
        return mean * text_cost(texts) if texts else 0.0

    def matcher(self, params: dict[str, Any], /) -> Matcher:
        return _BlockMatcher(len(_rule(params).labels))

    def response_schema(self) -> dict[str, Any]:
        block = {"uuid": schema.NAME, "label": schema.NAME, "type": {"const": "block"}, "page": schema.COUNT}
        return schema.annotated(
            schema.closed({**block, **{name: SCHEMAS["box"][name] for name in FIELDS["box"]}, "text": schema.STRING})
        )


def _rule(params: Mapping[str, Any]) -> GeometryRule:
    name = "labels" if params.get("features") is None and params.get("labels") is not None else "features"
    value = params.get(name)
    return missing_value("features", "labels") if value is None else GeometryRule(dict.fromkeys(names(value, name)))


class _BlockMatcher(Matcher):
    def __init__(self, labels: int) -> None:
        self.labels = labels

    def group(self, annotation: Annotation, /) -> int:
        return annotation["page"]

    def measured(self, _group: Any, annotations: Sequence[Annotation], /) -> tuple[Array, Features]:
        return measured("box", annotations)

    def compare(self, _group: Any, /) -> Compare:
        return compare("box", 0)

    def detail(self, one: Annotation, other: Annotation, /) -> float:
        return (1 + edit_similarity(one["text"], other["text"])) / 2

    def joined(self, cluster: Cluster) -> dict[str, Any] | None:
        weights, blocks = cluster.weights(), cluster.annotations()
        box = between("box", blocks, weights, cluster.typical)
        texts = [block["text"] for block in blocks]
        return {**cluster.typical, **(box or {}), "text": texts[typical_text(texts, weights)]}


TYPE = DocumentTranscription()
