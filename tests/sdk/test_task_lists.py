"""Lists of tasks: every filter of the SDK, alone, and page by page."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from scaleapi import ScaleClient, Task
from scaleapi.exceptions import ScaleInvalidRequest, ScaleResourceNotFound
from scaleapi.tasks import TaskReviewStatus, TaskStatus, TaskType

from tests.live import LiveTeam

CATS: dict[str, Any] = {"categories": ["cat", "kitten"], "attachment": "a small one", "attachment_type": "text"}


def cat(client: ScaleClient, **parameters: Any) -> Task:
    return client.create_task(TaskType.Categorization, **{"project": "Cats", **CATS, **parameters})


def cats(client: ScaleClient) -> ScaleClient:
    client.create_project("Cats", TaskType.Categorization)
    return client


def ids(tasks: Iterable[Task]) -> list[str]:
    return [task.id for task in tasks]


def time_passes(team: LiveTeam) -> str:
    """A day goes by; answers with its noon, as the SDK's documentation writes times."""
    team.server.clock.forward(hours=12)
    noon = datetime.fromtimestamp(team.server.clock() / 1000, UTC)
    team.server.clock.forward(hours=12)
    return noon.strftime("%Y-%m-%d %H:%M:%S.%f")


def test_tasks_newest_first(either: ScaleClient) -> None:
    cats(either)
    made = [cat(either).id for _ in range(3)]
    page = either.tasks()
    assert ids(page) == made[::-1]
    assert (page.total, page.limit, page.offset, page.has_more, page.next_token) == (3, 100, 0, False, None)
    assert ids(either.get_tasks(project_name="Cats")) == made[::-1]


def test_pages_go_by_token(either: ScaleClient) -> None:
    cats(either)
    made = [cat(either).id for _ in range(7)]
    seen: list[str] = []
    token: str | None = None
    for expected in (3, 3, 1):
        page = either.tasks(project="Cats", limit=3, next_token=token)
        assert (len(page), page.total, page.limit) == (expected, 7, 3)
        assert page.has_more is (expected == 3)
        seen += ids(page)
        token = page.next_token
    assert token is None
    assert seen == made[::-1]
    assert ids(either.get_tasks(project_name="Cats", limit=2)) == made[::-1]


def test_a_page_is_not_shaken_by_new_tasks(sdk: ScaleClient) -> None:
    cats(sdk)
    made = [cat(sdk).id for _ in range(4)]
    first = sdk.tasks(project="Cats", limit=2)
    cat(sdk)
    assert ids(sdk.tasks(project="Cats", limit=2, next_token=first.next_token)) == made[1::-1]


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_bounds(sdk: ScaleClient, limit: int) -> None:
    with pytest.raises(ScaleInvalidRequest, match="limit"):
        sdk.tasks(limit=limit)


def test_by_project_and_batch(either: ScaleClient) -> None:
    cats(either).create_project("Dogs", TaskType.Categorization)
    either.create_batch("Cats", "Monday")
    first, second = cat(either).id, cat(either, batch="Monday").id
    third = cat(either, project="Dogs").id
    assert ids(either.get_tasks(project_name="Cats")) == [second, first]
    assert ids(either.get_tasks(project_name="Dogs")) == [third]
    assert ids(either.get_tasks(batch_name="Monday")) == [second]
    assert ids(either.get_tasks(project_name="Cats", batch_name="Monday")) == [second]
    assert either.get_tasks_count(project_name="Cats") == 2
    assert either.get_tasks_count(batch_name="Monday") == 1
    for missing in ({"project_name": "Nowhere"}, {"batch_name": "Nowhere"}):
        with pytest.raises(ScaleResourceNotFound, match="Nowhere"):
            list(either.get_tasks(**missing))
    with pytest.raises(ScaleResourceNotFound, match="'Dogs' has no batch 'Monday'"):
        list(either.get_tasks(project_name="Dogs", batch_name="Monday"))


def test_by_type(either: ScaleClient) -> None:
    cats(either)
    either.create_project("Mixed", TaskType.Comparison)
    first = cat(either).id
    second = either.create_task(
        TaskType.Comparison, project="Mixed", attachments=["a", "b"], attachment_type="text", choices=["a", "b"]
    ).id
    assert ids(either.tasks(type="comparison")) == [second]
    assert ids(either.get_tasks(project_name="Cats", task_type=TaskType.Categorization)) == [first]
    assert either.get_tasks_count(project_name="Cats", task_type=TaskType.Comparison) == 0


