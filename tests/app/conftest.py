"""The page in a real browser: Chromium, led by Playwright, on a server with a numbered movie.

A page fails its test if it asks another host for anything, or writes an error into its console.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml

from herdbook.app.desk import Desk
from herdbook.app.runs import Runs
from herdbook.app.server import Roots, make_server
from tests.support.canvas import ON_SCREEN
from tests.support.numbered import BAR, BITS, write_experiment

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")

WAIT_MS = int(os.environ.get("HERDBOOK_PAGE_WAIT_MS", "60000"))
# The browser's own notes of a request that was refused with a reason, and of a server that is gone: the page shows both.
TOLD_BY_PAGE = ("responded with a status of 422", "net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE")
# Reads the bar code off the canvas: the same as `read_number` in the pixels of the screen.
READ = """([bits, bar]) => {
  const view = window.herdbook.view, context = view.picture.getContext("2d");
  const level = k => { const [x, y] = view.to(k * bar + bar / 2 - 0.5, bar / 2 - 0.5);
    return context.getImageData(Math.round(x), Math.round(y), 1, 1).data[1]; };
  const middle = (level(0) + level(1)) / 2;
  let number = 0;
  for (let k = 0; k < bits; k++) number = number * 2 + (level(k + 2) > middle ? 1 : 0);
  return number;
}"""


class Screen:
    """A tab with the page, and the experiment file that it shows."""

    def __init__(self, page: Any, file: Path) -> None:
        self.page, self.file = page, file

    def wait(self, condition: str, arg: Any = None) -> None:
        """Until a condition in JavaScript holds; `d` is the dataset of the page."""
        self.page.wait_for_function(
            f"arg => {{ const d = document.documentElement.dataset; return {condition}; }}", arg=arg, timeout=WAIT_MS
        )

    def shows(self, frame: int) -> None:
        """Until a frame is shown; its number must be that in its pixels."""
        self.wait("d.shown === arg", str(frame))
        assert self.number() == frame

    def shows_only(self, frame: int) -> None:
        """Until a frame is shown of which the number in the pixels may lie outside of the view."""
        self.wait("d.shown === arg", str(frame))

    def ready(self) -> None:
        """Until blobs are found with the background as it is meant."""
        self.wait("d.scene === 'ready' && d.kept !== ''")

    def number(self) -> int:
        """The number that is read off the canvas."""
        return int(self.page.evaluate(READ, [BITS, BAR]))

    def data(self, name: str) -> str:
        """What the page says of itself."""
        return str(self.page.evaluate("name => document.documentElement.dataset[name]", name))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the movie is on the screen."""
        found = self.page.evaluate(
            ON_SCREEN,
            [x, y],
        )
        return found[0], found[1]

    def click(self, x: float, y: float) -> None:
        """Click at a point of the movie."""
        self.page.mouse.click(*self.at(x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one point of the movie to another."""
        places = self.at(*start), self.at(*end)
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        self.page.mouse.move(*places[1], steps=5)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def save(self) -> dict[str, Any]:
        """Save, and read the file."""
        self.wait("Number(d.draft) > 0")
        before = self.page.evaluate("document.documentElement.dataset.saved")
        self.page.keyboard.press("Control+s")
        self.wait("d.saved && d.saved !== arg && d.draft === '0'", before)
        return self.values()

    def values(self) -> dict[str, Any]:
        """What the experiment file contains."""
        return dict(yaml.safe_load(self.file.read_text(encoding="utf-8")))


class Served:
    """A server in a thread of its own."""

    def __init__(self, roots: list[Path], file: Path | None) -> None:
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        self.port = bound.getsockname()[1]
        app = make_server(Desk(), Roots(roots), "secret", f"herdbook-{self.port}", file)
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="websockets-sansio"))
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve(sockets=[bound])), daemon=True)
        self.thread.start()
        until = time.monotonic() + 60
        while not self.server.started and self.thread.is_alive() and time.monotonic() < until:
            time.sleep(0.02)
        assert self.server.started

    @property
    def address(self) -> str:
        """The address with the token."""
        return f"http://127.0.0.1:{self.port}/enter?token=secret"

    def end(self) -> None:
        """End the server."""
        self.server.should_exit = True
        self.thread.join(30)


class Apart:
    """`herdbook app` as a process of its own, which can be killed."""

    def __init__(self, file: Path) -> None:
        command = [sys.executable, "-c", "from herdbook.commands.cli import app; app()", "app", str(file), "--no-browser"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = next(one for one in self.process.stdout if "http://" in one)
        self.address = line[line.index("http://") :].strip()
        self.port = int(self.address.split(":")[2].split("/")[0])

    def kill(self) -> None:
        """End it at once, as a crash of the computer does."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it if it still runs."""
        self.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = os.environ.get("HERDBOOK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def served() -> dict[Path | None, Served | Apart]:
    """The servers of a test, by the experiment file that is open in each."""
    return {}


@pytest.fixture
def open_page(browser: Any, tmp_path: Path, served: dict[Path | None, Served | Apart]) -> Iterator[Callable[..., Screen]]:
    """The page of an experiment: of a file, or of a new one of a kind of movie and sections."""
    contexts: list[Any] = []
    faults: list[str] = []

    def hear(message: Any) -> None:
        if message.type == "error" and not any(text in message.text for text in TOLD_BY_PAGE):
            faults.append(message.text)

    def start(
        kind: str = "b_frames",
        *,
        file: Path | None = None,
        folder: bool = False,
        scheme: str = "light",
        by: Served | Apart | None = None,
        **options: Any,
    ) -> Screen:
        path = file or write_experiment(tmp_path, kind, **options)
        key = None if folder else path
        if by is not None:
            served[key] = by
        if key not in served:
            served[key] = Served([tmp_path], key)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        own = f"127.0.0.1:{served[key].port}"

        def route(one: Any) -> None:
            if one.request.url.split("/")[2] != own and not one.request.url.startswith(("blob:", "data:")):
                faults.append(f"asked another host: {one.request.url}")
                one.abort()
            else:
                one.continue_()

        page.route("**/*", route)
        page.on("console", hear)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(served[key].address)
        screen = Screen(page, path)
        if not folder:
            screen.wait("d.shown !== undefined")
        return screen

    yield start
    for context in contexts:
        context.close()
    for one in served.values():
        one.end()
    assert not faults


@pytest.fixture
def open_run(open_page: Callable[..., Screen], stand_ins: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Screen]]:
    """The page of runs, of an experiment that has none yet; what runs at the end is ended."""
    screens: list[Screen] = []

    def start(**options: Any) -> Screen:
        monkeypatch.setenv("PYTHONPATH", str(stand_ins))
        screens.append(open_page(overlay={"write": False}, **options))
        screens[-1].press("Alt+3")
        screens[-1].wait("d.run === 'none'")
        return screens[-1]

    yield start
    for screen in screens:
        runs = Runs(screen.file)
        if runs.state()["running"]:
            os.killpg(runs._run()["pid"], signal.SIGKILL)
