"""Whether a hub answers is known soon, whatever it answers and whether anybody is there."""

import socket
import subprocess
import sys

import pytest

from tests.search.fetch.file_server import FileServer
from workers.hub_reach import answers, hub_is_reachable

pytestmark = pytest.mark.heavy


def test_a_server_that_answers_with_an_error_is_there() -> None:
    with FileServer({}) as server:
        assert answers(server.address)


def test_nobody_is_at_a_closed_port_or_behind_a_name_that_is_none() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not answers(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert not answers("http://nobody.invalid", 0.5)


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not answers(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.1)


def test_the_hubs_library_may_ask_by_another_client_than_httpx2() -> None:
    program = """
import sys
import httpx
from huggingface_hub import get_session, set_client_factory
sys.modules["httpx2"] = None
set_client_factory(httpx.Client)
from workers.hub_reach import answers
print(answers(sys.argv[1]), answers("http://127.0.0.1:1"))
"""
    with FileServer({}) as server:
        command = [sys.executable, "-c", program, server.address]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True False\n", "")


def test_nobody_is_asked_where_the_settings_say_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not hub_is_reachable()
