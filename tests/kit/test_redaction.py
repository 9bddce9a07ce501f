"""No message and no log shows the user and password of a URL."""

import io
import logging
import time

import pytest

from refonte_studio.kit.errors import shown
from refonte_studio.kit.redaction import redacted
from refonte_studio.server import process


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("http://u:p@h/x", "http://***@h/x"),
        ("https://u@h", "https://***@h"),
        ("http://u:p@q@h/", "http://***@h/"),
        ("http://u:p/q@h/x", "http://***@h/x"),
        ("http://u:p?q@h/x", "http://***@h/x"),
        ("//u:p@h", "//***@h"),
        ("not 'postgres//u:p@h/db'", "not 'postgres//***@h/db'"),
        ("first http://a:b@c, then http://d:e@f.", "first http://***@c, then http://***@f."),
        ("http://h/@x", "http://h/@x"),
        ("http://h:80/a@b", "http://h:80/a@b"),
        ("http://h?to=a@b.example", "http://h?to=a@b.example"),
        ("boss@example.com", "boss@example.com"),
        ("http://[::1]:80/x@y", "http://[::1]:80/x@y"),
    ],
)
def test_user_information_is_hidden_and_nothing_else(text: str, hidden: str) -> None:
    assert redacted(text) == hidden
    assert redacted(hidden) == hidden


def test_a_value_in_a_message_is_redacted_before_it_is_cut() -> None:
    assert "secret" not in shown(f"http://{'u' * 60}:secret{'x' * 60}@h/")


@pytest.mark.parametrize("text", ["//a:b" * 20_000, "//" * 50_000, "//" + "a" * 100_000, "//:" * 30_000])
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    redacted(text)
    assert time.process_time() - started < 5


def test_the_log_is_redacted_with_its_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    monkeypatch.setattr(logging, "StreamHandler", lambda: handler)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        process.log_to_stderr()
        try:
            raise ValueError("no such host: http://boss:secret@h/")
        except ValueError:
            logging.getLogger("refonte_studio.x").exception("could not reach %s", "http://boss:secret@h/")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert "could not reach http://***@h/" in out.getvalue()
    assert "no such host: http://***@h/" in out.getvalue()
    assert "secret" not in out.getvalue().replace('boss:secret@h/")', "")
