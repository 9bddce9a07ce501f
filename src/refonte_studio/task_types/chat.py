"""Judge conversations with language models: rank and rate answers, label turns, rewrite."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from refonte_studio.consensus.model import Outcome
from refonte_studio.consensus.texts import edit_similarity, text_cost, typical_text
from refonte_studio.task_types.base import TaskType
from refonte_studio.task_types.parts import schema
from refonte_studio.task_types.parts.answers import QuestionAnswer
from refonte_studio.task_types.parts.checks import a_text, an_object, at, listed, missing, record, size_of, texts_in
from refonte_studio.task_types.parts.conversation import MOST_CANDIDATES, Conversation, candidates_of, conversation_of
from refonte_studio.task_types.parts.fields import FIELD_PARAMETERS, check_row, compatible_result, fields_schema
from refonte_studio.task_types.parts.panel import Panel, Reader
from refonte_studio.task_types.parts.parameters import Parameter, flag, mapping, texts
from refonte_studio.task_types.parts.questionnaire import (
    answers_to,
    choices_to,
    confidence_of,
    likeness,
    mean,
    values_of,
    votes_reader,
)
from refonte_studio.task_types.parts.questions import check_value, sample_value
from refonte_studio.task_types.parts.rankings import check_ranking, ranking_likeness, settle_ranking
from refonte_studio.task_types.parts.turns import check_turns, settle_turns, turns_likeness, turns_reader


class Chat(TaskType):
    """Anything a task asks about a conversation: a ranking and ratings of candidates for its next message, labels of
    its turns, further fields, an improved answer. A response has every requested part.

    Labelers see the candidates in an individual order, and never see which model a candidate comes from. Responses
    refer to candidates by their ids, which labelers do see.

    Several responses are combined part by part. The ranking is the one that more than half of them give, or else that
    of the Bradley-Terry model, in which a tie counts as half a win for either side. Each rating is the median. The
    judge decides on each label of each turn; fields are combined by kind of question (see `parts.answers`); the
    rewritten answer is the one that needs the fewest edits to become the others. The similarity of two responses is the
    mean over these parts: rankings by Kendall's tau, ratings by closeness on their scale, turns by F1 of their labels.
    """

    name = "chat"
    conceals = True
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "messages": Parameter(
            "The conversation so far: objects {role, content}. role is system, developer, user, assistant or tool.",
            {"type": "array", "items": {"type": "object"}},
            required=True,
        ),
        "candidates": Parameter(
            "Answers to rank: 2 to 8 objects {id, content, model}. Labelers see the ids, in an order of their own, and "
            "never the model, which is optional.",
            {"type": "array", "items": {"type": "object"}},
        ),
        "criteria": mapping(
            "What to rate, by name: objects {title, min, max}, from 1 to 5 unless they say otherwise. Each candidate "
            "is rated by each criterion; without candidates, the conversation is."
        ),
        "turn_labels": texts("What may be said about a turn of the conversation: names."),
        "fields": FIELD_PARAMETERS["fields"].described("Further questions, in the form of a transcription's fields."),
        "rewrite": flag("Whether a better answer is to be written."),
    }
    example_params: ClassVar[dict[str, Any]] = {
        "instruction": "Which answer would help the customer more?",
        "messages": [
            {"role": "user", "content": "My parcel has not arrived."},
            {"role": "assistant", "content": "I am sorry. Which number does it have?"},
            {"role": "user", "content": "It is 4711."},
        ],
        "candidates": [
            {"id": "k7", "content": "It is in your town and comes tomorrow.", "model": "small-2"},
            {"id": "q2", "content": "Please wait.", "model": "large-1"},
            {"id": "m4", "content": "Parcel 4711 left our depot today.", "model": "large-2"},
        ],
        "criteria": {"help": {"title": "How much does it help?", "min": 1, "max": 5}},
        "turn_labels": ["polite", "off topic"],
        "fields": [{"field_id": "language", "type": "category", "choices": ["English", "other"]}],
        "rewrite": True,
    }
    example_response: ClassVar[dict[str, Any]] = {
        "ranking": [["k7", "m4"], ["q2"]],
        "ratings": {"k7": {"help": 5}, "q2": {"help": 1}, "m4": {"help": 4}},
        "turns": [{"turn": 1, "labels": ["polite"], "comment": "It asks for what it needs."}],
        "fields": {"language": "English"},
        "rewrite": "Parcel 4711 is in your town. It comes tomorrow.",
    }

    def check_own_params(self, params: dict[str, Any]) -> None:
        conversation_of(params)

    def check_own_response(self, params: dict[str, Any], response: object) -> dict[str, Any]:
        asked = conversation_of(params)
        given = record(response, "response", _parts(asked))
        checked: dict[str, Any] = {}
        if asked.candidates:
            checked["ranking"] = check_ranking(given["ranking"], asked.candidates, "response.ranking")
        if asked.criteria:
            checked["ratings"] = _check_ratings(given["ratings"], asked, "response.ratings")
        if asked.turn_labels:
            checked["turns"] = check_turns(given["turns"], asked.turn_labels, asked.messages, "response.turns")
        if asked.fields:
            checked["fields"] = check_row(asked.fields, given["fields"], "response.fields")
        if asked.rewrite:
            checked["rewrite"] = _written(given["rewrite"])
        return checked

    def sample_response(self, params: dict[str, Any]) -> dict[str, Any]:
        asked = conversation_of(params)
        rating = {name: sample_value(each) for name, each in asked.criteria.items()}
        sample: dict[str, Any] = {
            "ranking": [[each] for each in asked.candidates],
            "ratings": {each: dict(rating) for each in asked.rated},
            "turns": [{"turn": 0, "labels": [label]} for label in list(asked.turn_labels)[:1]],
            "fields": {name: sample_value(each) for name, each in asked.fields.items()},
            "rewrite": "Sample",
        }
        return {part: sample[part] for part in _parts(asked)}

    def params_for_labeler(self, params: dict[str, Any], seed: str) -> dict[str, Any]:
        """Returns the candidates in this person's order, without their models."""
        if not params.get("candidates"):
            return params
        shown = [{name: each[name] for name in ("id", "content")} for each in candidates_of(params)]
        return {**params, "candidates": sorted(shown, key=lambda each: _place(each["id"], seed))}

    def consensus_cost(self, _params: dict[str, Any], responses: Sequence[dict[str, Any]], /) -> int:
        """Every pair of responses is compared; the strengths of candidates are computed in many short rounds."""
        pairs = len(responses) * (len(responses) + 1) / 2
        written = texts_in(responses)
        each = len(written) / len(responses) * text_cost(written)
        ranks = 2_000 if "ranking" in responses[0] else 0
        return int(ranks + 2 * size_of(responses) * len(responses) + pairs * each)

    def settle(self, params: dict[str, Any], responses: Sequence[dict[str, Any]], panel: Panel, /) -> Outcome:
        asked = conversation_of(params)
        merged: dict[str, Any] = {}
        found: list[QuestionAnswer] = []
        if asked.candidates:
            rankings = [response["ranking"] for response in responses]
            merged["ranking"], confidence = settle_ranking(rankings, asked.candidates, panel)
            found.append(QuestionAnswer(None, confidence))
        if asked.criteria:
            merged["ratings"] = {}
            for each in asked.rated:
                given = [response["ratings"][each] for response in responses]
                answers = answers_to(asked.criteria, f"ratings/{each}", given, panel)
                merged["ratings"][each] = values_of(answers)
                found += answers.values()
        if asked.turn_labels:
            turns = [response["turns"] for response in responses]
            merged["turns"], sure = settle_turns(turns, asked.turn_labels, panel)
            found += sure
        if asked.fields:
            answers = answers_to(asked.fields, "fields", [response["fields"] for response in responses], panel)
            merged["fields"] = values_of(answers)
            found += answers.values()
        if asked.rewrite:
            written = [response["rewrite"] for response in responses]
            merged["rewrite"] = written[typical_text(written, panel.weights)]
            found.append(
                QuestionAnswer(None, panel.support([edit_similarity(each, merged["rewrite"]) for each in written]))
            )
        return compatible_result(self, params, merged, responses, confidence_of(found, panel), panel)

    def reader(self, params: dict[str, Any], /) -> Reader:
        asked = conversation_of(params)
        fields, turns = votes_reader(asked.fields, "fields"), turns_reader(asked.turn_labels, asked.messages)
        return lambda response: {**fields(response.get("fields", {})), **turns(response.get("turns", ()))}

    def choices(self, params: dict[str, Any], /) -> Mapping[str, int]:
        asked = conversation_of(params)
        labels = turns_reader(asked.turn_labels, asked.messages)(())
        return {**choices_to(asked.fields, "fields"), **dict.fromkeys(labels, 2)}

    def similarity(self, params: dict[str, Any], one: dict[str, Any], other: dict[str, Any], /) -> float:
        """Responses to different tasks, with different candidates and parts, are compared by what they have in
        common."""
        asked = conversation_of(params)
        both = one.keys() & other.keys()
        alike: list[float] = []
        if "ranking" in both:
            alike.append(ranking_likeness(one["ranking"], other["ranking"]))
        if "ratings" in both:
            mine, theirs = one["ratings"], other["ratings"]
            rated = [each for each in asked.rated if each in mine and each in theirs]
            alike += [mean([likeness(asked.criteria, mine[each], theirs[each]) for each in rated])] if rated else []
        if "turns" in both:
            alike.append(turns_likeness(one["turns"], other["turns"]))
        if "fields" in both:
            alike.append(likeness(asked.fields, one["fields"], other["fields"]))
        if "rewrite" in both:
            alike.append(edit_similarity(one["rewrite"], other["rewrite"]))
        return mean(alike) if alike else 0.0

    def response_schema(self) -> dict[str, Any]:
        shared = {**schema.array(schema.NAME, 1), "uniqueItems": True}
        ratings = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": schema.NUMBER}}
        turn = {"turn": schema.COUNT, "labels": {**schema.array(schema.NAME), "uniqueItems": True}}
        parts = {
            "ranking": {**schema.array({"anyOf": [shared, schema.NAME]}, 1), "maxItems": MOST_CANDIDATES},
            "ratings": ratings,
            "turns": schema.array(schema.closed(turn, {"comment": schema.STRING})),
            "fields": fields_schema()["properties"]["fields"],
            "rewrite": schema.NAME,
        }
        return schema.response({**schema.closed({}, parts), "minProperties": 1})


