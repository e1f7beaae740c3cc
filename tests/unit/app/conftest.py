"""A numbered movie with two animals as an experiment, and the server of its page."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from herdbook.app import scenes
from herdbook.app.desk import Desk
from herdbook.app.server import Roots, make_server
from tests.support.numbered import write_experiment

TOKEN, COOKIE = "t0ken", "herdbook-1"
FRAMES = 60


@pytest.fixture
def experiment_file(tmp_path: Path) -> Callable[..., Path]:
    """The file of an experiment with one movie, "m", in which two animals walk; sections by name."""
    return partial(write_experiment, tmp_path)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backgrounds are made at once instead of in a process of their own."""

    def start(self: scenes.SceneMaker, *, quick: bool) -> None:
        scenes.make_scene(self._task | {"changes": {}})
        self.scene = scenes.SceneState(scenes._kept(self._out), "ready")

    monkeypatch.setattr(scenes.SceneMaker, "_start", start)


@pytest.fixture
def serve(tmp_path: Path, here: None) -> Iterator[Callable[..., TestClient]]:
    """A client of the server with the right cookie, for an experiment file or none."""
    clients: list[TestClient] = []

    def start(file: Path | None, *, cookie: str | None = TOKEN) -> TestClient:
        app = make_server(Desk(), Roots([tmp_path]), TOKEN, COOKIE, file)
        client = TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)
        if cookie is not None:
            client.cookies.set(COOKIE, cookie)
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)
