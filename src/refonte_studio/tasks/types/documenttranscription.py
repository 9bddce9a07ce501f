"""Find the blocks of a document and copy out their text."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.tasks.types import _schema
from refonte_studio.tasks.types._checks import Unique, a_text, a_whole, annotations_of, at, missing, one_of, record
from refonte_studio.tasks.types._choices import names
from refonte_studio.tasks.types._combine import annotation_similarity, medoid, text_similarity
from refonte_studio.tasks.types._drawing import BASE_ANNOTATION_PARAMETERS, SIZE_PARAMETERS
from refonte_studio.tasks.types._geometry import FIELDS, SCHEMAS, Rule, canvas_of, check_shape, sample_shape
from refonte_studio.tasks.types._geometry import shape_similarity as overlap
from refonte_studio.tasks.types._parameters import Parameter, flag, free, mixed, need_one, text
from refonte_studio.tasks.types.base import TaskType

MAX_PAGE = 100_000


class DocumentTranscription(TaskType):
    """Boxes with text on the pages of a document.

    Several responses give the one most like the others: blocks of the same page and label are paired off, and
    count by their overlap and by the likeness of their texts, half each.
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

    def check_own_params(self, params: dict[str, Any]) -> None:
        need_one(params, "attachment", "attachments")
        _rule(params)
        canvas_of(params)

    def check_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        rule, canvas, uuids = _rule(params), canvas_of(params), Unique()
        checked: list[dict[str, Any]] = []
        for index, each in enumerate(annotations_of(response)[1]):
            path = at("response.annotations", index)
            found = record(each, path, ("uuid", "label", "type", "page", *FIELDS["box"], "text"))
            block = {
                "uuid": uuids.add(found["uuid"], at(path, "uuid")),
                "label": one_of(found["label"], at(path, "label"), rule.labels),
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

    def merge(self, _params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> dict[str, Any]:
        return medoid(responses, _similarity)

    def response_schema(self) -> dict[str, Any]:
        block = {"uuid": _schema.NAME, "label": _schema.NAME, "type": {"const": "block"}, "page": _schema.COUNT}
        return _schema.annotated(_schema.closed({**block, **SCHEMAS["box"], "text": _schema.STRING}))


def _rule(params: Mapping[str, Any]) -> Rule:
    name = "labels" if params.get("features") is None and params.get("labels") is not None else "features"
    value = params.get(name)
    return missing("features") if value is None else Rule(dict.fromkeys(names(value, name)))


def _similarity(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    return annotation_similarity(
        one["annotations"], other["annotations"], lambda block: (block["page"], block["label"]), _block_similarity
    )


def _block_similarity(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> float:
    place = overlap("box", mine, theirs)
    # Texts are costly to compare; blocks that do not touch are no pair anyway.
    return (place + text_similarity(mine["text"], theirs["text"])) / 2 if place else 0.0


TYPE = DocumentTranscription()
