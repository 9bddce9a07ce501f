"""The SDK repeats a request after a 5xx or a lost answer. Whatever was done the first time is not done twice."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
import requests
import scaleapi.api
from scaleapi import ScaleClient, TeammateRole
from scaleapi.exceptions import ScaleDuplicateResource
from scaleapi.tasks import TaskType

from tests.live import LiveTeam

Fault = Literal["refused", "answer lost", "answer replaced"]
CATS: dict[str, Any] = {"categories": ["cat", "kitten"], "attachment": "a small one", "attachment_type": "text"}


class BadNetwork:
    """A proxy before a server, whose next request goes wrong."""

    def __init__(self, server_url: str) -> None:
        self.server = urlsplit(server_url).netloc
        self.next_fault: Fault | None = None
        self.passed: list[tuple[str, str, int]] = []  # method, path, status: what reached the server
        network = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                network.forward(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_one

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Says nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})

    def forward(self, request: BaseHTTPRequestHandler) -> None:
        fault, self.next_fault = self.next_fault, None
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if fault == "refused":
            self.answer(request, 503, b"{}", "application/json")
            return
        connection = http.client.HTTPConnection(self.server, timeout=10)
        connection.request(request.command, request.path, body, dict(request.headers))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        self.passed.append((request.command, request.path, response.status))
        if fault == "answer lost":
            request.close_connection = True
        elif fault == "answer replaced":
            self.answer(request, 502, b"bad gateway", "text/plain")
        else:
            self.answer(request, response.status, content, response.headers["Content-Type"])

    def answer(self, request: BaseHTTPRequestHandler, status: int, content: bytes, media_type: str) -> None:
        request.send_response(status)
        request.send_header("Content-Type", media_type)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(content)


@pytest.fixture
def network(live_team: LiveTeam) -> Iterator[BadNetwork]:
    proxy = BadNetwork(live_team.server.url)
    proxy.thread.start()
    yield proxy
    proxy.http.shutdown()
    proxy.thread.join()
    proxy.http.server_close()


class _Session(requests.Session):
    """The SDK repeats requests over TLS alone; here also to a server without it."""

    def mount(self, prefix: Any, adapter: Any) -> None:
        super().mount(prefix, adapter)
        if adapter.max_retries.total:
            super().mount(prefix.replace("https://", "http://"), adapter)


@pytest.fixture(params=["live", "test"])
def far(
    request: pytest.FixtureRequest, live_team: LiveTeam, network: BadNetwork, monkeypatch: pytest.MonkeyPatch
) -> ScaleClient:
    """The admin's client, on the bad network."""
    monkeypatch.setattr(scaleapi.api.requests, "Session", _Session)
    return ScaleClient(live_team.ana.keys[request.param], api_instance_url=f"{network.url}/v1")


def test_a_task_whose_answer_was_lost_behind_a_gateway_is_found_again(far: ScaleClient, network: BadNetwork) -> None:
    network.next_fault = "answer replaced"
    task = far.create_task(TaskType.Categorization, **CATS, unique_id="cat-1")
    assert [status for _, _, status in network.passed] == [200, 409, 200]
    assert task.unique_id == "cat-1"
    page = far.tasks(unique_id="cat-1")
    assert [each.id for each in page] == [task.id]
    assert page.total == 1


def test_a_task_whose_connection_broke_is_made_once(far: ScaleClient, network: BadNetwork) -> None:
    """The SDK asks again and hears of the duplicate, but stumbles over its own record of the broken connection."""
    network.next_fault = "answer lost"
    with pytest.raises((ScaleDuplicateResource, TypeError)):
        far.create_task(TaskType.Categorization, **CATS, unique_id="cat-1")
    assert [status for _, _, status in network.passed] == [200, 409]
    assert far.tasks(unique_id="cat-1").total == 1


def test_a_task_that_never_arrived_is_made_at_the_second_try(far: ScaleClient, network: BadNetwork) -> None:
    network.next_fault = "refused"
    task = far.create_task(TaskType.Categorization, **CATS, unique_id="cat-1")
    assert [status for _, _, status in network.passed] == [200]
    assert far.get_task(task.id).unique_id == "cat-1"


@pytest.mark.parametrize("fault", ["answer lost", "answer replaced"])
def test_a_project_is_made_once(far: ScaleClient, network: BadNetwork, fault: Fault) -> None:
    network.next_fault = fault
    with pytest.raises(ScaleDuplicateResource, match="Cats"):
        far.create_project("Cats", TaskType.Categorization)
    assert [project.name for project in far.projects()] == ["Cats"]


@pytest.mark.parametrize("fault", ["answer lost", "answer replaced"])
def test_what_is_asked_twice_changes_things_once(far: ScaleClient, network: BadNetwork, fault: Fault) -> None:
    far.create_project("Cats", TaskType.Categorization, studio=True)
    far.create_batch("Cats", "Monday")
    task = far.create_task(TaskType.Categorization, **CATS)

    def twice(call: Any, *arguments: Any) -> Any:
        network.next_fault = fault
        before = len(network.passed)
        answer = call(*arguments)
        assert [status for _, _, status in network.passed[before:]] == [200, 200]
        return answer

    assert twice(far.finalize_batch, "Monday").status == "completed"
    assert twice(far.set_batch_metadata, "Monday", {"n": 1}).metadata == {"n": 1}
    assert twice(far.update_task_unique_id, task.id, "cat-1").unique_id == "cat-1"
    assert twice(far.set_task_metadata, task.id, {"n": 1}).metadata == {"n": 1}
    assert twice(far.set_task_tags, task.id, ["a", "b"]).tags == ["a", "b"]
    assert twice(far.delete_task_tags, task.id, ["a"]).tags == ["b"]
    assert "unique_id" not in twice(far.clear_task_unique_id, task.id).as_dict()
    ben = twice(far.add_studio_assignments, ["ben@example.com"], ["Cats"])["ben@example.com"]
    assert ben.assigned_projects == ["Cats"]
    if far.api.api_key.startswith("live_"):  # people are nothing for test keys
        assert len(twice(far.invite_teammates, ["eve@example.com"], TeammateRole.Labeler)) == 6
