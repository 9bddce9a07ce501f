"""Spans of a text and the relations between them: what relations may join, and what responses agree on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.tasks.types._checks import a_name, an_array, an_object, at, refuse
from refonte_studio.tasks.types._choices import names, walk
from refonte_studio.tasks.types._combine import medoid, tally

Span = dict[str, Any]
Place = tuple[int, int, str]

_DEFINITIONS = ("relationships", "relationship_definitions", "relationshipDefinitions")


@dataclass(frozen=True, slots=True)
class Joins:
    """The pairs of labels that a relation may lead between; None admits any label at that end."""

    ends: tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...]

    def joins(self, source: str, target: str) -> bool:
        return any(
            (sources is None or source in sources) and (targets is None or target in targets)
            for sources, targets in self.ends
        )


def relation_labels(params: Mapping[str, Any]) -> Mapping[str, Joins]:
    """The relations that are defined, by name; empty where none is, or where they have no names."""
    key = next((name for name in _DEFINITIONS if params.get(name)), None)
    if key is None:
        return {}
    given = params[key]
    if isinstance(given, dict):
        given = given.get("definitions") or []
    below = _below(params.get("labels"))
    ends: dict[str, list[tuple[frozenset[str] | None, frozenset[str] | None]]] = {}
    for index, spec in enumerate(an_array(given, key)):
        path = at(key, index)
        definition = {"name": spec} if isinstance(spec, str) else an_object(spec, path)
        source, target = (_end(below, definition, end, path) for end in ("source_label", "target_label"))
        name = definition.get("name")
        if name is not None:
            ends.setdefault(a_name(name, at(path, "name")), []).append((source, target))
    return {name: Joins(tuple(pairs)) for name, pairs in ends.items()}


def _end(below: Mapping[str, set[str]], definition: Mapping[str, Any], end: str, path: str) -> frozenset[str] | None:
    """The label that a definition names for that end, and all labels below it."""
    label = definition.get(end)
    if label is None:
        return None
    if not isinstance(label, str) or label not in below:
        refuse(at(path, end), label, "is not one of the labels")
    return frozenset(below[label])


def _below(labels: object) -> Mapping[str, set[str]]:
    """Each label with all that are nested in it, itself included."""
    names(labels, "labels")  # refuses what is not a list of names, or too long a one
    found: dict[str, set[str]] = {}
    above: list[str] = []
    for name, _, depth, _ in walk(labels, "labels"):
        above[depth:] = [name]
        for each in above:
            found.setdefault(each, set()).add(name)
    return found


def first_overlap(spans: Iterable[Span]) -> Span | None:
    """A span that overlaps with one before it in the text, or None."""
    reached = 0
    for span in sorted(spans, key=lambda each: (each["start"], each["end"])):
        if span["start"] < reached:
            return span
        reached = span["end"]
    return None


def place(span: Mapping[str, Any]) -> Place:
    return span["start"], span["end"], span["label"]


def agreed_spans(responses: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What more than half of the responses have, or the most typical response where that is no span at all."""
    half = len(responses) / 2
    spans = [span for response in responses for span in response["annotations"]]
    votes = tally([place(span) for span in spans])
    kept: dict[Place, Span] = {}
    for span in spans:
        if votes[place(span)] > half:
            kept.setdefault(place(span), span)
    if not kept:
        return medoid(responses, _similarity)
    ids = _fresh_ids(kept)
    annotations = [{**kept[where], "id": ids[where]} for where in sorted(kept)]
    agreed = [each for each, count in tally(_relations(responses)).items() if count > half]
    relations = [
        {"from": ids[source], "to": ids[target], "label": label}
        for source, target, label in agreed
        if source in kept and target in kept
    ]
    if any("relations" in response for response in responses):
        return {"annotations": annotations, "relations": relations}
    return {"annotations": annotations}


def _relations(responses: Sequence[dict[str, Any]]) -> list[tuple[Place, Place, str]]:
    """All relations, by place instead of id, each once for a response."""
    found: list[tuple[Place, Place, str]] = []
    for response in responses:
        places = {span["id"]: place(span) for span in response["annotations"]}
        relations = response.get("relations", ())
        found += dict.fromkeys((places[each["from"]], places[each["to"]], each["label"]) for each in relations)
    return found


def _fresh_ids(kept: Mapping[Place, Span]) -> dict[Place, str]:
    """The spans' own ids, numbered where two responses gave the same one to different spans."""
    ids: dict[Place, str] = {}
    used: set[str] = set()
    for where, span in kept.items():
        fresh, number = span["id"], 2
        while fresh in used:
            fresh, number = f"{span['id'][:100]}-{number}", number + 1
        used.add(fresh)
        ids[where] = fresh
    return ids


def _similarity(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    mine, theirs = {place(span) for span in one["annotations"]}, {place(span) for span in other["annotations"]}
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine or theirs else 1.0
