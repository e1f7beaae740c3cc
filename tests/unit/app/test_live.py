"""An experiment that is looked at: what is tried out, and backgrounds that are made in a process of their own."""

import time

import numpy as np
import pytest

from herdbook.app.live import Live
from herdbook.segmentation.segmenter import Segmenter


@pytest.fixture
def live(experiment_file):
    opened = Live(experiment_file())
    yield opened
    opened.close()


def wait(movie, states, seconds=60):
    seen = [movie.maker.scene.state]
    until = time.monotonic() + seconds
    while seen[-1] not in states and time.monotonic() < until:
        if movie.poll():
            seen.append(movie.maker.scene.state)
            assert (movie.find(movie.source.exact(3)) is None) == (seen == ["computing", "failed"])
        time.sleep(0.02)
    return seen


def test_a_quick_background_comes_first_and_the_right_one_replaces_it(live):
    movie = live.movie("m")
    assert movie.find(movie.source.exact(3)) is None
    assert wait(movie, ("ready", "failed")) == ["computing", "quick", "ready"]
    found = movie.find(movie.source.exact(3))
    assert (found.reason < 0).sum() == 2
    # The next time it is there at once.
    again = Live(live.file.path)
    assert again.movie("m").maker.scene.state == "ready"
    again.close()


def test_a_background_that_cannot_be_made_is_told(live):
    movie = live.movie("m")
    live.try_out({"background.file": "nowhere.png"})
    assert wait(movie, ("failed",))[-1] == "failed"
    assert "nowhere.png" in movie.maker.scene.fault


def test_what_is_tried_out_finds_what_the_stage_finds(live, here, rng):
    movie = live.movie("m")
    for _ in range(20):
        low = int(rng.integers(1, 60))
        changes = {
            "segment.difference": float(rng.integers(5, 130)),
            "segment.area": [low, low + 40],
            "segment.close": int(rng.integers(0, 3)),
        }
        live.try_out(changes)
        frame = movie.source.exact(int(rng.integers(0, 60)))
        found = movie.find(frame)
        stage = Segmenter(movie.maker.scene.background, movie.settings, movie.index.full_range).blobs(frame)
        assert found.blobs.area[found.reason < 0].tolist() == stage.area.tolist()
        assert np.array_equal(found.blobs.x[found.reason < 0], stage.x)


def test_a_movie_that_is_taken_out_of_the_file_is_closed(live):
    movie = live.movie("m")
    live.try_out({"movies.m.name": "other"})
    assert "m" not in live.movies
    assert movie.source._kept == {}
