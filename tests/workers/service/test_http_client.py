import asyncio
import gzip
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import DemosearchError, InputError
from configs.schema.service import ServiceConfig
from tests.service_server import Reaction, ServiceServer, completion, sends
from workers.service.access import open_access
from workers.service.failures import Redirected, ReplyTooLarge, ReplyUnusable, ServiceRefused
from workers.service.http_client import MOST_BYTES_OF_AN_ANSWER
from workers.service.reply import Reply
from workers.service.service import Service


def _service(base_url: str, **knobs: object) -> Service:
    config = {"model": "judge", "base_url": base_url, "api_key_variable": None, "max_retries": 0, "timeout": 20}
    return Service(ServiceConfig.model_validate(config | knobs))


async def _asked(service: Service, times: int = 1) -> list[Reply]:
    try:
        return [
            await service.chat([{"role": "user", "content": f"{number}"}], temperature=0.0, max_tokens=9)
            for number in range(times)
        ]
    finally:
        await service.close()


def _redirect(status: int, location: str) -> Reaction:
    return Reaction(lambda _: b"", status, {"Location": location} if location else {})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_answer_from_another_host_is_refused_and_nothing_is_sent_there(status: int) -> None:
    with (
        ServiceServer() as elsewhere,
        ServiceServer(then=_redirect(status, f"{elsewhere.base_url}/chat/completions")) as server,
        pytest.raises(Redirected, match=r"redirects \(\d+\) to http://127.0.0.1:\d+/v1/chat/completions, and red"),
    ):
        asyncio.run(_asked(_service(server.base_url)))
    assert not elsewhere.requests
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://login.example.com/?state=secret-state-1234", "to another host, login.example.com,"),
        ("/v1/elsewhere?token=secret-state-1234", "to http://127.0.0.1:"),
        ("file:///etc/passwd", "to an address that cannot be read"),
        ("http://[::1", "an address that cannot be read"),
        ("", "and does not say where to"),
    ],
)
def test_a_redirect_is_named_without_what_may_be_secret_in_it(location: str, words: str) -> None:
    with ServiceServer(then=_redirect(307, location)) as server, pytest.raises(Redirected) as caught:
        asyncio.run(_asked(_service(server.base_url)))
    assert words in str(caught.value)
    assert "secret-state" not in str(caught.value)


def test_a_second_reply_on_a_connection_is_nobodys_answer() -> None:
    stray = completion({"messages": []}, "stale")
    second = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(stray), stray)

    def both(request: dict[str, object]) -> bytes:
        return json.dumps({"choices": [{"message": {"content": _content(request)}}]}).encode().ljust(200) + second

    with ServiceServer(then=Reaction(both, headers={"Content-Length": "200"})) as server:
        replies = asyncio.run(_asked(_service(server.base_url), times=8))
    assert [reply.text for reply in replies] == [str(number) for number in range(8)]


def _content(request: dict[str, object]) -> str:
    messages = request["messages"]
    assert isinstance(messages, list)
    return str(messages[0]["content"])


def test_a_reply_of_any_length_takes_no_more_memory_than_one_may_have() -> None:
    long = json.dumps({"choices": [{"message": {"content": "bla " * MOST_BYTES_OF_AN_ANSWER}}]}).encode()
    packed = Reaction(lambda _: gzip.compress(long), headers={"Content-Encoding": "gzip"})
    for reaction in (sends(long), packed):
        with (
            ServiceServer(then=reaction) as server,
            pytest.raises(ReplyTooLarge, match="answered with more than 2 MiB"),
        ):
            asyncio.run(_asked(_service(server.base_url)))


def test_a_compressed_reply_is_read() -> None:
    packed = Reaction(lambda request: gzip.compress(completion(request, "fine")), headers={"Content-Encoding": "gzip"})
    with ServiceServer(then=packed) as server:
        assert asyncio.run(_asked(_service(server.base_url)))[0].text == "fine"


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({"Content-Encoding": "br"}, b"\x1b\x07\x00\x04 a few", r"compressed \(br\), which was not asked for"),
        ({"Content-Encoding": "zstd"}, b"(\xb5/\xfd\x04", r"compressed \(zstd\), which was not asked for"),
        ({}, gzip.compress(b"{}"), r"compressed \(gzip\), which was not asked for"),
        ({"Content-Encoding": "gzip"}, b"no gzip", "cannot be decompressed"),
        ({}, b" " * (MOST_BYTES_OF_AN_ANSWER + 1), "more than 2 MiB"),
    ],
)
def test_a_body_that_cannot_be_read_is_named_and_hides_no_status(
    headers: dict[str, str], body: bytes, words: str
) -> None:
    for status, sentence in ((200, words), (401, "refused the key")):
        with (
            ServiceServer(then=Reaction(lambda _: body, status, headers)) as server,
            pytest.raises(DemosearchError, match=sentence),
        ):
            asyncio.run(_asked(_service(server.base_url)))


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_text_is_read_whatever_coding_is_named(start: bytes) -> None:
    def body(request: dict[str, object]) -> bytes:
        return start + completion(request, "fine")

    headers = {"Content-Encoding": "utf-8", "Content-Type": "text/plain"}
    with ServiceServer(then=Reaction(body, headers=headers)) as server:
        assert asyncio.run(_asked(_service(server.base_url)))[0].text == "fine"


