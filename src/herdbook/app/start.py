"""Start of the page: a port of this machine, a secret address, and the browser."""

import os
import secrets
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import uvicorn

from herdbook.app.desk import Desk
from herdbook.app.server import Roots, make_server
from herdbook.errors import HerdbookError

HOST = "127.0.0.1"
# More than a look needs by far.
MOST_MESSAGE_BYTES = 1 << 22


def run_app(file: Path | None, roots: Sequence[Path], port: int, *, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page until it is interrupted; `port` 0 takes a free one. `say` shows the address.

    Raises HerdbookError if the port is taken.
    """
    bound = _bind(port)
    port, token = bound.getsockname()[1], secrets.token_urlsafe(32)
    address = f"http://{HOST}:{port}/enter?token={token}"
    app = make_server(Desk(), Roots(roots), token, f"herdbook-{port}", file)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws_max_size=MOST_MESSAGE_BYTES, ws="websockets-sansio", lifespan="on"
    )
    say(f"Open {address}")
    say(f"From another computer: ssh -L {port}:{HOST}:{port} {socket.gethostname()}, then open that address there. Ctrl+C ends the app.")
    with tempfile.TemporaryDirectory(prefix="herdbook-") as folder:
        if browser:
            threading.Timer(0.5, webbrowser.open, [_door(Path(folder), address).as_uri()]).start()
        uvicorn.Server(config).run(sockets=[bound])


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        raise HerdbookError(f"the port {port} cannot be used ({error.strerror}). Leave out --port, or give another one.") from error
    # A browser that comes before the server is ready waits instead of being refused.
    bound.listen()
    return bound


def _door(folder: Path, address: str) -> Path:
    """A file, readable by this user alone, that leads to the address: on a command line all users of the machine could read the token."""
    door = folder / "open.html"
    with os.fdopen(os.open(door, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={escape(address)}">')
    return door
