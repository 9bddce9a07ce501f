"""Runs everything that each client can do on a live server, for a team of its own: the columns of the table."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from refonte_studio.task_types import TYPES
from tests.clients import curl, ruby
from tests.clients.environments import CLIENTS, Client
from tests.clients.wire import Call, Wire, basic, outcomes
from tests.live import LiveServer, LiveTeam

Drive = Callable[[LiveServer], dict[str, str]]

PROJECT = "Words"  # where the client's labeler works
CATEGORIZATION: dict[str, Any] = {
    "instruction": "Is this company public or private?",
    "attachment": "Refonte",
    "attachment_type": "text",
    "categories": ["public", "private"],
}


def _package(client: Client) -> Drive:
    """The client itself, in an environment of its own."""

    def drive(live: LiveServer) -> dict[str, str]:
        team = live.team()
        live.run(_with_a_labeler(team))
        types = {name: kind.example_params for name, kind in TYPES.items()} | {"categorization": CATEGORIZATION}
        keys = {"key": team.ana.keys["live"], "labeler": team.ben.keys["live"]}
        return client.drive({"url": live.url, **keys, "project": PROJECT, "types": types})

    return drive


async def _with_a_labeler(team: LiveTeam) -> None:
    await team.ana.post("/projects", {"name": PROJECT, "type": "categorization", "params": {}})
    await team.ana.post("/studio/assignments/add", {"emails": [team.ben.email], "projects": [PROJECT]})


def _requests(calls: Mapping[str, Call], headers: Mapping[str, str]) -> Drive:
    """What a client sends, without the client."""

    def drive(live: LiveServer) -> dict[str, str]:
        key = live.team().ana.keys["live"]
        return outcomes(calls, Wire(live.url, basic(key), headers), SimpleNamespace(key=key))

    return drive


COLUMNS: dict[str, Drive] = {
    **{client.title: _package(client) for client in CLIENTS},
    "Ruby 0.9": _requests(ruby.CALLS, ruby.HEADERS),
    "`curl`": _requests(curl.CALLS, curl.HEADERS),
}