@pytest.mark.parametrize(
    ("proxy", "sentence"),
    [
        ("socks5://127.0.0.1:9", "pip install socksio"),
        ("gopher://127.0.0.1:9", "cannot be used"),
        ("http://proxy:80:80", "cannot be used"),
        ("http://[::1", "cannot be used"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_said_before_anything_is_asked(
    proxy: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(InputError, match=sentence):
        _service("https://judge.example.com/v1")


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("SSL_CERT_FILE", "the certificates that the environment variable SSL_CERT_FILE names"),
        ("SSLKEYLOGFILE", "the file that the environment variable SSLKEYLOGFILE names"),
    ],
)
def test_certificates_that_are_gone_are_said_before_anything_is_asked(
    tmp_path: Path, variable: str, sentence: str
) -> None:
    program = (
        "from configs.schema.service import ServiceConfig; from workers.service.service import Service\n"
        "Service(ServiceConfig(model='m', api_key_variable=None))"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program],
        env=_environment(**{variable: str(tmp_path / "gone" / "file.pem")}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"InputError: {sentence}" in outcome.stderr


def _environment(**variables: str) -> dict[str, str]:
    return dict(os.environ) | variables


def test_a_private_certificate_is_named_with_the_way_to_trust_it(tmp_path: Path) -> None:
    pair = tmp_path / "pair.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {pair} -out {tmp_path}/cert.pem -subj /CN=localhost"
    subprocess.run([*command.split(), "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    pair.write_text(pair.read_text() + (tmp_path / "cert.pem").read_text())

    async def scenario() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        try:
            await _asked(_service(f"https://localhost:{port}/v1"))
        finally:
            server.close()

    with pytest.raises(ServiceRefused, match=r"is not trusted .*SSL_CERT_FILE"):
        asyncio.run(scenario())


def test_plain_http_behind_an_https_address_is_said() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            await _asked(_service(f"https://127.0.0.1:{port}/v1"))
        finally:
            server.close()

    with pytest.raises(ServiceRefused, match="does not speak TLS"):
        asyncio.run(scenario())


@pytest.mark.parametrize(
    ("scheme", "greeting", "sentence"),
    [
        ("http", "SSH-2.0-OpenSSH", r"answered in another protocol than HTTP .*is the port right"),
        ("http", "HTTP/1.1 407 Who are you", r"proxy .* does not let .*USER:PASSWORD@HOST"),
        ("https", "HTTP/1.1 407 Who are you", r"proxy .* does not let .*USER:PASSWORD@HOST"),
        ("https", "HTTP/1.1 502 Bad Gateway", "could not be reached through the proxy"),
    ],
)
def test_a_proxy_that_refuses_and_a_server_of_another_kind_are_told_apart(
    scheme: str, greeting: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{greeting}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await _asked(_service(f"{scheme}://judge.example/v1"))
        finally:
            server.close()

    with pytest.raises(DemosearchError, match=sentence):
        asyncio.run(scenario())


@pytest.mark.parametrize(
    "path",
    [
        "sk-live-0123456789abcdef/v1",
        "v1/Zk3vQ9tLmX7aBc2dEfGh4jKp",
        "a/THE-KEY-ITSELF-IS-HERE/v1",
        "THE-KEY-ITSELF%2DIS-HERE",
    ],
)
def test_a_key_in_the_path_of_an_address_is_refused_without_repeating_it(path: str) -> None:
    config = ServiceConfig(model="m", base_url=f"https://judge.example.com/{path}", api_key_variable="K")
    with pytest.raises(InputError, match="name that as base_url_variable") as caught:
        open_access(config, {"K": "THE-KEY-ITSELF-IS-HERE"})
    assert path not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "v1",
        "openai/deployments/gpt-4o-2024-08-06",
        "v1/6b29fc40-ca47-1067-b31d-00dd010662da/gateway/openai",
        "inference-endpoints/llama-3-1-70b-instruct/v1",
    ],
)
def test_an_ordinary_path_is_no_secret(path: str) -> None:
    config = ServiceConfig(model="m", base_url=f"https://judge.example.com/{path}", api_key_variable="K")
    assert open_access(config, {"K": "THE-KEY-ITSELF-IS-HERE"}).shown_url.endswith(path)


def test_an_address_with_a_key_in_it_is_read_from_the_environment_and_shown_without() -> None:
    config = ServiceConfig(model="m", base_url_variable="WHERE", api_key_variable=None)
    access = open_access(config, {"WHERE": "https://judge.example.com/sk-live-0123456789abcdef/v1"})
    assert access.base_url == "https://judge.example.com/sk-live-0123456789abcdef/v1"
    assert access.shown_url == "https://judge.example.com/$WHERE"
    assert "0123456789" not in access.redactor.complaint("no route sk-live-0123456789abcdef")


def test_an_answer_beside_a_number_of_thousands_of_digits_is_read_and_its_tokens_are_estimated() -> None:
    digits = "9" * 9000
    body = f'{{"choices": [{{"message": {{"content": "seven {digits}"}}}}], "usage": {{"prompt_tokens": {digits}}}}}'
    with ServiceServer(then=sends(body.encode())) as server:
        (reply,) = asyncio.run(_asked(_service(server.base_url)))
    assert reply.text == f"seven {digits}"
    assert reply.usage.estimated == 1


def test_an_answer_that_says_two_things_under_one_key_is_none() -> None:
    body = b'{"choices": [{"message": {"content": "[[3]]", "content": "[[9]]"}}]}'
    with (
        ServiceServer([sends(body)]) as server,
        pytest.raises(ReplyUnusable, match="the key 'content' twice in one object"),
    ):
        asyncio.run(_asked(_service(server.base_url)))
    assert len(server.requests) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", "application/octet-stream", ""])
def test_a_completion_is_read_whatever_a_gateway_calls_it(content_type: str) -> None:
    reaction = sends(completion({"messages": [{"content": "a question"}]}, "Rating: [[7]]"), content_type)
    with ServiceServer([reaction]) as server:
        assert asyncio.run(_asked(_service(server.base_url)))[0].text == "Rating: [[7]]"
