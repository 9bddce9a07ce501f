"""Files from other servers, and what the server does not fetch."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest

from refonte_studio.db import Database
from refonte_studio.files.model import checked_url
from refonte_studio.files.outbound import Guard, Refused
from refonte_studio.kit.errors import BadInput
from tests.world import Clock, World

OK = "200 OK"


@dataclass
class Shelf:
    """Another server, on loopback, with an answer for each path."""

    answers: dict[str, tuple[str, Mapping[str, str], bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    port: int = 0

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(head)
        status, headers, body = self.answers.get(head.split(" ")[1], ("404 Not Found", {}, b""))
        lines = [f"{name}: {value}\r\n" for name, value in {"Content-Length": str(len(body)), **headers}.items()]
        writer.write(f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    made = Shelf()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
async def near(db: Database) -> AsyncIterator[World]:
    """A world whose settings allow one internal host."""
    made = await World.make(db, Clock(), internal_hosts="files.internal, LocalHost", file_limit_bytes=10_000)
    yield made
    await made.close()


async def test_a_file_is_fetched_and_kept(near: World, shelf: Shelf) -> None:
    await near.ana.post("/projects", {"name": "Album", "type": "categorization"})
    shelf.answers["/a%20cat.jpg?size=1"] = (OK, {"Content-Type": "image/jpeg; charset=x"}, b"meow" * 1_000)
    body = {"file_url": shelf.url("/a%20cat.jpg?size=1"), "project_name": "Album", "metadata": {"a": 1}}
    file = await near.ana.post("/files/import", body)
    assert (file["name"], file["mime_type"], file["size"]) == ("a cat.jpg", "image/jpeg", 4_000)
    assert (file["project_names"], file["metadata"]) == (["Album"], {"a": 1})
    assert (await near.ana.call("GET", f"/files/{file['id']}")).content == b"meow" * 1_000
    assert f"localhost:{shelf.port}" in shelf.requests[0], "the server is asked under its own name"


async def test_redirects_are_followed_three_times(near: World, shelf: Shelf) -> None:
    for number in range(4):
        shelf.answers[f"/{number}"] = ("302 Found", {"Location": f"/{number + 1}"}, b"")
    shelf.answers["/4"] = (OK, {"Content-Type": "text/plain"}, b"here")
    assert (await near.ana.post("/files/import", {"file_url": shelf.url("/1")}))["size"] == 4
    error = await near.ana.refused(400, "POST", "/files/import", {"file_url": shelf.url("/0")})
    assert "redirects" in error


async def test_a_redirect_to_an_internal_address_is_refused(near: World, shelf: Shelf) -> None:
    for target in (f"http://127.0.0.1:{shelf.port}/secret", "http://169.254.169.254/latest", "file:///etc/passwd"):
        shelf.answers["/away"] = ("302 Found", {"Location": target}, b"")
        await near.ana.refused(400, "POST", "/files/import", {"file_url": shelf.url("/away")})
    assert not [request for request in shelf.requests if "secret" in request]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://2130706433/x",
        "http://0.0.0.0/x",
        "http://10.0.0.1/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00::1]/x",
        "https://no-such-host.invalid/x",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "http:///x",
        "http://example.com:99999/x",
        "http://exa mple.com/x",
        "example.com/x",
    ],
)
async def test_what_is_not_on_the_public_internet_is_not_fetched(world: World, url: str) -> None:
    await world.ana.refused(400, "POST", "/files/import", {"file_url": url})


async def test_what_cannot_be_had_is_refused_and_leaves_nothing(near: World, shelf: Shelf) -> None:
    shelf.answers["/large"] = (OK, {}, b"x" * 10_001)
    shelf.answers["/short"] = (OK, {"Content-Length": "50"}, b"x")
    shelf.answers["/packed"] = (OK, {"Content-Encoding": "gzip"}, b"x")
    shelf.answers["/odd"] = ("nonsense", {}, b"")
    assert "404" in await near.ana.refused(400, "POST", "/files/import", {"file_url": shelf.url("/none")})
    await near.ana.refused(413, "POST", "/files/import", {"file_url": shelf.url("/large")})
    for path in ("/short", "/packed", "/odd"):
        await near.ana.refused(400, "POST", "/files/import", {"file_url": shelf.url(path)})
    body = {"file_url": shelf.url("/none"), "project_name": "Nowhere"}
    assert "'Nowhere'" in await near.ana.refused(400, "POST", "/files/import", body)
    await near.ana.refused(400, "POST", "/files/import")
    await near.ben.refused(403, "POST", "/files/import", body)
    row = await near.db.read(lambda tx: tx.one("SELECT COUNT(*) AS files FROM files"))  # type: ignore[arg-type]
    assert row is not None
    assert row["files"] == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("224.0.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert Guard(frozenset(), loopback=False).admits("example.com", address) is public


def test_loopback_is_open_to_a_server_that_only_this_machine_reaches_and_hosts_to_their_settings() -> None:
    assert Guard(frozenset(), loopback=True).admits("localhost", "127.0.0.1")
    assert Guard(frozenset(), loopback=True).admits("localhost", "::1")
    assert not Guard(frozenset(), loopback=True).admits("localhost", "10.0.0.1")
    assert Guard(frozenset({"minio"}), loopback=False).admits("MinIO.", "10.0.0.1")
    assert not Guard(frozenset({"minio"}), loopback=False).admits("other", "10.0.0.1")


async def test_a_host_is_refused_if_any_of_its_addresses_is_internal(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["93.184.216.34", "10.0.0.1"]

    async def getaddrinfo(*_args: object, **_options: object) -> list[tuple[object, ...]]:
        return [(None, None, None, "", (address, 80)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    guard = Guard(frozenset(), loopback=False)
    with pytest.raises(Refused, match="not on the public internet"):
        await guard.addresses("example.com", 80)
    found.pop()
    assert await guard.addresses("example.com", 80) == ["93.184.216.34"]


@pytest.mark.parametrize("url", ["http://a/" + "x" * 4_000, "http://a:x/", "http://[::/", "//a/b", "", "http://a/\n"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(BadInput):
        checked_url("file_url", url)
