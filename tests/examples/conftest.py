"""The examples run against a live server, as their users run them: as programs, over HTTP alone."""

from tests.live import live, live_team  # noqa: F401 - fixtures
