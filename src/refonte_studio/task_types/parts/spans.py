"""Spans of a text and the relations between them: which relations are allowed, and what responses agree on."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refonte_studio.consensus.geometry import majority_stretches, shared_pixels
from refonte_studio.task_types.parts.checks import a_name, an_array, an_object, at, refuse
from refonte_studio.task_types.parts.choices import names, walk
from refonte_studio.task_types.parts.ids import fresh_id

Span = dict[str, Any]
Place = tuple[int, int, str]
Array = np.ndarray[Any, Any]

_NOTHING = np.zeros((0, 2), dtype=int)
_CLOSE = 1e-9

_DEFINITIONS = ("relationships", "relationship_definitions", "relationshipDefinitions")


@dataclass(frozen=True, slots=True)
class AllowedPairs:
    """The pairs of labels that a relation may connect; None allows any label at that end."""

    ends: tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...]

    def joins(self, source: str, target: str) -> bool:
        return any(
            (sources is None or source in sources) and (targets is None or target in targets)
            for sources, targets in self.ends
        )


def relation_labels(params: Mapping[str, Any]) -> Mapping[str, AllowedPairs]:
    """Returns the defined relations by name; empty if there are none, or they have no names."""
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
    return {name: AllowedPairs(tuple(pairs)) for name, pairs in ends.items()}


def labels_joined(params: Mapping[str, Any]) -> list[str]:
    """Returns the distinct labels in the definitions of relations."""
    found: dict[str, None] = {}
    for key in _DEFINITIONS:
        given = params.get(key)
        definitions = given.get("definitions") if isinstance(given, dict) else given
        for each in definitions if isinstance(definitions, list) else ():
            ends = (each.get("source_label"), each.get("target_label")) if isinstance(each, dict) else ()
            found.update((end, None) for end in ends if isinstance(end, str) and end.strip())
    return list(found)


def _end(below: Mapping[str, set[str]], definition: Mapping[str, Any], end: str, path: str) -> frozenset[str] | None:
    """Returns the label that a definition names for that end, with all labels below it."""
    label = definition.get(end)
    if label is None:
        return None
    if not isinstance(label, str) or label not in below:
        refuse(at(path, end), label, "is not one of the labels")
    return frozenset(below[label])


def _below(labels: object) -> Mapping[str, set[str]]:
    """Returns each label with all labels nested in it, including itself."""
    names(labels, "labels")  # rejects an invalid or too long list of names
    found: dict[str, set[str]] = {}
    above: list[str] = []
    for name, _, depth, _ in walk(labels, "labels"):
        above[depth:] = [name]
        for each in above:
            found.setdefault(each, set()).add(name)
    return found


def first_overlap(spans: Iterable[Span]) -> Span | None:
    """Returns the first span that overlaps an earlier one in the text, or None."""
    reached = 0
    for span in sorted(spans, key=lambda each: (each["start"], each["end"])):
        if span["start"] < reached:
            return span
        reached = span["end"]
    return None


def place(span: Mapping[str, Any]) -> Place:
    return span["start"], span["end"], span["label"]


@dataclass(frozen=True, slots=True)
class MarkedSpans:
    """The compared parts of a response: the characters of each label, their number, and the relations."""

    covered: Mapping[str, Array]
    characters: int
    relations: set[tuple[Place, Place, str]]


def marked(response: Mapping[str, Any]) -> MarkedSpans:
    covered = _covered(response["annotations"])
    characters = sum(int((runs[:, 1] - runs[:, 0]).sum()) for runs in covered.values())
    return MarkedSpans(covered, characters, _relations(response))


def likeness(one: MarkedSpans, other: MarkedSpans) -> float:
    """Returns the F1 of the labeled characters; if either has relations, its mean with the F1 of those."""
    common = ((runs, other.covered[label]) for label, runs in one.covered.items() if label in other.covered)
    shared = sum(shared_pixels(mine, theirs) for mine, theirs in common)
    total = one.characters + other.characters
    alike = 2 * shared / total if total else 1.0
    relations = len(one.relations) + len(other.relations)
    return (alike + 2 * len(one.relations & other.relations) / relations) / 2 if relations else alike


def _covered(spans: Iterable[Span]) -> dict[str, Array]:
    """Returns the separate stretches of the text that each label covers, in order."""
    by_label: dict[str, list[tuple[int, int]]] = {}
    for span in spans:
        by_label.setdefault(span["label"], []).append((span["start"], span["end"]))
    return {label: majority_stretches([np.array(each)], [1.0], 0.0) for label, each in by_label.items()}


def _relations(response: Mapping[str, Any]) -> set[tuple[Place, Place, str]]:
    """Returns the relations, with positions in place of ids."""
    places = {span["id"]: place(span) for span in response["annotations"]}
    return {(places[each["from"]], places[each["to"]], each["label"]) for each in response.get("relations", ())}


def voted_spans(text: str, responses: Sequence[Mapping[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """Returns the spans that more than half of the weight has exactly; from the others, the stretches of characters
    that more than half has, by label; and the relations between these that more than half has."""
    half = sum(weights) / 2
    exact = _exact(responses, weights, half)
    found = {**exact, **_by_character(text, responses, weights, exact)}
    used: set[str] = set()
    ids = {where: fresh_id(wanted, used) for where, wanted in found.items()}
    annotations = [
        {"id": ids[where], "label": where[2], "start": where[0], "end": where[1], "text": text[where[0] : where[1]]}
        for where in sorted(found)
    ]
    if not any("relations" in response for response in responses):
        return {"annotations": annotations}
    votes: dict[tuple[Place, Place, str], float] = {}
    for response, weight in zip(responses, weights, strict=True):
        for relation in _moved(response, found):
            votes[relation] = votes.get(relation, 0.0) + weight
    agreed = [relation for relation, weight in votes.items() if weight > half + _CLOSE]
    relations = [{"from": ids[source], "to": ids[target], "label": label} for source, target, label in agreed]
    return {"annotations": annotations, "relations": relations}


def _exact(responses: Sequence[Mapping[str, Any]], weights: Sequence[float], half: float) -> dict[Place, str]:
    """Returns the positions that more than half of the weight has, with the id in the first of these responses."""
    votes: dict[Place, float] = {}
    ids: dict[Place, str] = {}
    for response, weight in zip(responses, weights, strict=True):
        for span in response["annotations"]:
            votes[place(span)] = votes.get(place(span), 0.0) + weight
            ids.setdefault(place(span), span["id"])
    return {where: ids[where] for where, weight in votes.items() if weight > half + _CLOSE}


def _by_character(
    text: str, responses: Sequence[Mapping[str, Any]], weights: Sequence[float], exact: Mapping[Place, str]
) -> dict[Place, str]:
    """Returns the stretches by a vote on the characters, without white space at their ends."""
    rest = [[span for span in response["annotations"] if place(span) not in exact] for response in responses]
    covered = [_covered(spans) for spans in rest]
    taken = _covered([{"start": start, "end": end, "label": label} for start, end, label in exact])
    found: dict[Place, str] = {}
    for label in dict.fromkeys(label for each in covered for label in each):
        runs = [each.get(label, _NOTHING) for each in covered]
        for run in majority_stretches(runs, weights, sum(weights) / 2):
            start, end = _trimmed(text, int(run[0]), int(run[1]))
            if start < end and not shared_pixels(np.array([[start, end]]), taken.get(label, _NOTHING)):
                found[start, end, label] = ""
    return _with_ids(found, rest)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())


def _with_ids(found: Mapping[Place, str], rest: Sequence[Sequence[Span]]) -> dict[Place, str]:
    """Returns the positions with the id of the first overlapping span with the same label."""
    ids = dict(found)
    by_label: dict[str, list[Place]] = {}
    for where in sorted(found):
        by_label.setdefault(where[2], []).append(where)
    for span in (span for spans in rest for span in spans):
        places = by_label.get(span["label"], [])
        first = bisect_right(places, span["start"], key=lambda where: where[1])
        if first < len(places) and places[first][0] < span["end"]:
            ids[places[first]] = ids[places[first]] or span["id"]
    return ids


def _moved(response: Mapping[str, Any], found: Mapping[Place, str]) -> set[tuple[Place, Place, str]]:
    """Returns the response's relations between the result's spans: its own spans, or those that they mostly cover."""
    if not response.get("relations"):
        return set()
    own = {place(span) for span in response["annotations"]}
    voted = [where for where in found if where not in own]
    ends = {end for relation in _relations(response) for end in relation[:2]}
    moved = {
        end: end if end in found else max(voted, key=lambda at, end=end: _shared(at, end), default=None) for end in ends
    }
    kept = {end: at for end, at in moved.items() if at is not None and _shared(at, end) >= 0.5}
    return {
        (kept[source], kept[target], label)
        for source, target, label in _relations(response)
        if source in kept and target in kept
    }


def _shared(one: Place, other: Place) -> float:
    """Returns the intersection over union of two positions with the same label."""
    if one[2] != other[2]:
        return 0.0
    return max(0, min(one[1], other[1]) - max(one[0], other[0])) / (max(one[1], other[1]) - min(one[0], other[0]))
