"""Watching over the server: frames bring what a run found, and the page asks for the line of time."""

import numpy as np
import pytest

from tests.support.numbered import walk
from tests.support.watched_run import ANIMALS, FRAMES, NAMELESS, write_watched
from tests.unit.app.test_server import OWN, Tab


@pytest.fixture
def client(serve, tmp_path):
    return serve(write_watched(tmp_path))


def test_a_frame_brings_what_the_run_found_instead_of_blobs_of_now(client):
    with client.websocket_connect("/ws", headers=OWN) as socket:
        tab = Tab(socket)
        head, parts = tab.look(30, watch=True)
        assert tab.number(parts) == head["frame"] == 30
        assert "kept" not in head
        places = sorted(zip(head["tracks"]["y"], head["tracks"]["x"], strict=True))
        assert np.abs(np.array(places)[:, ::-1] - walk(ANIMALS, 30)[:NAMELESS]).max() < 1
        assert len(parts) == 3
        assert parts[2]
        head, parts = tab.look(30)
        assert head["kept"] == ANIMALS
        assert "tracks" not in head
        assert parts[2] == b""


def test_without_results_the_frame_is_shown_and_the_reason_told(serve, experiment_file):
    client = serve(experiment_file())
    with client.websocket_connect("/ws", headers=OWN) as socket:
        head, parts = Tab(socket).look(30, watch=True)
        assert head["watch_fault"].startswith("There is nothing to watch in m yet: run it first")
        assert parts[1]
    assert "nothing to watch" in client.get("/api/watch?movie=m").json()["fault"]
    assert "no movie" in client.get("/api/watch?movie=../m").json()["fault"]


def test_the_line_of_time_of_a_part_of_the_movie(client):
    found = client.get("/api/watch/lanes?movie=m&first=20&end=50&width=10").json()
    assert (found["first"], found["end"]) == (20, 50)
    assert {len(line) for line in found["states"]} == {10}
    assert client.get("/api/watch/lanes?movie=m&first=-5&width=1000000").json()["end"] == FRAMES
    assert "is no number" in client.get("/api/watch/lanes?movie=m&width=wide").json()["fault"]
    assert client.get("/api/watch").status_code == 200
