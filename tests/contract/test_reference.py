"""What the server says of itself: the OpenAPI document, the reference page, its health."""

import asyncio
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from refonte_studio.db import Database, Tx
from refonte_studio.kit.errors import Unavailable
from refonte_studio.main import OPERATIONS
from refonte_studio.web import site as site_module
from refonte_studio.web.reference import render, rich
from tests.contract import response_checks
from tests.world import World

SNAPSHOT = Path(__file__).parents[2] / "openapi.json"


def test_every_operation_is_documented_whole():
    entries = [entry for methods in response_checks.document()["paths"].values() for entry in methods.values()]
    assert len(entries) == sum(len(operation.methods) for operation in OPERATIONS)
    assert len({entry["operationId"] for entry in entries}) == len(entries)
    for entry in entries:
        name = entry["operationId"]
        assert entry["summary"], name
        assert {"400", "503"} <= set(entry["responses"]), name
        assert {"200", "204"} & set(entry["responses"]), name
        assert ("401" in entry["responses"]) == bool(entry["security"]) or name == "sign_in"
        for status, response in entry["responses"].items():
            assert response["description"], (name, status)
            if status == "200":
                (content,) = response["content"].values()
                binary = content["schema"].get("format") == "binary"
                assert binary or "example" in content, f"{name} has no example of its answer"


def test_every_example_fits_its_schema():
    document = response_checks.document()
    for methods in document["paths"].values():
        for entry in methods.values():
            bodies = [entry["requestBody"]] if "requestBody" in entry else []
            for body in [*bodies, *entry["responses"].values()]:
                for media_type, content in body.get("content", {}).items():
                    if media_type == "application/json" and "example" in content:
                        problems = response_checks.problems(content["schema"], content["example"])
                        assert not problems, (entry["operationId"], problems)


def test_what_may_be_absent_is_not_documented_as_always_there():
    structs = [msgspec.Struct]
    for struct in structs:
        structs += struct.__subclasses__()
        for field in msgspec.structs.fields(struct) if struct.__module__.startswith("refonte_studio") else ():
            assert not (field.required and msgspec.UnsetType in get_args(field.type)), (struct, field.name)


def test_references_lead_somewhere():
    text = json.dumps(response_checks.document())
    found = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert found <= set(response_checks.document()["components"]["schemas"])


def test_a_changed_document_is_noticed():
    changed = {**response_checks.document(), "openapi": "3.0.0"}
    assert json.loads(SNAPSHOT.read_text()) != changed


async def test_the_document_is_public_and_cached(world: World):
    first = await world.http.get("/openapi.json")
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert first.json() == response_checks.document()
    again = await world.http.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = await world.http.get("/openapi.json", headers={"If-None-Match": '"other"'})
    assert changed.status_code == 200


async def test_the_way_in_leads_to_the_reference(world: World):
    response = await world.http.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/docs")


class Links(HTMLParser):
    """What a page loads, where it points, and what it names."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.anchors: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag == "a":
            self.anchors.append(given.get("href") or "")
        else:
            self.loads += [given[name] or "" for name in ("src", "href") if name in given]


async def test_the_reference_needs_nothing_but_itself(world: World):
    response = await world.http.get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = Links()
    page.feed(response.text)
    assert all(each.startswith("data:") for each in page.loads), page.loads
    assert page.inline == [], "the policy forbids inline styles and handlers"
    assert len(set(page.ids)) == len(page.ids)
    assert {each[1:] for each in page.anchors if each.startswith("#")} <= set(page.ids)
    assert (await world.http.get("/docs", headers={"If-None-Match": response.headers["etag"]})).status_code == 304


async def test_the_reference_shows_every_operation(world: World):
    text = (await world.http.get("/docs")).text
    for operation in OPERATIONS:
        assert f'<article id="{operation.name}"' in text
        assert f"<code>{operation.path}</code>" in text
        assert operation.summary.replace("'", "&#39;") in text


def test_what_descriptions_say_is_text_and_not_html():
    assert "<script>" not in rich("a <script>alert(1)</script> `<b>` **<i>**")
    assert rich("see `a` and **b**\n\n* one\n* two") == (
        "<p>see <code>a</code> and <strong>b</strong></p>\n<ul><li>one</li><li>two</li></ul>"
    )
    assert rich("```\na < b\n\nc\n```") == "<pre><code>a &lt; b\n\nc</code></pre>"
    page = render(
        {**response_checks.document(), "info": {"title": "<b>", "version": "1", "description": "<img src=x>"}}
    )
    assert b"<img" not in page.html


async def test_a_living_server_says_so(world: World):
    response = await world.http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_server_whose_database_serves_is_ready(world: World, engine: str):
    response = await world.http.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "database": "ok", "engine": engine})


async def test_a_server_whose_database_is_closed_is_not_ready(world: World, db: Database):
    await db.close()
    response = await world.http.get("/readyz")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["status"] == "not ready"
    assert response.json()["database"] != "ok"
    assert (await world.http.get("/healthz")).status_code == 200


async def test_a_database_that_cannot_be_written_or_hangs_is_not_ready(world: World, monkeypatch: pytest.MonkeyPatch):
    async def refuses(tx: Tx) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(site_module, "probe", refuses)
    response = await world.http.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "the disk is full")

    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(site_module, "READY_TIMEOUT_S", 0.05)
    monkeypatch.setattr(type(world.db), "read", hangs)
    response = await world.http.get("/readyz")
    assert response.status_code == 503
    assert "did not answer" in response.json()["database"]