def test_by_status(sdk: ScaleClient) -> None:
    cats(sdk)
    pending, canceled = cat(sdk).id, cat(sdk).id
    sdk.cancel_task(canceled)
    assert ids(sdk.get_tasks(project_name="Cats", status=TaskStatus.Pending)) == [pending]
    assert ids(sdk.get_tasks(project_name="Cats", status=TaskStatus.Canceled)) == [canceled]
    assert sdk.get_tasks_count(project_name="Cats", status=TaskStatus.Completed) == 0
    with pytest.raises(ScaleInvalidRequest, match="lost"):
        sdk.tasks(status="lost")


def test_by_review_status(sdk_in_test: ScaleClient) -> None:
    sdk = cats(sdk_in_test)
    good, bad, unseen = cat(sdk), cat(sdk), cat(sdk)
    good.audit(True)
    bad.audit(False, "no cat at all")
    assert ids(sdk.get_tasks(project_name="Cats", review_status=TaskReviewStatus.Accepted)) == [good.id]
    both = [TaskReviewStatus.Accepted, TaskReviewStatus.Rejected]
    assert ids(sdk.get_tasks(project_name="Cats", review_status=both)) == [bad.id, good.id]
    assert sdk.get_tasks_count(project_name="Cats", review_status=both) == 2
    assert unseen.id in ids(sdk.get_tasks(project_name="Cats"))


def test_by_unique_id(either: ScaleClient) -> None:
    cats(either)
    made = {name: cat(either, unique_id=name).id for name in ("a", "b", "c d/é")}
    assert ids(either.tasks(unique_id="a")) == [made["a"]]
    assert ids(either.get_tasks(project_name="Cats", unique_id=["c d/é", "a"])) == [made["c d/é"], made["a"]]
    assert either.get_tasks_count(project_name="Cats", unique_id=["a", "b", "z"]) == 2
    assert ids(either.tasks(unique_id="z")) == []


def test_by_tags(either: ScaleClient) -> None:
    cats(either)
    both, one, none = cat(either, tags=["x", "y"]).id, cat(either, tags=["x"]).id, cat(either).id
    assert ids(either.get_tasks(project_name="Cats", tags="y")) == [both]
    assert ids(either.get_tasks(project_name="Cats", tags="x")) == [one, both]
    assert both in ids(either.get_tasks(project_name="Cats", tags=["x", "y"]))
    assert either.get_tasks_count(project_name="Cats", tags=["never"]) == 0
    assert none in ids(either.tasks())


def test_by_time_of_creation(either: ScaleClient, live_team: LiveTeam) -> None:
    cats(either)
    old = cat(either).id
    noon = time_passes(live_team)
    new = cat(either).id
    assert ids(either.get_tasks(project_name="Cats", created_after=noon)) == [new]
    assert ids(either.get_tasks(project_name="Cats", created_before=noon)) == [old]
    assert ids(either.tasks(start_time=noon)) == [new]
    assert ids(either.tasks(end_time=noon)) == [old]
    today = datetime.fromtimestamp(live_team.server.clock() / 1000, UTC).date()
    assert ids(either.get_tasks(project_name="Cats", created_before=str(today))) == [old]


def test_by_time_of_change(sdk: ScaleClient, live_team: LiveTeam) -> None:
    cats(sdk)
    changed, unchanged = cat(sdk), cat(sdk)
    noon = time_passes(live_team)
    changed.set_metadata({"new": True})
    assert ids(sdk.get_tasks(project_name="Cats", updated_after=noon)) == [changed.id]
    assert ids(sdk.get_tasks(project_name="Cats", updated_before=noon)) == [unchanged.id]


def test_by_time_of_completion(sdk_in_test: ScaleClient, live_team: LiveTeam) -> None:
    cats(sdk_in_test)
    old = cat(sdk_in_test).id
    noon = time_passes(live_team)
    new = cat(sdk_in_test).id
    assert ids(sdk_in_test.get_tasks(project_name="Cats", completed_after=noon)) == [new]
    assert ids(sdk_in_test.get_tasks(project_name="Cats", completed_before=noon)) == [old]


def test_a_limited_response(either: ScaleClient) -> None:
    cats(either)
    cat(either, metadata={"n": 1})
    [task] = either.get_tasks(project_name="Cats", limited_response=True)
    assert {"task_id", "status", "metadata", "project"} <= set(task.as_dict())
    assert set(task.as_dict()) <= {"task_id", "status", "metadata", "project", "otherVersion"}
    assert (task.metadata, task.project) == ({"n": 1}, "Cats")


@pytest.mark.parametrize("wanted", [True, False])
def test_with_or_without_attachment_urls(either: ScaleClient, wanted: bool) -> None:
    cats(either)
    made = cat(either).id
    assert ids(either.get_tasks(project_name="Cats", include_attachment_url=wanted)) == [made]
    assert either.get_tasks_count(project_name="Cats", include_attachment_url=wanted) == 1
