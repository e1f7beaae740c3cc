"""The number that is asked for is the number in the picture, whatever the movie and the order."""

from dataclasses import replace

import numpy as np
import pytest

from herdbook.app.frames import KEPT_BYTES, NEAR_FRAMES, Source
from herdbook.artifacts.index import Index
from herdbook.errors import HerdbookError
from herdbook.movie.reading import read_frames
from herdbook.movie.scanning import scan_movie
from tests.support.numbered import KINDS, read_number, write_numbered

FRAMES = 70


@pytest.fixture
def source(tmp_path):
    """A source of a numbered movie of a kind."""
    opened = []

    def open_movie(kind, frames=FRAMES):
        path = write_numbered(tmp_path, kind, frames)
        opened.append(Source(path, Index.from_scan(scan_movie(path), "")))
        return opened[-1]

    yield open_movie
    for one in opened:
        one.close()


@pytest.mark.parametrize("kind", [*KINDS, "images"])
def test_frames_in_any_order_are_those_of_their_numbers(source, rng, kind):
    movie = source(kind)
    for number in [0, FRAMES - 1, *rng.integers(0, FRAMES, 25).tolist(), 5, 6, 7, 6, 5, 4]:
        frame = movie.exact(number)
        assert (frame.index, read_number(frame.luma)) == (number, number)


@pytest.mark.parametrize("kind", [*KINDS, "images"])
def test_near_frames_tell_their_true_number(source, rng, kind):
    movie = source(kind)
    for number in rng.integers(0, FRAMES, 25).tolist():
        frame = movie.near(number)
        assert read_number(frame.luma) == frame.index
        assert frame.index <= number or frame.index - number <= NEAR_FRAMES
        if rng.random() < 0.3:
            assert read_number(movie.exact(number).luma) == number


def test_frames_are_those_that_stages_read(source, rng):
    movie = source("b_frames")
    read = [frame.luma.copy() for frame in read_frames(movie.path, movie.index)]
    for number in rng.permutation(FRAMES).tolist():
        assert (movie.exact(number).luma == read[number]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_frames_left_out_on_the_way_are_still_found_when_they_are_wanted(source, rng, kind):
    movie = source(kind)
    read = [frame.luma.copy() for frame in read_frames(movie.path, movie.index)]
    # With so few kept, most frames on the way are of no use, and those on which no other depends need not be decoded.
    movie._most = 2
    for number in [60, 20, 40, 21, 61, 59, 5, *rng.integers(0, FRAMES, 25).tolist()]:
        near = movie.near(int(rng.integers(0, FRAMES)))
        assert (near.luma == read[near.index]).all()
        assert (movie.exact(number).luma == read[number]).all()


def test_frames_on_the_way_that_are_of_no_use_are_not_decoded(source):
    movie = source("b_frames")
    movie._most = 2
    movie._seek(55)
    # The keyframe before it is frame 30.
    decoded = [number for number, _ in movie._stream]
    assert decoded[0] == 30
    assert set(range(54, FRAMES)) <= set(decoded)
    assert len(set(range(30, 54)) - set(decoded)) >= 8


def test_near_frames_decode_one_frame_only(source):
    movie = source("long_gop", 200)
    assert movie.near(150).index == 0
    assert movie.exact(20).index == 20
    assert movie.near(25).index in (20, 21, 25)


def test_kept_frames_stay_within_their_budget(source):
    movie = source("long_gop", 200)
    movie._most = 30
    movie.exact(190)
    assert sorted(movie._kept) == list(range(161, 191))
    assert 1920 * 1080 * 3 // 2 * max(2, KEPT_BYTES // (1920 * 1080 * 3 // 2)) <= KEPT_BYTES


def test_a_frame_that_is_not_there_is_named(source):
    movie = source("b_frames")
    with pytest.raises(HerdbookError, match=r"frames 0\.\.69; frame 70"):
        movie.exact(70)


def test_a_frame_that_the_movie_lacks_is_told_and_the_others_are_still_read(source):
    movie = source("b_frames")
    index = replace(movie.index, pts=np.sort(np.append(movie.index.pts, movie.index.pts[40] + 1)))
    index.keyframe = np.insert(index.keyframe, 41, False)
    lacking = Source(movie.path, index)
    try:
        with pytest.raises(HerdbookError, match="no frame 41"):
            lacking.exact(41)
        assert read_number(lacking.exact(3).luma) == 3
        assert read_number(lacking.exact(42).luma) == 41
    finally:
        lacking.close()
