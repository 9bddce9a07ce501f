"""Files, through the SDK: uploaded, and imported from another server."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from scaleapi import ScaleClient
from scaleapi.exceptions import ScaleInvalidRequest
from scaleapi.files import File
from scaleapi.tasks import TaskType

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


class _Shelf(BaseHTTPRequestHandler):
    """Serves one picture, and nothing else."""

    def do_GET(self) -> None:
        found = self.path == "/pixel.png"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(PIXEL) if found else 0))
        self.end_headers()
        if found:
            self.wfile.write(PIXEL)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing."""


@pytest.fixture
def shelf() -> Iterator[str]:
    """The address of another server, on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shelf)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def check_pixel(file: File) -> None:
    described = file.as_dict()
    assert file.id
    assert file.attachment_url
    assert (described["mime_type"], described["size"]) == ("image/png", len(PIXEL))
    assert described["created_at"].endswith("Z")
    assert described["updated_at"].endswith("Z")


def picture(data: bytes = PIXEL) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = "pixel.png"
    return file


def test_upload_file(either: ScaleClient) -> None:
    either.create_project("Cats", TaskType.ImageAnnotation)
    file = either.upload_file(picture(), project_name="Cats", display_name="A cat, from afar")
    check_pixel(file)
    assert file.as_dict()["project_names"] == ["Cats"]
    assert file.as_dict()["display_name"] == "A cat, from afar"


def test_upload_a_file_from_disk(either: ScaleClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("pictures") / "pixel é.png"
    path.write_bytes(PIXEL)
    with path.open("rb") as opened:
        check_pixel(either.upload_file(opened))


def test_an_uploaded_file_becomes_an_attachment(sdk: ScaleClient) -> None:
    file = sdk.upload_file(picture())
    task = sdk.create_task(
        TaskType.ImageAnnotation,
        attachment=file.attachment_url,
        attachment_type="image",
        geometries={"box": {"objects_to_annotate": ["cat"]}},
    )
    assert task.params["attachment"] == file.attachment_url


def test_an_uploaded_file_can_be_had_again(sdk: ScaleClient) -> None:
    data = PIXEL + bytes(range(256)) * 5_000
    file = sdk.upload_file(picture(data))
    sdk.create_project("Cats", TaskType.Categorization, {"categories": ["cat", "dog"]})
    sdk.create_task(TaskType.Categorization, project="Cats", attachment=file.attachment_url, attachment_type="image")
    [task] = sdk.get_tasks(project_name="Cats", include_attachment_url=True)
    [download] = task.attachmentS3Downloads
    response = requests.get(download["s3URL"], auth=(sdk.api.api_key, ""), timeout=10)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/png"
    assert response.content == data


def test_import_file(either: ScaleClient, shelf: str) -> None:
    either.create_project("Cats", TaskType.ImageAnnotation)
    file = either.import_file(f"{shelf}/pixel.png", project_name="Cats")
    check_pixel(file)
    assert file.as_dict()["project_names"] == ["Cats"]


def test_what_cannot_be_fetched_is_not_imported(either: ScaleClient, shelf: str) -> None:
    with pytest.raises(ScaleInvalidRequest, match="404"):
        either.import_file(f"{shelf}/nothing.png")


def test_a_file_of_no_known_project_is_refused(either: ScaleClient) -> None:
    with pytest.raises(ScaleInvalidRequest, match="Nowhere"):
        either.upload_file(picture(), project_name="Nowhere")


def test_an_upload_without_a_file_is_refused(either: ScaleClient) -> None:
    response = requests.post(
        f"{either.api.base_api_url}/files/upload",
        files={"picture": ("pixel.png", PIXEL)},
        auth=(either.api.api_key, ""),
        timeout=10,
    )
    assert response.status_code == 400
    assert "file" in response.json()["error"]
