"""Uploading files and downloading them again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from refonte_studio.db import Database, Tx
from refonte_studio.files import service, store
from refonte_studio.files.model import CHUNK_BYTES
from tests.world import Clock, World

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108020000009077")


async def upload(
    world: World, content: bytes = PIXEL, name: str = "pixel.png", data: Any = None, **options: Any
) -> dict[str, Any]:
    files = {"file": (name, content)}
    response = await world.ana.call("POST", "/files/upload", files=files, data=data, **options)
    assert response.status_code == 200, response.text
    return response.json()


async def kept(tx: Tx) -> tuple[int, int]:
    """How many files and chunks there are."""
    row = await tx.one("SELECT (SELECT COUNT(*) FROM files) AS files, (SELECT COUNT(*) FROM file_chunks) AS chunks")
    assert row is not None
    return row["files"], row["chunks"]


async def test_an_uploaded_file_is_described_and_can_be_had_again(world: World) -> None:
    await world.ana.post("/projects", {"name": "Album", "type": "categorization"})
    file = await upload(world, data={"project_name": "Album", "metadata": '{"a": [1]}', "display_name": "Dot"})
    assert file == {
        "id": file["id"],
        "attachment_url": f"studio://files/{file['id']}",
        "name": "pixel.png",
        "display_name": "Dot",
        "mime_type": "image/png",
        "size": len(PIXEL),
        "project_names": ["Album"],
        "metadata": {"a": [1]},
        "created_at": "2026-02-02T02:40:00.000Z",
        "updated_at": "2026-02-02T02:40:00.000Z",
    }
    response = await world.ana.call("GET", f"/files/{file['id']}")
    assert (response.content, response.headers["content-type"]) == (PIXEL, "image/png")
    assert response.headers["content-length"] == str(len(PIXEL))


async def test_a_large_file_is_kept_in_chunks_and_parts_of_it_can_be_had(world: World) -> None:
    content = bytes(range(256)) * (CHUNK_BYTES // 256 * 2) + b"the end"
    file = await upload(world, content, "film.mp4")
    assert await world.db.read(kept) == (1, 3)
    assert (await world.ana.call("GET", f"/files/{file['id']}")).content == content
    for asked, start, end in (
        ("bytes=0-0", 0, 1),
        (f"bytes={CHUNK_BYTES - 3}-{CHUNK_BYTES + 4}", CHUNK_BYTES - 3, CHUNK_BYTES + 5),
        ("bytes=-7", len(content) - 7, len(content)),
        (f"bytes={CHUNK_BYTES}-", CHUNK_BYTES, len(content)),
        ("bytes=5-99999999999", 5, len(content)),
    ):
        part = await world.ana.call("GET", f"/files/{file['id']}", headers={"Range": asked})
        assert part.status_code == 206
        assert part.content == content[start:end]
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(content)}"
    for asked in ("bytes=99999999999-", "bytes=9-3", "lines=1-2", "bytes=0-1,5-6", "bytes=-"):
        whole = await world.ana.call("GET", f"/files/{file['id']}", headers={"Range": asked})
        assert (whole.status_code, len(whole.content)) == (200, len(content))


@pytest.mark.parametrize(
    ("name", "how"),
    [("a.html", "attachment"), ("a.svg", "attachment"), ("a", "attachment"), ("a.png", "inline"), ("a.mp3", "inline")],
)
async def test_a_strangers_file_can_do_no_harm_in_a_browser(world: World, name: str, how: str) -> None:
    file = await upload(world, b"<script>alert(1)</script>", name)
    headers = (await world.ana.call("GET", f"/files/{file['id']}")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["content-disposition"].startswith(how)


async def test_a_files_name_loses_what_could_harm(world: World) -> None:
    file = await upload(world, b"x", "../../etc/pass\twd é.txt")
    assert file["name"] == "passwd é.txt" or "/" not in file["name"]
    assert (await world.ana.call("GET", f"/files/{file['id']}")).status_code == 200


async def test_an_empty_file_is_a_file(world: World) -> None:
    file = await upload(world, b"", "empty.txt")
    assert file["size"] == 0
    assert (await world.ana.call("GET", f"/files/{file['id']}")).content == b""


async def test_several_projects_may_be_named_in_the_form_or_the_query(world: World) -> None:
    for name in ("One", "Two, too"):
        await world.ana.post("/projects", {"name": name, "type": "categorization"})
    file = await upload(world, data={"project_names": ["One", "Two, too"]})
    assert file["project_names"] == ["One", "Two, too"]
    file = await upload(world, params={"project_name": "Two, too"})
    assert file["project_names"] == ["Two, too"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"files": {"picture": ("a.png", PIXEL)}}, "'picture'"),
        ({"files": {"file": ("a.png", PIXEL)}, "data": {"project_name": "Nowhere"}}, "'Nowhere'"),
        ({"files": {"file": ("a.png", PIXEL)}, "data": {"colour": "red"}}, "'colour'"),
        ({"files": {"file": ("a.png", PIXEL)}, "data": {"metadata": "[1]"}}, "metadata"),
        ({"files": {"file": ("a.png", PIXEL)}, "params": {"colour": "red"}}, "'colour'"),
        ({"files": [("file", ("a.png", PIXEL)), ("file", ("b.png", PIXEL))]}, "twice"),
        ({"files": {"project_name": (None, "x")}}, "file is required"),
        ({"json": {"file": "x"}}, "multipart/form-data"),
        ({"content": b"junk", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, "form"),
        ({"content": b"", "headers": {"Content-Type": "multipart/form-data"}}, "multipart/form-data"),
        ({}, "multipart/form-data"),
    ],
)
async def test_what_is_no_upload_is_refused_and_leaves_nothing(world: World, options: Any, named: str) -> None:
    assert named in await world.ana.refused(400, "POST", "/files/upload", **options)
    assert await world.db.read(kept) == (0, 0)


async def test_an_upload_that_breaks_off_leaves_nothing(world: World) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        yield b"a" * (CHUNK_BYTES + 10)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    await world.ana.refused(400, "POST", "/files/upload", content=body(), headers=headers)
    assert await world.db.read(kept) == (0, 0)


@pytest.fixture
async def small(db: Database) -> AsyncIterator[World]:
    """A world in which a file is soon too large."""
    made = await World.make(db, Clock(), file_limit_bytes=1_000)
    yield made
    await made.close()


async def test_a_file_that_is_too_large_is_refused_with_413(small: World) -> None:
    await upload(small, b"x" * 1_000)
    files = {"file": ("a.bin", b"x" * 1_001)}
    assert "1,000 bytes" in await small.ana.refused(413, "POST", "/files/upload", files=files)
    assert await small.db.read(kept) == (1, 1)


async def test_files_are_a_teams_and_a_modes_own(world: World) -> None:
    file = await upload(world)
    await world.cid.refused(404, "GET", f"/files/{file['id']}")
    await world.ana.refused(404, "GET", f"/files/{file['id']}", mode="test")
    await world.ben.refused(403, "GET", f"/files/{file['id']}")
    await world.ben.refused(403, "POST", "/files/upload", files={"file": ("a.png", PIXEL)})
    assert (await world.mia.call("GET", f"/files/{file['id']}")).content == PIXEL
    await world.ana.refused(404, "GET", "/files/unknown")


async def test_what_was_begun_and_never_finished_is_invisible_and_swept_after_a_day(world: World) -> None:
    async def begun(tx: Tx) -> str:
        file_id = "00000000000000000000000a"
        await store.insert(tx, id=file_id, team_id=world.ana.team_id, mode="live", created_at=world.clock())
        await store.insert_chunk(tx, world.ana.team_id, file_id, 0, b"x")
        return file_id

    file_id = await world.db.write(begun)
    await upload(world)
    await world.ana.refused(404, "GET", f"/files/{file_id}")
    assert await world.db.write(service.sweep_unfinished, world.clock()) == 0
    world.clock.forward(days=1, seconds=1)
    assert await world.db.write(service.sweep_unfinished, world.clock()) == 1
    assert await world.db.read(kept) == (1, 1)


async def test_files_are_listed_newest_first_page_by_page(world: World) -> None:
    made = [await upload(world, name=f"{number}.png") for number in range(3)]
    page = await world.mia.get("/files", limit=2)
    assert page["docs"] == made[:0:-1]
    assert (page["limit"], page["has_more"]) == (2, True)
    last = await world.mia.get("/files", limit=2, next_token=page["next_token"])
    assert last == {"docs": made[:1], "limit": 2, "has_more": False}
    assert (await world.cid.get("/files"))["docs"] == [], "not another team's"
    assert (await world.ana.get("/files", mode="test"))["docs"] == [], "not the other mode's"
    await world.ben.refused(403, "GET", "/files")


async def test_a_reference_id_is_one_files_alone(world: World) -> None:
    await upload(world)
    first = await upload(world, data={"reference_id": "shelter-7"})
    assert first["reference_id"] == "shelter-7"
    files = {"file": ("other.png", PIXEL)}
    for options in ({"data": {"reference_id": "shelter-7"}}, {"params": {"reference_id": "shelter-7"}}):
        response = await world.max.call("POST", "/files/upload", files=files, **options)
        assert (response.status_code, "'shelter-7'" in response.json()["error"]) == (409, True)
    fetched = {"file_url": "https://example.com/x.png", "reference_id": "shelter-7"}
    assert "'shelter-7'" in await world.max.refused(409, "POST", "/files/import", fetched)
    assert (await world.max.get("/files", reference_id="shelter-7"))["docs"] == [first]
    assert (await world.max.get("/files", reference_id="shelter-8"))["docs"] == []
    assert (await world.db.read(kept))[0] == 2, "nothing stays of what was refused"
    response = await world.cid.call("POST", "/files/upload", files=files, data={"reference_id": "shelter-7"})
    assert response.status_code == 200, "another team's own"
    for bad in (" ", "x" * 501):
        response = await world.max.call("POST", "/files/upload", files=files, data={"reference_id": bad})
        assert response.status_code == 400, bad
