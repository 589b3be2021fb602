"""What a connection for each request costs against kept ones, on this machine: `python -m workers.bench.connections`.

A server in another process answers at once, over plain HTTP and over TLS (for which it needs the program `openssl`); so
all that is measured is the client's and the server's work, and no network's round trips: those come on top, one for
TCP and one for TLS 1.3.
"""

import asyncio
import ssl
import subprocess
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

REQUESTS, AT_ONCE = 2000, 32
_BODY = b'{"choices": [{"message": {"content": "Rating: [[7]]"}}]}'


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _serve(certificate: Path | None, pipe: "Pipe[int, None]") -> None:
    async def main() -> None:
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        server = await asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def _ask(url: str, kept: int, verify: ssl.SSLContext | bool) -> tuple[float, float]:
    """Wall and CPU seconds of one request."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=kept)
    places = asyncio.Semaphore(AT_ONCE)
    chat = {"messages": [{"role": "user", "content": "x" * 4000}]}
    async with httpx2.AsyncClient(limits=limits, verify=verify, trust_env=False) as client:

        async def ask() -> None:
            async with places:
                (await client.post(url, json=chat)).raise_for_status()

        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(ask() for _ in range(REQUESTS)))
        return (time.perf_counter() - wall) / REQUESTS, (time.process_time() - cpu) / REQUESTS


def _measure(certificate: Path | None) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(certificate, theirs), daemon=True)
    process.start()
    scheme = "http" if certificate is None else "https"
    verify = True if certificate is None else ssl.create_default_context(cafile=certificate)
    url = f"{scheme}://localhost:{ours.recv()}/v1/chat/completions"
    for name, kept in (("kept", AT_ONCE), ("one a request", 0)):
        wall, cpu = asyncio.run(_ask(url, kept, verify))
        print(f"{scheme:5}  {name:14}  {1000 * wall:6.2f} ms  {1000 * cpu:6.2f} ms of the client's CPU")
    process.terminate()


def main() -> None:
    """Print milliseconds a request."""
    _measure(None)
    with TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.pem"
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {pair} -out {folder}/cert.pem -subj /CN=localhost"
        subprocess.run([*command.split(), "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)  # noqa: S603 -- our own words
        pair.write_text(pair.read_text() + (Path(folder) / "cert.pem").read_text())
        _measure(pair)


if __name__ == "__main__":
    main()
