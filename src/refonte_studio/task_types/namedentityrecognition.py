"""Mark the spans of a text that name something, and how they relate."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.medians import mean_of_pairs, most_typical, table_of
from refonte_studio.consensus.model import Outcome
from refonte_studio.kit.errors import BadInput
from refonte_studio.task_types.base import TaskType
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.checks import (
    MAX_ANNOTATIONS,
    MAX_NAME,
    MAX_TEXT,
    UniqueIds,
    a_choice,
    a_text,
    a_whole,
    an_array,
    annotations_of,
    at,
    flag,
    missing,
    record,
    refuse,
    shown_value,
)
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.panel import Panel
from refonte_studio.task_types.parts.parameters import Parameter, free, mixed, text
from refonte_studio.task_types.parts.parameters import flag as flag_parameter
from refonte_studio.task_types.parts.spans import (
    Span,
    first_overlap,
    labels_joined,
    likeness,
    marked,
    relation_labels,
    voted_spans,
)


class NamedEntityRecognition(TaskType):
    """Labeled spans of a text. Offsets count characters (Unicode code points); the end is exclusive.

    Several responses are combined into the spans that more than half of them have exactly; from their other spans, the
    stretches of characters that more than half have, by label; and the relations between these spans that more than
    half have. If they agree on nothing although most have spans, the response most similar to the others is the result.
    The similarity of two responses is the F1 of the labeled characters, averaged with that of the relations if there
    are any.
    """

    name = "namedentityrecognition"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "text": text("The text to mark up.", required=True),
        "labels": mixed("What to mark: names, or objects {name, display_name, children}.", required=True),
        "relationships": free(
            "How spans may relate: objects {name, source_label, target_label}. A relation's label is then one of the "
            "names, and it leads from the source label, or one below it, to the target label likewise."
        ),
        "relationship_definitions": free("The same as relationships."),
        "relationshipDefinitions": free("The same as relationships."),
        "allow_overlapping_annotations": flag_parameter("Whether spans may overlap, which they may by default."),
        "merge_newlines": flag_parameter("Whether single line breaks are shown as spaces."),
        "preserve_trailing_punctuation": flag_parameter("Whether the editor keeps punctuation at a span's end."),
        "default_free_select": flag_parameter("Whether the editor selects characters instead of words."),
        "isNEREnabled": flag_parameter("Given back by older clients; accepted and echoed."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Mark the people and the places, and who lives where.",
        "text": "Ada moved to Turin.",
        "labels": ["person", {"name": "place", "children": [{"name": "city"}, {"name": "country"}]}],
        "relationships": [{"name": "lives_in", "source_label": "person", "target_label": "place"}],
    }
    example_response: ClassVar[dict[str, Any]] = {
        "annotations": [
            {"id": "1", "label": "person", "start": 0, "end": 3, "text": "Ada"},
            {"id": "2", "label": "city", "start": 13, "end": 18, "text": "Turin"},
        ],
        "relations": [{"from": "1", "to": "2", "label": "lives_in"}],
    }

    either: ClassVar[Sequence[tuple[str, ...]]] = (
        ("relationships", "relationship_definitions", "relationshipDefinitions"),
    )

    def check_own_params(self, params: dict[str, Any]) -> None:
        if not _text(params):
            missing("text", "is empty")
        _labels(params)
        relation_labels(params)
        flag(params, "allow_overlapping_annotations")

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        source, labels, ids = _text(params), _labels(params), UniqueIds()
        found, given = annotations_of(response, ("relations",))
        path = "response.annotations"
        spans = [_span(each, at(path, index), source, labels, ids) for index, each in enumerate(given)]
        met: set[tuple[int, int, str]] = set()
        for index, span in enumerate(spans):
            place = (span["start"], span["end"], span["label"])
            if place in met:
                refuse(at(path, index), span["text"], f"is marked twice as {span['label']!r}")
            met.add(place)
        clash = None if flag(params, "allow_overlapping_annotations", default=True) else first_overlap(spans)
        if clash is not None:
            refuse(at(path, spans.index(clash)), clash["text"], "overlaps with another span")
        if found.get("relations") is None:
            return {"annotations": spans}
        return {"annotations": spans, "relations": _relations(params, found["relations"], spans)}

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        source, label = _text(params), next(iter(_labels(params)))
        end = len(source[:60].split(" ")[0]) or 1
        span = {"id": "sample-1", "label": label, "start": 0, "end": end, "text": source[:end]}
        return {"annotations": [span] if source else []}

    def stand_in(self, name: str, params: dict[str, Any], /) -> Any:
        """Returns stand-ins for missing labels: those that the relations connect."""
        joined = labels_joined(params) if name == "labels" else []
        return joined or super().stand_in(name, params)

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        compared = [marked(response) for response in responses]
        table = table_of(compared, likeness)
        typical = most_typical(table, panel.weights)
        result = voted_spans(_text(params), responses, panel.weights)
        most_found = panel.share([bool(response["annotations"]) for response in responses]) > 0.5
        if most_found and not result["annotations"]:
            result = responses[typical]
        try:
            result = self.check_response(params, result)
        except BadInput:  # the voted spans need not satisfy the rules that each response satisfies
            result = responses[typical]
        found = marked(result)
        alike = [likeness(one, found) for one in compared]
        return Outcome(result, panel.support(alike), mean_of_pairs(table))

    def similarity(self, _params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        return likeness(marked(one), marked(other))

    def response_schema(self) -> dict[str, Any]:
        span = {"id": schema.NAME, "label": schema.NAME, "start": schema.COUNT, "end": schema.COUNT}
        relation = schema.closed({"from": schema.NAME, "to": schema.NAME, "label": schema.STRING})
        return schema.annotated(schema.closed({**span, "text": schema.NAME}), {"relations": schema.array(relation)})


def _text(params: Mapping[str, Any]) -> str:
    value = params.get("text")
    return missing("text") if value is None else a_text(value, "text", 10 * MAX_TEXT)


def _labels(params: Mapping[str, Any]) -> Mapping[str, None]:
    value = params.get("labels")
    return missing("labels") if value is None else dict.fromkeys(names(value, "labels"))


def _span(given: object, path: str, source: str, labels: Mapping[str, None], ids: UniqueIds) -> Span:
    found = record(given, path, ("id", "label", "start", "end", "text"))
    start = a_whole(found["start"], at(path, "start"), 0)
    end = a_whole(found["end"], at(path, "end"))
    if end <= start:
        refuse(at(path, "end"), end, f"is not after the start {start}")
    if end > len(source):
        refuse(at(path, "end"), end, f"is beyond the text, which has {len(source)} characters")
    if not isinstance(found["text"], str) or found["text"] != source[start:end]:
        why = "offsets count characters (Unicode code points), and the end is exclusive"
        refuse(
            at(path, "text"),
            found["text"],
            f"is not what stands from {start} to {end}, which is {shown_value(source[start:end])}; {why}",
        )
    return {
        "id": ids.add(found["id"], at(path, "id")),
        "label": a_choice(found["label"], at(path, "label"), labels),
        "start": start,
        "end": end,
        "text": found["text"],
    }


def _relations(params: Mapping[str, Any], given: object, spans: Sequence[Span]) -> list[dict[str, str]]:
    allowed = relation_labels(params)
    label_of = {span["id"]: span["label"] for span in spans}
    checked: list[dict[str, str]] = []
    for index, each in enumerate(an_array(given, "response.relations", most=MAX_ANNOTATIONS)):
        path = at("response.relations", index)
        found = record(each, path, ("from", "to", "label"))
        for end in ("from", "to"):
            if not isinstance(found[end], str) or found[end] not in label_of:
                refuse(at(path, end), found[end], "is not the id of an annotation")
        label = a_text(found["label"], at(path, "label"), MAX_NAME)
        if allowed:
            label = a_choice(label, at(path, "label"), allowed)
        if allowed and not allowed[label].joins(label_of[found["from"]], label_of[found["to"]]):
            refuse(at(path, "label"), label, "does not join spans with these labels")
        checked.append({"from": found["from"], "to": found["to"], "label": label})
    return checked


TYPE = NamedEntityRecognition()
