"""Assignments, groups and the queue of batches, through the SDK."""

import pytest
from scaleapi import ScaleClient, TeammateRole
from scaleapi.exceptions import ScaleDuplicateResource, ScaleInvalidRequest
from scaleapi.studio import StudioBatch, StudioProjectGroup
from scaleapi.tasks import TaskType

BEN, DEE, MIA = "ben@example.com", "dee@example.com", "mia@example.com"


def studio_project(client: ScaleClient, name: str = "Birds") -> str:
    return client.create_project(name, TaskType.Categorization, {"categories": ["duck", "swan"]}, studio=True).name


def pending_batch(client: ScaleClient, name: str, project: str = "Birds", **options: bool) -> str:
    """A finalized Studio batch with a task that nobody has done."""
    client.create_batch(project, name, **options)
    client.create_task(TaskType.Categorization, project=project, batch=name, attachment=name, attachment_type="text")
    client.finalize_batch(name)
    return name


def emails_of(group: StudioProjectGroup) -> set[str]:
    # the SDK wraps the list in a tuple
    return {worker.email for worker in (group.workers[0] if group.workers else [])}


def names_of(batches: list[StudioBatch]) -> list[str]:
    return [batch.name for batch in batches]


def test_assignments(either: ScaleClient) -> None:
    studio_project(either)
    studio_project(either, "Bees")

    everyone = either.list_studio_assignments()
    assert set(everyone) == {"ana@example.com", "max@example.com", MIA, BEN, DEE}
    assert everyone[BEN].assigned_projects == []

    after = either.add_studio_assignments([BEN, DEE], ["Birds", "Bees"])
    assert sorted(after[BEN].assigned_projects) == sorted(after[DEE].assigned_projects) == ["Bees", "Birds"]
    assert after[MIA].assigned_projects == []

    after = either.remove_studio_assignments([BEN], ["Bees"])
    assert after[BEN].assigned_projects == ["Birds"]
    assert sorted(after[DEE].assigned_projects) == ["Bees", "Birds"]
    assert either.list_studio_assignments()[BEN].assigned_projects == ["Birds"]


def test_an_empty_list_of_projects_unassigns_nobody(sdk: ScaleClient) -> None:
    studio_project(sdk)
    sdk.add_studio_assignments([BEN], ["Birds"])
    assert sdk.remove_studio_assignments([BEN], [])[BEN].assigned_projects == ["Birds"]


def test_one_unknown_name_assigns_nobody(sdk: ScaleClient) -> None:
    studio_project(sdk)
    with pytest.raises(ScaleInvalidRequest, match="Nowhere"):
        sdk.add_studio_assignments([BEN], ["Birds", "Nowhere"])
    with pytest.raises(ScaleInvalidRequest, match=r"eve@example\.com"):
        sdk.add_studio_assignments([BEN, "eve@example.com"], ["Birds"])
    assert sdk.list_studio_assignments()[BEN].assigned_projects == []


def test_the_invited_may_be_assigned(sdk: ScaleClient) -> None:
    studio_project(sdk)
    sdk.invite_teammates(["eve@example.com"], TeammateRole.Labeler)
    assert "eve@example.com" not in sdk.add_studio_assignments(["eve@example.com"], ["Birds"])
    group = sdk.create_project_group("Birds", ["eve@example.com"], "Newcomers")
    assert emails_of(group) == {"eve@example.com"}


def test_groups(either: ScaleClient) -> None:
    studio_project(either)
    either.add_studio_assignments([BEN, DEE], ["Birds"])
    assert either.list_project_groups("Birds") == []

    made = either.create_project_group("Birds", [BEN], "Experts")
    assert (made.name, made.numWorkers, made.isSingleton) == ("Experts", 1, False)
    assert emails_of(made) == {BEN}

    changed = either.update_project_group("Birds", "Experts", [DEE], [BEN])
    assert changed.id == made.id
    assert emails_of(changed) == {DEE}

    [listed] = either.list_project_groups("Birds")
    assert (listed.id, emails_of(listed)) == (made.id, {DEE})

    emptied = either.update_project_group("Birds", "Experts", [], [DEE])
    assert (emptied.numWorkers, emptied.workers) == (0, [])


