"""Operations that compare answers with each other and with the correct ones."""

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from refonte_studio.analytics.model import Cell, Confusion
from refonte_studio.analytics.policy import comparison
from refonte_studio.analytics.routes.figures import PeriodParams, asked_for
from refonte_studio.analytics.service import answers
from refonte_studio.batches import service as batches
from refonte_studio.kit.caller import Permission
from refonte_studio.kit.pages import PAGE_LIMIT
from refonte_studio.web import Call, Operations

operations = Operations("Insight")

_PERIOD = {"project": "Dog breeds", "from": "2023-08-01", "to": "2023-09-01"}


class ConfusionParams(PeriodParams):
    question: str | None = None
    against: str = "result"


class CellOut(msgspec.Struct):
    result: Any
    answer: Any
    count: int

    @classmethod
    def of(cls, cell: Cell) -> "CellOut":
        return cls(comparison.label(cell.result), comparison.label(cell.answer), cell.count)


class LabelerCells(msgspec.Struct):
    email: str
    cells: list[CellOut]


class ConfusionOut(msgspec.Struct, kw_only=True):
    project: str
    question: str
    against: str
    labels: list[Any]
    cells: list[CellOut]
    labelers: list[LabelerCells] | UnsetType = UNSET  # if labeler_emails are given
    attempts: int
    truncated: bool


@operations.add(
    "GET",
    "/v1/insight/confusion",
    may=Permission.READ,
    locate=batches.check_filters,
    params=ConfusionParams,
    answer=ConfusionOut,
    errors=(404,),
    example={**_PERIOD, "question": "category"},
    example_answer={
        "project": "Dog breeds",
        "question": "category",
        "against": "result",
        "labels": ["collie", "terrier"],
        "cells": [
            {"result": "collie", "answer": "collie", "count": 903},
            {"result": "terrier", "answer": "terrier", "count": 871},
            {"result": "terrier", "answer": "collie", "count": 44},
        ],
        "attempts": 1818,
        "truncated": False,
    },
)
async def confusion_matrix(call: Call, params: ConfusionParams) -> ConfusionOut:
    """Get the confusion matrix of a question.

    For a category field of a project's tasks: the number of attempts with `answer` where `result` is correct; pairs
    that never occur are left out. The correct answer is the completed task's response (only of tasks that several
    people did or that were reviewed) or, with `against=evaluation`, the expected response of evaluation tasks.
    `project` is required, and `question` if there are several. With `labeler_emails` only these people's answers count,
    and each person also gets a matrix. At most the newest 50,000 attempts of the period are read, fewer of very large
    tasks: `attempts` is their number, and `truncated` says whether there are more.
    """
    asked = asked_for(params, call.now)
    read = await call.replica.read(answers.held_against, call.caller, asked, params.against)
    who = await call.replica.read(answers.of_addresses, call.caller, params.labeler_emails or [])
    found = await asyncio.to_thread(comparison.confusion, read, params.question, list(who))
    out = ConfusionOut(
        project=params.project or "",
        question=found.question,
        against=params.against,
        labels=[comparison.label(text) for text in comparison.labels_of(found)],
        cells=[CellOut.of(cell) for cell in found.cells],
        attempts=len(read.attempts),
        truncated=read.truncated,
    )
    if params.labeler_emails is not None:
        out.labelers = _apart(found, who)
    return out


def _apart(found: Confusion, emails: dict[str, str]) -> list[LabelerCells]:
    return [
        LabelerCells(email, [CellOut.of(cell) for cell in found.by_labeler[person]]) for person, email in emails.items()
    ]


class DisagreementParams(PeriodParams):
    at_least: Annotated[int, Meta(ge=1, le=10_000)] = 5
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT


class PairOut(msgspec.Struct):
    labelers: list[str]
    together: int
    agreed: int
    agreement: float
    kappa: float | None


class DisagreementOut(msgspec.Struct, kw_only=True):
    project: str
    docs: list[PairOut]
    limit: int
    attempts: int
    truncated: bool


@operations.add(
    "GET",
    "/v1/insight/disagreement",
    may=Permission.READ,
    locate=batches.check_filters,
    params=DisagreementParams,
    answer=DisagreementOut,
    errors=(404,),
    example={**_PERIOD, "at_least": 20},
    example_answer={
        "project": "Dog breeds",
        "docs": [
            {
                "labelers": ["ben@example.com", "dee@example.com"],
                "together": 118,
                "agreed": 87,
                "agreement": 0.737,
                "kappa": 0.49,
            }
        ],
        "limit": 100,
        "attempts": 1818,
        "truncated": False,
    },
)
async def disagreement(call: Call, params: DisagreementParams) -> DisagreementOut:
    """List the pairs of labelers who disagree most.

    Pairs of people with at least `at_least` common tasks in a project, least agreement first. `agreement` is the mean
    over these tasks of the share of category fields that they answered equally or, for drawn or typed answers, of the
    similarity of the answers (0 to 1). `agreed` counts the tasks that they answered equally. `kappa` is Cohen's: 1 for
    full agreement, 0 for the agreement of chance; null if there are no categories. `project` is required;
    `labeler_emails` and `group` restrict the pairs to these people. At most the newest 50,000 attempts are read and
    200,000 pairs of answers compared, or 4,000 of drawn ones; `truncated` says whether there are more.
    """
    asked = asked_for(params, call.now)
    read = await call.replica.read(answers.answers, call.caller, asked, "each_other")
    found, cut = await asyncio.to_thread(comparison.disagreement, read, params.at_least, params.limit)
    emails = await call.replica.read(
        answers.emails, call.caller, [who for pair in found for who in (pair.one, pair.other)]
    )
    return DisagreementOut(
        project=params.project or "",
        docs=[
            PairOut(
                sorted([emails[pair.one], emails[pair.other]]), pair.together, pair.agreed, pair.agreement, pair.kappa
            )
            for pair in found
        ],
        limit=params.limit,
        attempts=len(read.attempts),
        truncated=read.truncated or cut,
    )
