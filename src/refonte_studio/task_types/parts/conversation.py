"""The parameters of a task about a conversation: its messages, the candidates, and the questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refonte_studio.task_types.parts.checks import (
    MAX_TEXT,
    UniqueIds,
    a_name,
    a_number,
    a_text,
    an_array,
    an_object,
    at,
    flag,
    listed,
    missing,
    missing_value,
    one_of,
    record,
    refuse,
)
from refonte_studio.task_types.parts.choices import names
from refonte_studio.task_types.parts.fields import questions_of
from refonte_studio.task_types.parts.questionnaire import Questions
from refonte_studio.task_types.parts.questions import Question

MAX_MESSAGES = 500
FEWEST_CANDIDATES, MOST_CANDIDATES = 2, 8
MAX_CRITERIA = 50
MAX_TURN_LABELS = 50
ROLES = ("system", "developer", "user", "assistant", "tool")
CONVERSATION = "conversation"  # the subject of ratings if there are no candidates
_SCALE = (1, 5)
_SHORT = 2  # shorter model names occur in other words
_PARTS = ("candidates", "criteria", "turn_labels", "fields", "rewrite")


@dataclass(frozen=True, slots=True)
class Conversation:
    """The parsed parameters."""

    messages: int
    candidates: Sequence[str]  # their ids, sorted, because labelers must not see their order in the task
    criteria: Questions
    turn_labels: Mapping[str, None]
    fields: Questions
    rewrite: bool

    @property
    def rated(self) -> Sequence[str]:
        """The subjects rated by each criterion."""
        return self.candidates or (CONVERSATION,)


def conversation_of(params: Mapping[str, Any]) -> Conversation:
    """Parses the parameters. Raises BadInput naming an invalid one."""
    found = Conversation(
        _count_messages(params),
        sorted(each["id"] for each in candidates_of(params)),
        _criteria(params),
        _turn_labels(params),
        questions_of(params["fields"], "fields") if params.get("fields") else {},
        flag(dict(params), "rewrite"),
    )
    if not (found.candidates or found.criteria or found.turn_labels or found.fields or found.rewrite):
        missing_value(*_PARTS)
    return found


def _count_messages(params: Mapping[str, Any]) -> int:
    if params.get("messages") is None:
        missing("messages")
    messages = an_array(params["messages"], "messages", 1, MAX_MESSAGES)
    for index, each in enumerate(messages):
        path = at("messages", index)
        found = record(each, path, ("role", "content"))
        one_of(found["role"], at(path, "role"), ROLES)
        a_text(found["content"], at(path, "content"), MAX_TEXT)
    return len(messages)


def candidates_of(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the checked candidates. Labelers see the ids, so an id must not reveal the model."""
    given = params.get("candidates")
    if given is None:
        return []
    ids = UniqueIds()
    found: list[dict[str, Any]] = []
    for index, each in enumerate(an_array(given, "candidates", FEWEST_CANDIDATES, MOST_CANDIDATES)):
        path = at("candidates", index)
        candidate = record(each, path, ("id", "content"), ("model",))
        name = ids.add(candidate["id"], at(path, "id"))
        if name == CONVERSATION:
            refuse(at(path, "id"), name, "stands for the conversation as a whole; give another id")
        a_text(candidate["content"], at(path, "content"), MAX_TEXT)
        if candidate.get("model") is not None:
            _check_apart(name, a_name(candidate["model"], at(path, "model")), at(path, "id"))
        found.append(candidate)
    return found


def _check_apart(name: str, model: str, path: str) -> None:
    """Checks that an id does not reveal its model."""
    known, written = model.strip().casefold(), name.casefold()
    if known == written or (len(known) > _SHORT and known in written):
        refuse(path, name, "holds the name of the model, which labelers must not see")


def _criteria(params: Mapping[str, Any]) -> Questions:
    given = an_object(params.get("criteria") or {}, "criteria")
    if len(given) > MAX_CRITERIA:
        missing("criteria", f"has {len(given)} criteria, at most {MAX_CRITERIA} are allowed")
    found: dict[str, Question] = {}
    used = UniqueIds()
    for name, spec in given.items():
        path = at("criteria", used.add(name, "criteria"))
        criterion = record({} if spec is None else spec, path, (), ("title", "description", "min", "max"))
        for text in ("title", "description"):
            if criterion.get(text) is not None:
                a_text(criterion[text], at(path, text))
        low, high = (_bound(criterion, end, usual, path) for end, usual in zip(("min", "max"), _SCALE, strict=True))
        if low >= high:
            refuse(at(path, "max"), high, f"is not more than min, which is {low:g}")
        found[name] = Question(name, "number", "number", required=True, least=low, greatest=high)
    return found


def _bound(criterion: Mapping[str, Any], end: str, usual: int, path: str) -> int | float:
    return usual if criterion.get(end) is None else a_number(criterion[end], at(path, end))


def _turn_labels(params: Mapping[str, Any]) -> Mapping[str, None]:
    given = params.get("turn_labels")
    labels = names(given, "turn_labels") if given is not None else ()
    if len(labels) > MAX_TURN_LABELS:
        missing("turn_labels", f"has {len(labels)} labels, at most {MAX_TURN_LABELS}: {listed(labels)}")
    return dict.fromkeys(labels)