def test_a_taken_group_name_is_a_duplicate(sdk: ScaleClient) -> None:
    studio_project(sdk)
    sdk.add_studio_assignments([BEN], ["Birds"])
    sdk.create_project_group("Birds", [BEN], "Experts")
    with pytest.raises(ScaleDuplicateResource, match="Experts"):
        sdk.create_project_group("Birds", [BEN], "Experts")


def test_a_group_member_must_be_assigned(sdk: ScaleClient) -> None:
    studio_project(sdk)
    with pytest.raises(ScaleInvalidRequest, match="ben@example"):
        sdk.create_project_group("Birds", [BEN], "Experts")
    assert sdk.list_project_groups("Birds") == []


def test_studio_batches_in_order_of_priority(sdk: ScaleClient) -> None:
    studio_project(sdk)
    for name in ("one", "two", "three"):
        pending_batch(sdk, name)
    pending_batch(sdk, "trial", calibration_batch=True)
    pending_batch(sdk, "mine", self_label_batch=True)
    sdk.create_batch("Birds", "still in staging")

    batches = sdk.list_studio_batches()
    assert [(each.name, each.studio_priority, each.batch_type) for each in batches] == [
        ("trial", 1, "Calibration"),
        ("one", 2, "Production"),
        ("two", 3, "Production"),
        ("three", 4, "Production"),
        ("mine", 5, "SelfLabel"),
    ]
    assert {(each.project_name, each.total, each.completed) for each in batches} == {("Birds", 1, 0)}
    assert [each.groups for each in batches] == [[], [], [], [], []]
    assert len({each.project_id for each in batches}) == 1

    assert names_of(sdk.set_studio_batches_priorities(["three", "one"])) == ["three", "one", "trial", "two", "mine"]
    assert names_of(sdk.list_studio_batches()) == ["three", "one", "trial", "two", "mine"]
    assert [each.studio_priority for each in sdk.list_studio_batches()] == [1, 2, 3, 4, 5]

    assert names_of(sdk.reset_studio_batches_priorities()) == ["trial", "one", "two", "three", "mine"]


@pytest.mark.parametrize("named", [["one", "Nowhere"], ["two", "two"]], ids=["unknown", "repeated"])
def test_a_bad_order_changes_nothing(sdk: ScaleClient, named: list[str]) -> None:
    studio_project(sdk)
    for name in ("one", "two"):
        pending_batch(sdk, name)
    with pytest.raises(ScaleInvalidRequest, match=named[-1]):
        sdk.set_studio_batches_priorities(named)
    assert names_of(sdk.list_studio_batches()) == ["one", "two"]


def test_assign_studio_batches(sdk: ScaleClient) -> None:
    studio_project(sdk)
    sdk.add_studio_assignments([BEN, DEE], ["Birds"])
    sdk.create_project_group("Birds", [BEN], "Experts")
    pending_batch(sdk, "one")

    assert sdk.assign_studio_batches("one", ["Experts"]).groups == ["Experts"]
    assert sdk.assign_studio_batches("one", [DEE]).groups == [DEE]
    single = next(group for group in sdk.list_project_groups("Birds") if group.name == DEE)
    assert single.isSingleton is True
    assert emails_of(single) == {DEE}

    assert sorted(sdk.assign_studio_batches("one", ["Experts", DEE]).groups) == sorted(["Experts", DEE])
    assert sdk.assign_studio_batches("one", []).groups == []
    with pytest.raises(ScaleInvalidRequest, match="Nobody"):
        sdk.assign_studio_batches("one", ["Nobody"])


def test_the_test_world_has_batches_of_its_own(sdk: ScaleClient, sdk_in_test: ScaleClient) -> None:
    studio_project(sdk)
    pending_batch(sdk, "one")
    studio_project(sdk_in_test)
    sdk_in_test.create_batch("Birds", "two")
    assert names_of(sdk.list_studio_batches()) == ["one"]
    assert sdk_in_test.list_studio_batches() == []
