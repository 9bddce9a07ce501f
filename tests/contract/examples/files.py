"""Example calls of files."""

from tests.contract.examples.requests import Request, example
from tests.world import Person, World

_FORM = (
    b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n'
    b"hello\r\n--x--\r\n"
)


@example
async def upload_file(world: World, person: Person) -> Request:
    return Request(content=_FORM, content_type="multipart/form-data; boundary=x")


@example
async def import_file(world: World, person: Person) -> Request:
    """The server may not fetch from itself."""
    return Request(params={"file_url": "http://127.0.0.1:9/a.txt"})


@example
async def list_files(world: World, person: Person) -> Request:
    return Request({}, {"limit": 1})


@example
async def get_file(world: World, person: Person) -> Request:
    uploading = await upload_file(world, person)
    made = await world.ana.call("POST", "/files/upload", **uploading.options("POST"))
    return Request({"id": made.json()["id"]})
