"""Importing files from other servers, and what the server refuses to fetch."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refonte_studio.config import Settings
from refonte_studio.db import Database, Tx
from refonte_studio.files.service.outbound import Guard, OutboundRefused
from refonte_studio.kit.errors import BadInput
from refonte_studio.kit.urls import ascii_host, checked_url
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
    assert await near.db.read(_files) == 0


def test_hosts_are_open_to_the_settings_that_name_them_and_loopback_is_one_of_them() -> None:
    guard = Guard.of(Settings(internal_hosts=" MinIO., [::1] ,127.0.0.1, bücher.internal,"))
    assert guard.admits("minio", "10.0.0.1")
    assert guard.admits("MinIO.", "10.0.0.1")
    assert guard.admits("0:0:0:0:0:0:0:1", "::1")
    assert guard.admits("127.0.0.1", "127.0.0.1")
    assert guard.admits("xn--bcher-kva.internal", "10.0.0.1")
    assert not guard.admits("other", "10.0.0.1")
    assert not guard.admits("localhost", "127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "0.0.0.0"])
def test_loopback_is_never_open_because_the_server_itself_is_on_loopback(host: str) -> None:
    guard = Guard.of(Settings(host=host))
    assert not guard.admits("localhost", "127.0.0.1")
    assert not guard.admits("localhost", "::1")


async def test_a_host_is_refused_if_any_of_its_addresses_is_internal(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["93.184.216.34", "10.0.0.1"]

    async def getaddrinfo(*_args: object, **_options: object) -> list[tuple[object, ...]]:
        return [(None, None, None, "", (address, 80)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    guard = Guard(frozenset())
    with pytest.raises(OutboundRefused, match="not on the public internet"):
        await guard.addresses("example.com", 80)
    found.pop()
    assert await guard.addresses("example.com", 80) == ["93.184.216.34"]


NOT_URLS = [
    "http://a/" + "x" * 4_000,
    "http://a:x/",
    "http://a:99999/",
    "http://[::/",
    "http://[bad/",
    "http://[fe80::1%25eth0]/",
    "//a/b",
    "",
    "http://a/\n",
    "http://xn--zzzzzzzzz-/",
    "http://a..b/",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 127}example/",
    "http://a b/",
    "http://a%20b/",
    "http://good.example\\@evil.example/",
    "http://\u2603.example/",
    "http://***@example.com/",
]


@pytest.mark.parametrize("url", NOT_URLS)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(BadInput):
        checked_url("file_url", url)


@pytest.mark.parametrize("url", [url for url in NOT_URLS if url])
async def test_a_url_that_is_none_is_refused_wherever_it_is_given(world: World, url: str) -> None:
    await world.ana.post("/projects", {"name": "Pets", "type": "categorization"})
    task = {"project": "Pets", "attachment": "x", "attachment_type": "text", "categories": ["a"], "callback_url": url}
    await world.ana.refused(400, "POST", "/files/import", {"file_url": url})
    await world.ana.refused(400, "POST", "/task/categorization", task)
    await world.ana.refused(400, "POST", "/batches", {"project": "Pets", "name": "Monday", "callback": url})


@pytest.mark.parametrize("target", ["http://[bad/", "http://xn--zzzzzzzzz-/", "//:x", "\x7f", "http://a:99999/"])
async def test_a_redirect_to_a_url_that_is_none_is_the_other_servers_mistake(
    near: World, shelf: Shelf, target: str
) -> None:
    shelf.answers["/away"] = ("302 Found", {"Location": target}, b"")
    error = await near.ana.refused(400, "POST", "/files/import", {"file_url": shelf.url("/away")})
    assert "file_url" in error


_PIECES = st.text(st.sampled_from(list("ab1-.:[]%@/\\?#_xn é☃\t\x00ß")), max_size=30)


@given(_PIECES)
def test_what_passes_as_a_url_can_be_asked_for(rest: str) -> None:
    """A request for it can be made, and goes to the host that was checked."""
    url = f"http://{rest}"
    try:
        checked_url("file_url", url)
    except BadInput:
        return
    host = httpx.Request("GET", url).url.raw_host.decode("ascii")
    assert ascii_host(host) == ascii_host(urlsplit(url).hostname or "")


async def test_the_user_and_the_password_of_a_url_are_used_but_not_shown(near: World, shelf: Shelf) -> None:
    url = shelf.url("/cat.jpg").replace("://", "://boss:secret@")
    error = await near.ana.refused(400, "POST", "/files/import", {"file_url": url})
    assert "secret" not in error
    assert "***@localhost" in error
    assert "authorization: basic Ym9zczpzZWNyZXQ=" in shelf.requests[0].replace("Basic", "basic").replace(
        "Authorization", "authorization"
    )


async def _files(tx: Tx) -> int:
    row = await tx.one("SELECT COUNT(*) AS files FROM files")
    assert row is not None
    return row["files"]
