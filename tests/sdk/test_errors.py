"""Every error reaches the SDK's user as the exception the SDK documents, with the server's sentence."""

import pytest
import scaleapi
from scaleapi import ScaleClient
from scaleapi.exceptions import (
    ScaleDuplicateResource,
    ScaleException,
    ScaleInvalidRequest,
    ScaleResourceNotFound,
    ScaleUnauthorized,
)
from scaleapi.tasks import TaskType

from tests.live import LiveTeam
from tests.sdk.conftest import client_of


def test_a_wrong_key_is_unauthorized(live_team: LiveTeam) -> None:
    stranger = scaleapi.ScaleClient("live_0123456789", api_instance_url=f"{live_team.server.url}/v1")
    with pytest.raises(ScaleUnauthorized) as refused:
        stranger.list_teammates()
    assert refused.value.code == 401
    assert "key" in refused.value.message


def test_what_a_role_may_not_do_says_so(live_team: LiveTeam) -> None:
    labeler = client_of(live_team.ben, live_team.server.url)
    with pytest.raises(ScaleException) as refused:
        labeler.create_project("Not mine to make", TaskType.Categorization)
    assert refused.value.code == 403
    assert "labeler" in refused.value.message


def test_what_does_not_exist_is_not_found(either: ScaleClient) -> None:
    for lookup in (
        lambda: either.get_project("Nowhere"),
        lambda: either.get_batch("Nowhere"),
        lambda: either.batch_status("Nowhere"),
        lambda: either.finalize_batch("Nowhere"),
        lambda: either.update_project("Nowhere", instruction="none"),
        lambda: either.list_project_groups("Nowhere"),
        lambda: either.assign_studio_batches("Nowhere", []),
    ):
        with pytest.raises(ScaleResourceNotFound, match="Nowhere"):
            lookup()
    for lookup in (either.get_task, either.cancel_task, either.clear_task_unique_id):
        with pytest.raises(ScaleResourceNotFound, match="0123456789abcdef01234567"):
            lookup("0123456789abcdef01234567")


def test_a_taken_name_is_a_duplicate(either: ScaleClient) -> None:
    either.create_project("Cats", TaskType.Categorization)
    with pytest.raises(ScaleDuplicateResource, match="Cats"):
        either.create_project("Cats", TaskType.Categorization)
    either.create_batch("Cats", "Monday")
    with pytest.raises(ScaleDuplicateResource, match="Monday"):
        either.create_batch("Cats", "Monday")


def test_a_missing_parameter_is_an_invalid_request(either: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest) as refused:
        either.create_task(TaskType.TextCollection, attachment="Some parameters are missing.")
    assert refused.value.code == 400
    assert refused.value.message


def test_an_unknown_parameter_is_named(either: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest, match="instrution"):
        either.create_task(TaskType.Categorization, attachment="a cat", categories=["cat"], instrution="a typing error")


def test_an_unknown_project_in_a_body_is_an_invalid_request(either: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest, match="Nowhere"):
        either.create_batch("Nowhere", "Monday")


def test_a_type_that_the_server_does_not_have_is_refused(either: ScaleClient) -> None:
    with pytest.raises(ScaleException) as refused:
        either.create_task(TaskType.LidarAnnotation, attachments=["https://example.com/1.json"])
    assert refused.value.code in (400, 404)
    assert "lidarannotation" in refused.value.message
