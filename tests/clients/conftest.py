from tests.live import live, live_team  # noqa: F401 - fixtures
