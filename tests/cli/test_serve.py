"""Starting and ending the server, as a process."""

import asyncio
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from refonte_studio.db import version
from tests.cli.run_commands import COMMAND, TIMEOUT_S, environment, run_cli, run_failing_cli, running_server
from tests.conftest import empty


def test_a_new_server_makes_its_folder_and_shows_a_set_up_link_once(tmp_path: Path):
    data = str(tmp_path / "deep" / "data")
    with running_server("--data", data, empty=True) as server:
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        assert server.end() == 0
    run_cli("team", "create", "Refonte", "--data", data)
    with running_server("--data", data) as server:
        assert server.end(signal.SIGINT) == 0
        assert server.process.stdout is not None
        assert server.process.stdout.read() == "", "no link any more"


def test_sqlite_is_served_by_one_process(tmp_path: Path):
    said = run_failing_cli(2, "serve", "--data", str(tmp_path), "--workers", "2")
    assert "SQLite serves one process" in said


def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert "not with 'mysql:'" in run_failing_cli(2, "migrate", "--database", "mysql://localhost/x")
    monkeypatch.setenv("STUDIO_LEASE_S", "soon")
    said = run_failing_cli(2, "serve", "--data", str(tmp_path))
    assert said == "Error: Invalid value: STUDIO_LEASE_S must not be 'soon': Expected `int`, got `str`"


def test_a_taken_port_is_one_clear_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run_failing_cli(1, "serve", "--data", str(tmp_path), "--port", str(port))
    assert said == f"refonte-studio: cannot listen on 127.0.0.1, port {port}: Address already in use"


def test_a_database_from_the_future_is_left_alone(tmp_path: Path):
    run_cli("migrate", "--data", str(tmp_path))
    connection = sqlite3.connect(tmp_path / "studio.db", isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "has schema 9999" in run_failing_cli(1, "serve", "--data", str(tmp_path))


def test_two_that_migrate_one_new_database_do_not_collide(tmp_path: Path):
    command = [*COMMAND, "migrate", "--data", str(tmp_path)]
    both = [subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(TIMEOUT_S) for one in both] == [0, 0]
    assert version.current(f"sqlite:///{tmp_path / 'studio.db'}") == version.newest()


def test_a_request_in_flight_is_answered_before_the_server_ends(tmp_path: Path):
    run_cli("migrate", "--data", str(tmp_path))
    with running_server("--data", str(tmp_path), empty=True) as server:
        address = urlsplit(server.url)
        flying = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
        flying.putrequest("POST", "/v1/session")
        body = b'{"email": "nobody@example.com", "password": "not a password"}'
        flying.putheader("Content-Length", str(len(body)))
        flying.endheaders(body[:10])
        httpx.get(f"{server.url}/healthz")  # by now the server has the beginning of that request
        server.process.send_signal(signal.SIGTERM)
        flying.send(body[10:])
        assert flying.getresponse().status == 401
        flying.close()
        assert server.process.wait(TIMEOUT_S) == 0


def test_what_no_http_server_would_take_is_refused_in_our_form(tmp_path: Path):
    with running_server("--data", str(tmp_path), empty=True) as server:
        assert said_to(server.url, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        endless = said_to(server.url, b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * 1_000_000)
        assert endless.startswith(b"HTTP/1.1 431 ")
        assert endless.endswith(b'{"status_code": 431, "error": "address and headers exceed 65,536 bytes"}')


def said_to(url: str, message: bytes) -> bytes:
    """What the server answers to these bytes, until it closes."""
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=TIMEOUT_S) as connection:
        answer = b""
        with suppress(ConnectionError):  # it may stop listening in the middle; what it said is still to be read
            connection.sendall(message)
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                answer += part
        return answer


def test_several_processes_serve_one_postgresql_and_a_dead_one_is_replaced(postgres_url: str):
    asyncio.run(empty(postgres_url))
    with running_server("--database", postgres_url, "--workers", "2", empty=True) as server:
        assert httpx.get(f"{server.url}/healthz", timeout=TIMEOUT_S).status_code == 200
        first = children(server.process.pid)
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        while len(children(server.process.pid)) < 2 or first[0] in children(server.process.pid):
            assert server.process.poll() is None
        assert httpx.get(f"{server.url}/healthz", timeout=TIMEOUT_S).status_code == 200
        assert server.end() == 0
        assert children(server.process.pid) == []


def test_several_processes_that_end_take_no_more_connections_while_the_last_request_is_answered(postgres_url: str):
    """So that whoever is turned away by a closed port can go to another server at once."""
    asyncio.run(empty(postgres_url))
    with running_server("--database", postgres_url, "--workers", "2", empty=True) as server:
        address = (urlsplit(server.url).hostname or "", urlsplit(server.url).port)
        body = b'{"email": "nobody@example.com", "password": "not a password"}'
        head = (
            f"POST /v1/session HTTP/1.1\r\nHost: studio\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(address, timeout=TIMEOUT_S) as flying:
            flying.sendall(head.encode())
            assert flying.recv(65_536).startswith(b"HTTP/1.1 100"), "a process waits for the body"
            server.process.send_signal(signal.SIGTERM)
            with suppress(ConnectionError):
                while server.process.poll() is None:
                    socket.create_connection(address, timeout=TIMEOUT_S).close()
            assert server.process.poll() is None, "it ends when the request is answered"
            flying.sendall(body)
            assert flying.recv(65_536).startswith(b"HTTP/1.1 401")
        assert server.process.wait(TIMEOUT_S) == 0


def children(pid: int) -> list[int]:
    """The processes that a process started and that run."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return [int(number) for number, state in rows if not state.startswith("Z")]
