"""Serve the view until Ctrl-C."""

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from configs.errors import InputError
from configs.text_files import why
from search.view.server import make_app

_PATIENCE = 1  # seconds that open event streams have when it ends


def serve(folder: Path, host: str, port: int, token: str, say: Callable[[str], None], *, editing: bool = False) -> None:
    """Serve the runs in `folder` at this address, and say which it is.

    Args:
        port: 0 takes a free one.
        say: is told the address as soon as it is listened on.
        editing: see `make_app`.

    Raises:
        InputError: the address cannot be listened on.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"the view cannot listen on {host}:{port} ({why(error)}): choose another --port, or --port 0"
        ) from None
    name = f"[{host}]" if ":" in host else host
    shown = f"http://{name}:{listening.getsockname()[1]}/"
    say(f"runs of {folder} at {shown}{f'?token={token}' if token else ''} (Ctrl-C ends it)")
    app = make_app(folder, token, frozenset({name}), editing=editing)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_PATIENCE)
    uvicorn.Server(config).run(sockets=[listening])
