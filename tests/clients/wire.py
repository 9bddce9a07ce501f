"""Sends requests byte for byte, for clients that cannot run here."""

import base64
import json
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

Call = Callable[["Wire", SimpleNamespace], None]
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
CALLBACK = "http://www.example.com/callback"


class Absent(Exception):
    """The server answered 404."""


class Wire:
    """A connection to the server that sends what it is given and changes nothing."""

    def __init__(self, url: str, authorization: str, headers: Mapping[str, str]) -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": authorization, **headers}

    def send(self, request: str, body: str | None = None, content_type: str = FORM, authorization: str = "") -> Any:
        """The JSON of an answer with 200. `request` is the method and the target."""
        method, target = request.split(" ", 1)
        headers = self._headers | ({"Content-Type": content_type} if body is not None else {})
        if authorization:
            headers["Authorization"] = authorization
        connection = HTTPConnection(self._address, timeout=30)
        try:
            connection.request(method, target, body.encode() if body is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status == 404:
            raise Absent(text)
        assert answer.status == 200, (request, answer.status, text)
        return json.loads(text)


def basic(key: str) -> str:
    """What `-u KEY:` sends."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def outcomes(calls: Mapping[str, Call], wire: Wire, state: SimpleNamespace) -> dict[str, str]:
    """What came of each call, as the drivers of the packages tell it. `state` holds what earlier calls made."""
    found: dict[str, str] = {}
    for name, call in calls.items():
        try:
            call(wire, state)
            found[name] = "works"
        except Absent:
            found[name] = "404"
        except AssertionError as error:
            found[name] = f"failed: {error}"
    return found


def absence(wire: Wire, request: str, body: str | None = None, content_type: str = FORM) -> str:
    """What the answer says, which must be a 404."""
    try:
        wire.send(request, body, content_type)
    except Absent as error:
        return str(error)
    raise AssertionError("the call succeeded")
