"""Whether a hub answers is known soon, whatever it answers and whether anybody is there."""

import socket

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


def test_nobody_is_asked_where_the_settings_say_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not hub_is_reachable()