def _place(name: str, seed: str) -> bytes:
    """The sort key of a candidate; it does not depend on the order of candidates in the task."""
    return hashlib.sha256(f"{seed}/{name}".encode(errors="surrogatepass")).digest()


def _parts(asked: Conversation) -> list[str]:
    """Returns the requested parts of a response."""
    parts: dict[str, Any] = {
        "ranking": asked.candidates,
        "ratings": asked.criteria,
        "turns": asked.turn_labels,
        "fields": asked.fields,
        "rewrite": asked.rewrite,
    }
    return [name for name, wanted in parts.items() if wanted]


def _check_ratings(given: object, asked: Conversation, path: str) -> dict[str, dict[str, Any]]:
    """Checks for a number for each criterion of each candidate, or of the conversation."""
    ratings = an_object(given, path)
    for name in ratings:
        if name not in asked.rated:
            missing(at(path, name), f"is not rated here; rate {listed(asked.rated)}")
    found: dict[str, dict[str, Any]] = {}
    for each in asked.rated:
        here = at(path, each)
        if each not in ratings:
            missing(here)
        said = record(ratings[each], here, tuple(asked.criteria))
        found[each] = {name: check_value(asked.criteria[name], said[name], at(here, name)) for name in asked.criteria}
    return found


def _written(given: object) -> str:
    text = a_text(given, "response.rewrite")
    return text if text.strip() else missing("response.rewrite", "is blank")


TYPE = Chat()
