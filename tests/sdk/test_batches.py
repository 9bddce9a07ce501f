"""Batches, through the SDK."""

from datetime import UTC, datetime

import pytest
from scaleapi import ScaleClient
from scaleapi.batches import BatchStatus
from scaleapi.exceptions import ScaleInvalidRequest, ScaleResourceNotFound
from scaleapi.tasks import TaskType

from tests.live import LiveTeam

CATS = {"categories": ["cat", "kitten"]}


def cats(client: ScaleClient, *, studio: bool = False) -> ScaleClient:
    client.create_project("Cats", TaskType.Categorization, CATS, studio=studio)
    return client


def add_task(client: ScaleClient, batch: str) -> str:
    return client.create_task(
        TaskType.Categorization, project="Cats", batch=batch, attachment="mew", attachment_type="text"
    ).id


def time_of(team: LiveTeam) -> str:
    """The server's time as the SDK's documentation writes times."""
    return datetime.fromtimestamp(team.server.clock() / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def test_create_batch(either: ScaleClient) -> None:
    batch = cats(either).create_batch("Cats", "Monday", metadata={"week": 7})
    assert (batch.name, batch.project, batch.status) == ("Monday", "Cats", "in_progress")
    assert batch.metadata == {"week": 7}
    assert batch.created_at.endswith("Z")
    assert either.get_batch("Monday").as_dict() == batch.as_dict()


def test_create_batch_with_a_callback(sdk: ScaleClient) -> None:
    batch = cats(sdk).create_batch("Cats", "Monday", callback="https://example.com/done")
    assert batch.as_dict()["callback"] == "https://example.com/done"


def test_a_studio_batch_waits_to_be_finalized(sdk: ScaleClient) -> None:
    batch = cats(sdk, studio=True).create_batch("Cats", "Monday")
    assert batch.status == BatchStatus.Staging.value
    add_task(sdk, "Monday")
    assert batch.finalize().status == batch.status == BatchStatus.InProgress.value
    with pytest.raises(ScaleInvalidRequest, match="Monday"):
        add_task(sdk, "Monday")


def test_finalize_batch(either: ScaleClient) -> None:
    cats(either, studio=True).create_batch("Cats", "Monday")
    assert either.finalize_batch("Monday").status == BatchStatus.Completed.value  # it is empty
    assert either.get_batch("Monday").status == BatchStatus.Completed.value


def test_batch_status(sdk: ScaleClient) -> None:
    batch = cats(sdk).create_batch("Cats", "Monday")
    for _ in range(3):
        add_task(sdk, "Monday")
    sdk.cancel_task(add_task(sdk, "Monday"))
    status = sdk.batch_status("Monday")
    assert status["status"] == "in_progress"
    assert (status["pending"], status.get("completed", 0), status["canceled"]) == (3, 0, 1)
    batch.get_status()
    assert (batch.tasks_pending, batch.tasks_completed, batch.tasks_error, batch.tasks_canceled) == (3, 0, 0, 1)


def test_a_batch_completes_with_its_last_task(sdk_in_test: ScaleClient) -> None:
    batch = cats(sdk_in_test).create_batch("Cats", "Monday")
    add_task(sdk_in_test, "Monday")
    batch.get_status()
    assert (batch.status, batch.tasks_pending, batch.tasks_completed) == ("completed", 0, 1)


def test_set_batch_metadata(either: ScaleClient) -> None:
    cats(either).create_batch("Cats", "Monday", metadata={"week": 7})
    assert either.set_batch_metadata("Monday", {"week": 8, "who": {"name": "Ana"}}).metadata == {
        "week": 8,
        "who": {"name": "Ana"},
    }
    assert either.get_batch("Monday").metadata == {"week": 8, "who": {"name": "Ana"}}
    with pytest.raises(ScaleInvalidRequest, match=r"'week', 'who'.*clear=true"):
        either.set_batch_metadata("Monday", {})  # an empty object is what the SDK leaves out of its request


def test_batches_page_by_page(either: ScaleClient) -> None:
    cats(either)
    names = [either.create_batch("Cats", f"Batch {number}").name for number in range(7)]
    first = either.batches(limit=3)
    assert [batch.name for batch in first] == names[:3:-1]
    assert (first.total, first.limit, first.offset, first.has_more) == (7, 3, 0, True)
    last = either.batches(limit=3, offset=6)
    assert [batch.name for batch in last] == names[:1]
    assert (last.total, last.limit, last.offset, last.has_more) == (7, 3, 6, False)
    assert [batch.name for batch in either.batches()] == names[::-1]


def test_get_batches_goes_through_every_page(sdk: ScaleClient) -> None:
    cats(sdk)
    names = [sdk.create_batch("Cats", f"Batch {number:03}").name for number in range(103)]
    assert [batch.name for batch in sdk.get_batches()] == names[::-1]


def test_batches_of_a_project(either: ScaleClient) -> None:
    cats(either).create_project("Dogs", TaskType.Categorization)
    either.create_batch("Cats", "Monday")
    either.create_batch("Dogs", "Tuesday")
    assert [batch.name for batch in either.get_batches(project_name="Dogs")] == ["Tuesday"]
    assert [batch.name for batch in either.batches(project="Cats")] == ["Monday"]
    with pytest.raises(ScaleResourceNotFound, match="Nowhere"):
        list(either.get_batches(project_name="Nowhere"))


def test_batches_by_status(sdk: ScaleClient) -> None:
    cats(sdk, studio=True)
    for name in ("staging", "working", "done"):
        sdk.create_batch("Cats", name)
    add_task(sdk, "working")
    sdk.finalize_batch("working")
    sdk.finalize_batch("done")
    for status, name in (
        (BatchStatus.Staging, "staging"),
        (BatchStatus.InProgress, "working"),
        (BatchStatus.Completed, "done"),
    ):
        assert [batch.name for batch in sdk.get_batches(batch_status=status)] == [name]


def test_batches_by_time(sdk: ScaleClient, live_team: LiveTeam) -> None:
    cats(sdk).create_batch("Cats", "Monday")
    live_team.server.clock.forward(days=1)
    between = time_of(live_team)
    live_team.server.clock.forward(days=1)
    sdk.create_batch("Cats", "Wednesday")
    assert [batch.name for batch in sdk.get_batches(created_after=between)] == ["Wednesday"]
    assert [batch.name for batch in sdk.get_batches(created_before=between)] == ["Monday"]
    assert [batch.name for batch in sdk.get_batches(exclude_archived=True)] == ["Wednesday", "Monday"]


def test_live_and_test_batches_are_separate(sdk: ScaleClient, sdk_in_test: ScaleClient) -> None:
    cats(sdk).create_batch("Cats", "Monday")
    assert list(sdk_in_test.get_batches()) == []
    with pytest.raises(ScaleResourceNotFound, match="Monday"):
        sdk_in_test.get_batch("Monday")
